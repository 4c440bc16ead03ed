"""Receiver `slack`: a message in a channel of Slack, one thread an incident.

Its secret: `{"token": "xoxb-...", "channel": "C0123456789"}`, and as `url` the address of chat.postMessage where it is
another than Slack's. The app needs the scope chat:write. Source: Slack, "chat.postMessage", "Block Kit reference".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec

from scc_responder.adapters.messaging.fitted_card import fitted_message, markup_escaped
from scc_responder.adapters.messaging.secret_address import SecretFields, secret_fields, unusable, web_address
from scc_responder.adapters.messaging.web_post import WebAnswer, post_refusal, web_post
from scc_responder.domain.errors import OutcomeUnknown
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, read_json
from scc_responder.journal.account.account_links import AccountLink
from scc_responder.journal.account.notice_card import NoticeCard, notice_card

MOST_SLACK_BYTES = 11_000
"""Of a message. Source: github.com/slackapi/bolt-js/issues/2509: all blocks together have 12,000 characters at most."""
_NAME = "slack"
_FORM = '{"token": "xoxb-...", "channel": "C0123456789"}'
_POST_MESSAGE = "https://slack.com/api/chat.postMessage"
_TOKEN = re.compile(r"xox[a-z]-[A-Za-z0-9-]{8,400}", re.ASCII)
_CHANNEL = re.compile(r"[A-Z0-9]{3,30}", re.ASCII)
_STAMP = re.compile(r"[0-9]{1,20}\.[0-9]{1,10}", re.ASCII)
_ERROR = re.compile(r"[a-z_]{1,60}", re.ASCII)
_TITLE_LENGTH, _TEXT_LENGTH = 150, 3_000
_PASSING = {
    "ratelimited": 429,
    "rate_limited": 429,
    "message_limit_exceeded": 429,
    "internal_error": 500,
    "fatal_error": 500,
    "request_timeout": 504,
    "service_unavailable": 503,
    "team_added_to_org": 503,
}
"""Errors after which the same may be taken later, by the status of HTTP that says so."""
_OF_MESSAGE = frozenset(
    {
        "",
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
"""Errors that this very message always has. Any other is about app or channel, which somebody may set right."""


class _Secret(SecretFields, frozen=True, kw_only=True):
    token: str
    channel: str
    url: str = _POST_MESSAGE


class _Answer(Value, frozen=True, kw_only=True):
    ok: bool
    ts: str = ""
    error: str = ""


def receiver(address: str) -> Receiver:
    """The channel. Raises SettingsError for a secret that is none."""
    fields = secret_fields(_Secret, address, _NAME, _FORM)
    if not (_TOKEN.fullmatch(fields.token) and _CHANNEL.fullmatch(fields.channel)):
        raise unusable(_NAME, _FORM)
    return Slack(fields.url, fields.token, fields.channel)


class Slack:
    """`ports.Receiver` on one channel."""

    def __init__(self, url: str, token: str, channel: str) -> None:
        self.address = web_address(url, _NAME, _FORM)
        self.token = token
        self._channel = channel

    def send(self, routed: RoutedNotice) -> str:
        """Post it into the incident's thread; where it pages again the channel sees it too.

        The receipt is the `ts` of the thread's first message.
        """
        pages = not routed.closes and routed.alert not in {"", routed.thread}
        make = partial(_message, channel=self._channel, thread=routed.receipt, pages=pages)
        body = fitted_message(notice_card(routed), make, MOST_SLACK_BYTES)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json; charset=utf-8"}
        stamp = _stamp(web_post(self.address, body, headers))
        return routed.receipt or stamp


def _stamp(answer: WebAnswer) -> str:
    """The message's `ts`. Slack says what it refuses in a success. Raises ApiError."""
    try:
        said = read_json(answer.body, _Answer)
    except msgspec.DecodeError:
        said = None
    if said is None or (said.ok and not _STAMP.fullmatch(said.ts)):
        raise OutcomeUnknown(Reason.RECEIVER.of("unusable_answer"), "the service's answer makes no sense")
    if not said.ok:
        word = said.error if _ERROR.fullmatch(said.error) else ""
        status = 422 if word in _OF_MESSAGE else _PASSING.get(word, 403)
        raise post_refusal(status, answer.retry_after_seconds, word)
    return said.ts


def _message(card: NoticeCard, channel: str, thread: str, *, pages: bool) -> dict[str, Any]:
    told = [card.about] if card.about else []
    told += [f"First: {card.first}", *(f"{line.name}: {line.text}" for line in card.lines)]
    return {
        "channel": channel,
        "text": markup_escaped(f"{card.title} - {card.footer}", _TEXT_LENGTH),
        "blocks": [
            {"type": "header", "text": _plain(card.title, _TITLE_LENGTH)},
            *({"type": "section", "text": _plain(text, _TEXT_LENGTH)} for text in told),
            *({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}} for text in _links(card)),
            {"type": "context", "elements": [_plain(card.footer, _TEXT_LENGTH)]},
        ],
        "mrkdwn": False,
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "unfurl_media": False,
        **({"thread_ts": thread, "reply_broadcast": pages} if _STAMP.fullmatch(thread) else {}),
    }


def _plain(text: str, most: int) -> dict[str, Any]:
    """Text in which Slack looks for neither links nor mentions nor emoji."""
    return {"type": "plain_text", "emoji": False, "text": markup_escaped(text, most)}


def _links(card: NoticeCard) -> Iterator[str]:
    """The links as text, several to a section."""
    shown = ""
    for text in map(_link, card.links):
        if shown and len(shown) + len(text) >= _TEXT_LENGTH:
            yield shown
            shown = ""
        shown += ("\n" if shown else "") + text
    if shown:
        yield shown


def _link(link: AccountLink) -> str:
    title = link.title.replace("|", "/")  # a bar ends the address
    return f"<{markup_escaped(link.url, _TEXT_LENGTH)}|{markup_escaped(title, 200)}>"
