"""Google Chat takes the card, joins the messages of a case, and reads nothing of an attacker's as markup."""

from __future__ import annotations

import pytest
from hypothesis import given

from scc_responder.adapters.notifiers import google_chat as google_chat_receiver
from scc_responder.adapters.notifiers.google_chat import receiver
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.notices.routed_notice import RoutedNotice
from tests.adapters.messaging.test_secret_address import everything_said
from tests.kits.notice_services import CHAT_KEY, CHAT_TOKEN, google_chat
from tests.kits.routed_notices import (
    CONSOLE,
    FINDING_LINK,
    HOSTILE,
    HOSTILE_NOTICES,
    active_in,
    hostile_notices,
    is_own,
    largest,
    routed,
    unmarked,
)
from tests.kits.web_service import Posted, Says, WebService, web_service

assert HOSTILE


def address(service: WebService, token: str = CHAT_TOKEN) -> str:
    """A webhook of the service, as a space shows it."""
    return f"{service.url}/v1/spaces/AAAA/messages?key={CHAT_KEY}&token={token}"


def shown(posted: Posted) -> tuple[list[str], list[str]]:
    """The texts that people see, and the addresses that a click opens."""
    (item,) = posted.json["cardsV2"]
    texts, urls = [posted.json["fallbackText"], item["card"]["header"]["title"]], []
    for widget in [widget for section in item["card"]["sections"] for widget in section["widgets"]]:
        ((_, value),) = widget.items()
        texts += [unmarked(value[name]) for name in ("topLabel", "text") if name in value]
        for button in value.get("buttons", ()):
            texts.append(unmarked(button["text"]))
            urls.append(button["onClick"]["openLink"]["url"])
    return texts, urls


def test_a_notice_is_a_card_in_the_thread_of_its_case() -> None:
    """The receipt finds the thread again; links open the console and what there is to read on."""
    with web_service(google_chat) as service:
        assert receiver(address(service)).send(routed()) == "0a0a0a0a0a0a"
    (posted,) = service.posted
    texts, urls = shown(posted)
    assert posted.json["thread"] == {"threadKey": "0a0a0a0a0a0a"}
    assert {"WARNING: a plan waits for approval", "program: /tmp/run & co"} <= {*texts}
    assert urls == [*(f"{CONSOLE}/case/0a0a0a0a0a0a{end}" for end in ("/plan", "")), FINDING_LINK]


@HOSTILE_NOTICES
@given(hostile_notices())
def test_hostile_notices_are_text_in_a_card(made: RoutedNotice) -> None:
    """Each is taken within 32,000 bytes; no markup, mention or link of an attacker's is in it, and nothing hidden."""
    with web_service(google_chat) as service:
        receiver(address(service)).send(made)
    texts, urls = shown(service.posted[0])
    assert active_in(texts) == []
    assert [url for url in urls if not is_own(url)] == []


def test_a_webhook_that_was_taken_away_is_no_success() -> None:
    """The error says the status and neither key nor token."""
    with web_service(google_chat) as service, pytest.raises(ApiError, match="status 401") as raised:
        receiver(address(service, "other")).send(routed())
    assert not raised.value.may_pass
    assert CHAT_KEY not in everything_said(raised.value)


def test_too_many_messages_may_pass() -> None:
    """A space takes one in a second: the service says when to come again."""
    with web_service(lambda _: Says(429, headers={"Retry-After": "3"})) as service, pytest.raises(ApiError) as raised:
        receiver(address(service)).send(routed())
    assert (raised.value.may_pass, raised.value.retry_after_seconds) == (True, 3.0)


@pytest.mark.parametrize(
    "secret",
    [
        "https://chat.googleapis.com/v1/spaces/AAAA/messages?key=s3cr3t",
        "https://chat.googleapis.com/v1/rooms/AAAA?key=s3cr3t&token=t",
        "http://chat.googleapis.com/v1/spaces/AAAA/messages?key=s3cr3t&token=t",
    ],
)
def test_another_address_is_no_webhook(secret: str) -> None:
    """It is named by the receiver alone."""
    with pytest.raises(SettingsError, match="the secret of the receiver google_chat is not the URL of a webhook") as it:
        receiver(secret)
    assert "s3cr3t" not in everything_said(it.value)


@pytest.mark.parametrize("most", [0, 25_000], ids=["the-service's", "less"])
def test_the_largest_notice_is_taken(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is left out a line says how much."""
    if most:
        monkeypatch.setattr(google_chat_receiver, "MOST_CHAT_BYTES", most)
    with web_service(google_chat) as service:
        receiver(address(service)).send(largest())
    body = service.posted[0].body
    assert len(body) <= google_chat_receiver.MOST_CHAT_BYTES
    assert b"Left out" in body
