"""PagerDuty opens one alert an incident, and resolves it with its last case."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from scc_responder.adapters.notifiers import pagerduty as pagerduty_receiver
from scc_responder.adapters.notifiers.pagerduty import receiver
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.notices.routed_notice import RoutedNotice
from tests.adapters.messaging.test_secret_address import everything_said
from tests.kits.notice_services import ROUTING_KEY, pagerduty
from tests.kits.routed_notices import (
    CONSOLE,
    HOSTILE,
    HOSTILE_NOTICES,
    active_in,
    hostile_notices,
    is_own,
    largest,
    routed,
)
from tests.kits.web_service import Says, WebService, web_service

assert HOSTILE


def secret(service: WebService, key: str = ROUTING_KEY) -> str:
    """A secret for the service."""
    return json.dumps({"routing_key": key, "url": f"{service.url}/v2/enqueue"})


def test_an_alert_is_opened_once_and_resolved_with_the_case() -> None:
    """All events of a case have one key."""
    with web_service(pagerduty) as service:
        pager = receiver(secret(service))
        assert [pager.send(routed(closes=closes)) for closes in (False, True)] == ["0a0a0a0a0a0a"] * 2
    opened, resolved = (posted.json for posted in service.posted)
    assert (opened["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == resolved["dedup_key"]
    assert opened["payload"]["severity"] == "warning"
    assert opened["payload"]["custom_details"]["What ran"] == "program: /tmp/run & co"
    assert opened["client_url"] == f"{CONSOLE}/case/0a0a0a0a0a0a/plan"


def test_an_incident_is_resolved_with_its_last_case() -> None:
    """A case that joins adds to its alert; one that pages again has its own. Each is resolved by its key."""
    with web_service(pagerduty) as service:
        pager = receiver(secret(service))
        pager.send(routed(alert="0a0a0a0a0a0a"))
        pager.send(routed(alert="0b0b0b0b0b0b"))
        pager.send(routed(closes=True, ends=("0b0b0b0b0b0b",)))
        pager.send(routed(closes=True, ends=("0c0c0c0c0c0c", "0a0a0a0a0a0a")))
    assert [(posted.json["event_action"], posted.json["dedup_key"][:2]) for posted in service.posted] == [
        ("trigger", "0a"),
        ("trigger", "0b"),
        ("resolve", "0b"),
        ("resolve", "0c"),
        ("resolve", "0a"),
    ]


@HOSTILE_NOTICES
@given(hostile_notices())
def test_hostile_notices_are_text_in_an_alert(made: RoutedNotice) -> None:
    """Each is taken within its limits; nothing in it links, mentions or hides."""
    with web_service(pagerduty) as service:
        receiver(secret(service)).send(made)
    event = service.posted[0].json
    texts = [event["payload"][name] for name in ("summary", "component", "group")]
    texts += [text for pair in event["payload"]["custom_details"].items() for text in pair]
    texts += [link["text"] for link in event["links"]]
    assert active_in(texts) == []
    assert [link["href"] for link in event["links"] if not is_own(link["href"])] == []


REFUSALS = {429: True, 503: True, 400: False, 403: False}


@pytest.mark.parametrize(("status", "may_pass"), REFUSALS.items())
def test_a_refusal_is_no_alert(status: int, *, may_pass: bool) -> None:
    """It says whether the same may be taken later, and not the key."""
    with web_service(lambda _: Says(status, ROUTING_KEY.encode())) as service, pytest.raises(ApiError) as raised:
        receiver(secret(service)).send(routed())
    assert raised.value.may_pass is may_pass
    assert ROUTING_KEY not in everything_said(raised.value)


def test_another_key_is_refused_by_the_service() -> None:
    """An alert that nobody gets is an error."""
    with web_service(pagerduty) as service, pytest.raises(ApiError, match="status 400"):
        receiver(secret(service, "x" * 32)).send(routed())


@pytest.mark.parametrize("content", [ROUTING_KEY, '{"routing_key": "s3cr3t"}', '{"routing_key": 1}'])
def test_a_secret_that_is_none_stops_unsaid(content: str) -> None:
    """The error shows the form."""
    with pytest.raises(SettingsError, match="the secret of the receiver pagerduty is not") as raised:
        receiver(content)
    assert "s3cr3t" not in everything_said(raised.value)


@pytest.mark.parametrize("most", [0, 25_000], ids=["the-service's", "less"])
def test_the_largest_notice_is_taken(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is left out a line says how much."""
    if most:
        monkeypatch.setattr(pagerduty_receiver, "MOST_EVENT_BYTES", most)
    with web_service(pagerduty) as service:
        receiver(secret(service)).send(largest())
    body = service.posted[0].body
    assert len(body) <= pagerduty_receiver.MOST_EVENT_BYTES
    assert (b"Left out" in body) == bool(most)
