"""Receiver `google_chat`: a card in a space of Google Chat, one thread an incident.

Its secret: the webhook's URL, as the space shows it. Source: Google Chat API, "Send messages to Google Chat with
incoming webhooks", "Cards v2".
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scc_responder.adapters.messaging.fitted_card import fitted_message, markup_escaped
from scc_responder.adapters.messaging.secret_address import WebAddress, unusable, web_address
from scc_responder.adapters.messaging.web_post import web_post
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.domain.text import visible
from scc_responder.journal.account.notice_card import NoticeCard, notice_card

MOST_CHAT_BYTES = 31_000
"""Of a message. Source: Google Chat API, "Limits": 32,000 bytes with text and cards."""
_NAME = "google_chat"
_FORM = "the URL of a webhook, https://chat.googleapis.com/v1/spaces/SPACE/messages?key=KEY&token=TOKEN"
_TEXT_LENGTH = 1_500


def receiver(address: str) -> Receiver:
    """The space. Raises SettingsError for an address that is no webhook's."""
    found = web_address(address, _NAME, _FORM)
    parts = urlsplit(found.target)
    if not (parts.path.startswith("/v1/spaces/") and {"key", "token"} <= parse_qs(parts.query).keys()):
        raise unusable(_NAME, _FORM)
    found.target += "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    return GoogleChat(found)


class GoogleChat:
    """`ports.Receiver` on one webhook."""

    def __init__(self, address: WebAddress) -> None:
        self.address = address

    def send(self, routed: RoutedNotice) -> str:
        """Post the card into the incident's thread. The receipt is the thread's key, by which it is found again."""
        body = fitted_message(notice_card(routed), partial(_message, thread=routed.thread), MOST_CHAT_BYTES)
        web_post(self.address, body, {"Content-Type": "application/json; charset=UTF-8"})
        return routed.thread


def _message(card: NoticeCard, thread: str) -> dict[str, Any]:
    first = [_widget("", card.about)] if card.about else []
    sections: list[dict[str, Any]] = [{"widgets": [*first, _widget("First", card.first)]}]
    if card.lines:
        lines = [_widget(line.name, line.text) for line in card.lines]
        sections.append({"collapsible": True, "uncollapsibleWidgetsCount": 1, "widgets": lines})
    if card.links:
        buttons = [{"text": _shown(link.title), "onClick": {"openLink": {"url": link.url}}} for link in card.links]
        sections.append({"widgets": [{"buttonList": {"buttons": buttons}}]})
    sections.append({"widgets": [{"textParagraph": {"text": _shown(card.footer)}}]})
    return {
        "fallbackText": f"{card.title} - {card.footer}",
        "cardsV2": [{"cardId": "notice", "card": {"header": {"title": card.title}, "sections": sections}}],
        "thread": {"threadKey": visible(thread, 200)},
    }


def _widget(name: str, text: str) -> dict[str, Any]:
    label = {"topLabel": _shown(name)} if name else {}
    return {"decoratedText": {**label, "text": _shown(text), "wrapText": True}}


def _shown(text: str) -> str:
    """Cards read a few tags of HTML: what is escaped is text."""
    return markup_escaped(text, _TEXT_LENGTH)
