"""Apprise hands plain text to a service that has no receiver of its own, within a time and unlogged."""

from __future__ import annotations

import logging
import time
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given

from scc_responder.adapters.notifiers.apprise import MOST_APPRISE_BYTES, is_private, receiver
from scc_responder.domain.errors import ApiError, OutcomeUnknown, SettingsError
from scc_responder.domain.notices.routed_notice import RoutedNotice
from tests.adapters.messaging.test_secret_address import everything_said
from tests.kits.dribbling_server import dribbling
from tests.kits.routed_notices import HOSTILE, HOSTILE_NOTICES, active_in, hostile_notices, is_own, largest, routed
from tests.kits.web_service import Says, WebService, web_service

assert HOSTILE
PASSWORD = "s3cr3t-t0pic"


def address(url: str) -> str:
    """A service of Apprise's own form on this machine: it gets JSON with title, message and type."""
    return f"json://user:{PASSWORD}@{url.removeprefix('http://')}/{PASSWORD}"


def test_the_long_tail_gets_plain_text() -> None:
    """Title, what to do first, lines and links."""
    with web_service() as service:
        assert receiver(address(service.url)).send(routed()) == "n1"
    (posted,) = service.posted
    assert posted.json["title"] == "WARNING: a plan waits for approval"
    assert posted.json["type"] == "warning"
    assert "First: read the plan, then approve or reject it" in posted.json["message"]
    assert "What ran: program: /tmp/run & co" in posted.json["message"]


@HOSTILE_NOTICES
@given(hostile_notices())
def test_hostile_notices_are_plain_text(made: RoutedNotice) -> None:
    """Each is taken within the shortest limit of chats; nothing in it links, mentions or hides."""
    with web_service() as service:
        receiver(address(service.url)).send(made)
    message = service.posted[0].json
    lines = [line for line in message["message"].splitlines() if not is_own(line.rpartition(": ")[2])]
    if lines and lines[-1].rpartition(": ")[2].startswith("https://"):
        lines.pop()  # an address of ours that the limit cut
    assert active_in([message["title"], *lines]) == []
    assert len(message["message"].encode()) <= MOST_APPRISE_BYTES


def test_the_largest_notice_is_cut() -> None:
    """To the shortest limit of chats, and between two letters."""
    with web_service() as service:
        receiver(address(service.url)).send(largest())
    assert MOST_APPRISE_BYTES - 4 < len(service.posted[0].json["message"].encode()) <= 1_900


@pytest.mark.parametrize("status", [400, 403, 429, 500])
def test_what_is_not_taken_may_be_tried_again(status: int, caplog: pytest.LogCaptureFixture) -> None:
    """Apprise does not say why; neither error nor any logger says the address."""
    caplog.set_level(logging.DEBUG)
    with web_service(lambda _: Says(status, PASSWORD.encode())) as service, pytest.raises(ApiError) as raised:
        receiver(address(service.url)).send(routed())
    assert (raised.value.reason, raised.value.may_pass) == ("receiver_not_taken", True)
    assert PASSWORD not in everything_said(raised.value) + caplog.text


def test_no_logger_says_an_address(caplog: pytest.LogCaptureFixture) -> None:
    """Not of what was taken either."""
    caplog.set_level(logging.DEBUG)
    with web_service() as service:
        receiver(address(service.url)).send(routed())
    assert PASSWORD not in caplog.text


def test_services_that_never_end_cost_their_time_alone() -> None:
    """Four at a time are under way; a fifth is refused at once, and the first end frees its place."""
    with dribbling(b"HTTP/1.1 200 OK\r\n", then=b"X-A: b\r\n", every=0.01) as url:
        slow = receiver(address(url), 0.3)
        for _ in range(4):
            begun = time.monotonic()
            with pytest.raises(OutcomeUnknown) as raised:
                slow.send(routed())
            assert time.monotonic() - begun < 2.0
            assert PASSWORD not in everything_said(raised.value)
        with pytest.raises(ApiError) as busy:
            slow.send(routed())
        assert (busy.value.reason, busy.value.may_pass) == ("receiver_busy", True)
    with web_service() as service:
        assert _soon_taken(service)


def _soon_taken(service: WebService) -> bool:
    for _ in range(200):
        try:
            return bool(receiver(address(service.url)).send(routed()))
        except ApiError:
            time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "s3cr3t-t0pic",
        "file:///etc/s3cr3t-t0pic",
        "syslog://s3cr3t-t0pic",
        "dbus://s3cr3t-t0pic",
        "json://a b/s3cr3t-t0pic",
    ],
)
def test_another_url_is_refused_unsaid(secret: str) -> None:
    """What is no URL of a service elsewhere."""
    with pytest.raises(SettingsError, match="the secret of the receiver apprise is not one URL") as raised:
        receiver(secret)
    assert PASSWORD not in everything_said(raised.value)


OPEN = ("json://192.0.2.1/x", "ntfy://192.0.2.1/x", "jsons://192.0.2.1/x?verify=no", "jsons://192.0.2.1/x?redirect=yes")


@pytest.mark.parametrize("url", OPEN)
def test_nothing_is_sent_where_others_can_read_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TLS, without a look at the certificate, or wherever the service points to."""
    asked: list[object] = []
    monkeypatch.setattr("socket.getaddrinfo", lambda *place, **_: asked.append(place))
    with pytest.raises(ApiError, match="others could read"):
        receiver(url).send(routed())
    assert asked == []


CLOSED = (
    *("jsons://192.0.2.1/x", "mailto://user:x@gmail.com", "discord://1234567890/abcdefgh"),
    "tgram://123456789:abcdefg_hijklmnop/12315544/",
)


@pytest.mark.parametrize("url", CLOSED)
def test_what_encrypts_is_sent(url: str) -> None:
    """By the form of its URL, or because the service has no other."""
    library: Any = import_module("apprise")
    service = library.Apprise.instantiate(url, asset=library.AppriseAsset(http_redirects=False))
    assert service
    assert is_private(url, service)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    """Whoever has the service does not choose who else is asked: not this machine, and no metadata server."""
    with web_service() as inside:
        moved = Says(status, headers={"Location": f"{inside.url}/"})
        with web_service(lambda _: moved) as service, pytest.raises(ApiError, match="did not take it"):
            receiver(address(service.url)).send(routed())
    assert (len(service.posted), inside.posted) == (1, [])


def test_a_service_that_apprise_does_not_know_is_not_taken() -> None:
    """It is known with the first notice alone: the library is loaded then."""
    with pytest.raises(ApiError, match="did not take it"):
        receiver("nosuchservice://s3cr3t-t0pic").send(routed())
