"""Receiver `signed_webhook`: posts each notice as JSON, signed as Standard Webhooks has it.

Its secret: `{"url": "https://...", "secret": "whsec_..."}`; while a secret is changed, both with a space between them.
The facts of the notice are in it only where the route's content is `full`. Source: Standard Webhooks 1.0.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from scc_responder.adapters.messaging.secret_address import SecretFields, secret_fields, unusable, web_address
from scc_responder.adapters.messaging.web_post import web_post
from scc_responder.domain.clock import utc_now
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.domain.text import ascii_json
from scc_responder.journal.account.notice_card import notice_card

_FORM = '{"url": "https://...", "secret": "whsec_" and 24 to 64 bytes in base64}'
MOST_FACTS_BYTES = 256 * 1024
"""Larger facts are left out: the card says what they are about, and `case show` has them."""
_NAME = "signed_webhook"


class _Secret(SecretFields, frozen=True, kw_only=True):
    url: str
    secret: str


def receiver(address: str, now: Callable[[], datetime] = utc_now) -> Receiver:
    """The webhook. Raises SettingsError for a secret that is none."""
    fields = secret_fields(_Secret, address, _NAME, _FORM)
    keys = tuple(_key(text) for text in fields.secret.split())
    if not keys or not all(24 <= len(key) <= 64 for key in keys):
        raise unusable(_NAME, _FORM)
    return SignedWebhook(fields.url, keys, now)


class SignedWebhook:
    """`ports.Receiver` on one URL."""

    def __init__(self, url: str, keys: tuple[bytes, ...], now: Callable[[], datetime]) -> None:
        self.address = web_address(url, _NAME, _FORM)
        self._keys = keys
        self._now = now

    def send(self, routed: RoutedNotice) -> str:
        """Post it; the receipt is its own id. Raises ApiError."""
        moment = self._now()
        body = ascii_json({"type": f"notice.{routed.notice.kind}", "timestamp": moment, "data": _data(routed)})
        seconds = str(int(moment.timestamp()))
        signed = f"{routed.id}.{seconds}.".encode() + body
        signatures = (base64.b64encode(hmac.digest(key, signed, "sha256")).decode() for key in self._keys)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": routed.id,
            "webhook-timestamp": seconds,
            "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
        }
        web_post(self.address, body, headers)
        return routed.id


def _data(routed: RoutedNotice) -> dict[str, Any]:
    """The card as people see it; in full also the facts, whose texts are as they came: JSON alone makes them safe."""
    card = notice_card(routed)
    told = {"id": routed.id, "thread": routed.thread, "closes": routed.closes, "kind": routed.notice.kind, "card": card}
    facts = routed.notice.facts if routed.content is NoticeContent.FULL else {}
    return told | ({"facts": facts} if facts and len(ascii_json(facts)) <= MOST_FACTS_BYTES else {})


def _key(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return b""
