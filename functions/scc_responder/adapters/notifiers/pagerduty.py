"""Receiver `pagerduty`: one alert an incident, resolved with its last case.

A case that pages again has an alert of its own, resolved with that case.

Its secret: `{"routing_key": "..."}`, the integration key of Events API v2, and as `url` the address of its queue where
it is another than that of the US. Source: PagerDuty, "Events API v2", "Send an alert event", "PD-CEF".
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from scc_responder.adapters.messaging.fitted_card import fitted_message
from scc_responder.adapters.messaging.secret_address import SecretFields, secret_fields, unusable, web_address
from scc_responder.adapters.messaging.web_post import web_post
from scc_responder.domain.notices.notice import NoticeSeverity
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.domain.text import visible
from scc_responder.journal.account.notice_card import NoticeCard, notice_card

MOST_EVENT_BYTES = 500_000
"""Of an event. Source: Events API v2: 512 KB."""
_NAME = "pagerduty"
_FORM = '{"routing_key": "the integration key of 32 letters and digits"}'
_QUEUE = "https://events.pagerduty.com/v2/enqueue"
_KEY = re.compile(r"[A-Za-z0-9]{32}", re.ASCII)
_SUMMARY_LENGTH, _DEDUP_LENGTH = 1_024, 255
_SEVERITIES = {NoticeSeverity.NOTICE: "info", NoticeSeverity.WARNING: "warning", NoticeSeverity.ERROR: "error"}


class _Secret(SecretFields, frozen=True, kw_only=True):
    routing_key: str
    url: str = _QUEUE


def receiver(address: str) -> Receiver:
    """The service behind the key. Raises SettingsError for a secret that is none."""
    fields = secret_fields(_Secret, address, _NAME, _FORM)
    if not _KEY.fullmatch(fields.routing_key):
        raise unusable(_NAME, _FORM)
    return PagerDuty(fields.url, fields.routing_key)


class PagerDuty:
    """`ports.Receiver` on one integration."""

    def __init__(self, url: str, routing_key: str) -> None:
        self.address = web_address(url, _NAME, _FORM)
        self._routing_key = routing_key

    def send(self, routed: RoutedNotice) -> str:
        """Open the alert or add to it; where the case is over, resolve what is over with it. The receipt is its key."""
        alerts = routed.ends or (routed.thread,) if routed.closes else (routed.alert or routed.thread,)
        for alert in alerts:
            head = {"routing_key": self._routing_key, "dedup_key": visible(alert, _DEDUP_LENGTH)}
            make = partial(_event, routed=routed, head=head)
            web_post(self.address, fitted_message(notice_card(routed), make, MOST_EVENT_BYTES), _JSON)
        return visible(alerts[-1], _DEDUP_LENGTH)


_JSON = {"Content-Type": "application/json"}


def _event(card: NoticeCard, routed: RoutedNotice, head: dict[str, str]) -> dict[str, Any]:
    payload = {
        "summary": visible(" - ".join(filter(None, (card.title, card.about))), _SUMMARY_LENGTH),
        "source": "scc-responder",
        "severity": _SEVERITIES[card.severity],
        "component": f"case {card.case}" if card.case else "scc-responder",
        "group": card.threat,
        "class": str(routed.notice.kind),
        "custom_details": {
            "First": card.first,
            **{line.name: line.text for line in card.lines},
            "Read on": card.footer,
        },
    }
    return {
        **head,
        "event_action": "resolve" if routed.closes else "trigger",
        "client": "scc-responder",
        **({"client_url": card.links[0].url} if card.links else {}),
        "links": [{"href": link.url, "text": link.title} for link in card.links],
        "payload": payload,
    }
