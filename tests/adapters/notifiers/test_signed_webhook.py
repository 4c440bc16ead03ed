"""The signed webhook speaks Standard Webhooks: what a verifier written from the specification takes, and no other."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given

from scc_responder.adapters.notifiers.signed_webhook import MOST_FACTS_BYTES, receiver
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.notices.routed_notice import NoticeContent, RoutedNotice
from tests.adapters.messaging.test_secret_address import everything_said
from tests.journal.account.test_known_fields import strings
from tests.kits.routed_notices import HOSTILE, HOSTILE_NOTICES, active_in, hostile_notices, is_own
from tests.kits.web_service import Posted, Says, web_service

assert HOSTILE
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEYS = [b"k" * 24, b"K" * 64]
NOTICE = Notice(
    kind=NoticeKind.OUTCOME, severity=NoticeSeverity.WARNING, case="0a0a0a0a0a0a", facts={"path": "/tmp/<b>\u202e"}
)


def whsec(key: bytes) -> str:
    """A key as services show it."""
    return f"whsec_{base64.b64encode(key).decode()}"


def verified_by(posted: Posted, key: bytes, now: datetime = NOW) -> bool:
    """Whether a verifier takes it. Source: Standard Webhooks 1.0, "Verifying webhooks"."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    number, seconds, signatures = (posted.headers[name] for name in names)
    if abs(now.timestamp() - int(seconds)) > 300:
        return False
    mac = hmac.new(key, f"{number}.{seconds}.".encode() + posted.body, hashlib.sha256)
    expected = base64.b64encode(mac.digest()).decode()
    return any(each == f"v1,{expected}" for each in signatures.split(" "))


def test_each_key_verifies_what_is_posted() -> None:
    """While a key is changed both do; another one does not, nor does it hold for another body."""
    with web_service() as service:
        secret = {"url": f"{service.url}/hook", "secret": " ".join(map(whsec, KEYS))}
        receipt = receiver(json.dumps(secret), lambda: NOW).send(RoutedNotice(id="n1", thread="0a", notice=NOTICE))
    (posted,) = service.posted
    assert receipt == "n1"
    assert posted.headers["webhook-id"] == "n1"
    assert posted.headers["content-type"] == "application/json"
    assert [verified_by(posted, key) for key in (*KEYS, b"x" * 24)] == [True, True, False]
    other = Posted(posted.path, posted.headers, posted.body + b" ")
    assert not verified_by(other, KEYS[0])


def test_full_content_has_the_facts() -> None:
    """As ASCII JSON; minimal content has nothing of the finding."""
    with web_service() as service:
        hook = receiver(json.dumps({"url": service.url, "secret": whsec(KEYS[0])}), lambda: NOW)
        for content in NoticeContent:
            hook.send(RoutedNotice(id="n1", thread="0a", content=content, notice=NOTICE))
    full, minimal = (each.json for each in service.posted)
    assert (full["type"], full["timestamp"]) == ("notice.outcome", "2026-11-30T12:00:00Z")
    assert full["data"]["facts"] == NOTICE.facts
    assert all(each.body.isascii() for each in service.posted)
    assert "/tmp" not in json.dumps(minimal)
    assert minimal["data"]["card"]["case"] == "0a0a0a0a0a0a"
    assert "facts" not in minimal["data"]


def test_facts_that_are_too_large_are_left_out() -> None:
    """The card says what they are about."""
    large = Notice(kind=NOTICE.kind, severity=NOTICE.severity, case=NOTICE.case, facts={"text": "x" * MOST_FACTS_BYTES})
    with web_service() as service:
        hook = receiver(json.dumps({"url": service.url, "secret": whsec(KEYS[0])}), lambda: NOW)
        hook.send(RoutedNotice(id="n1", thread="0a", notice=large))
    data = service.posted[0].json["data"]
    assert "facts" not in data
    assert data["card"]["case"] == "0a0a0a0a0a0a"


@HOSTILE_NOTICES
@given(hostile_notices())
def test_hostile_notices_are_data(made: RoutedNotice) -> None:
    """Each is signed ASCII within its size; nothing in the card links, mentions or hides, and minimal has no facts."""
    with web_service() as service:
        receiver(json.dumps({"url": service.url, "secret": whsec(KEYS[0])}), lambda: NOW).send(made)
    (posted,) = service.posted
    data = posted.json["data"]
    urls = [link.pop("url") for link in data["card"]["links"]]
    assert verified_by(posted, KEYS[0])
    assert posted.body.isascii()
    assert len(posted.body) < 512 * 1024
    assert active_in(strings(data["card"])) == []
    assert [url for url in urls if not is_own(url)] == []
    assert made.content is NoticeContent.FULL or "facts" not in data


SECRETS = (
    "https://hooks.example.com/x",
    '{"url": "https://hooks.example.com/x"}',
    json.dumps({"url": "https://hooks.example.com/x", "secret": whsec(b"short")}),
    json.dumps({"url": "https://hooks.example.com/x", "secret": "whsec_***"}),
    json.dumps({"url": "https://hooks.example.com/x", "secret": ""}),
    json.dumps({"url": "http://hooks.example.com/x", "secret": whsec(KEYS[0])}),
)


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_that_is_none_stops_unsaid(secret: str) -> None:
    """The error shows the form, and nothing of what is there."""
    with pytest.raises(SettingsError, match="the secret of the receiver signed_webhook is not") as raised:
        receiver(secret)
    assert "hooks.example.com" not in everything_said(raised.value)
    assert base64.b64encode(b"short").decode() not in everything_said(raised.value)


def test_an_error_of_the_service_is_raised() -> None:
    """A refusal is none of a success."""
    with web_service(lambda _: Says(410)) as service:
        hook = receiver(json.dumps({"url": service.url, "secret": whsec(KEYS[0])}), lambda: NOW)
        with pytest.raises(Exception, match="status 410"):
            hook.send(RoutedNotice(id="n1", thread="0a", notice=NOTICE))
