"""Whom a project names for security: asked once an hour, within a second, and what is no answer says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from socket import create_server
from threading import Barrier
from time import monotonic

import pytest

from scc_responder.adapters.google.essential_contacts import (
    CONTACTS_KEPT,
    CONTACTS_UNKNOWN,
    EssentialContacts,
)
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.contacts_server import ContactsServer
from tests.kits.notices import SetClock

PROJECT = "example-project"


@pytest.fixture
def server() -> Iterator[ContactsServer]:
    """A server that names two contacts of a project for security, and others for other things."""
    with ContactsServer() as made:
        made.add(PROJECT, "security@example.com", "SECURITY", "TECHNICAL")
        made.add(PROJECT, "everything@example.com", "ALL")
        made.add(PROJECT, "billing@example.com", "BILLING")
        made.add(PROJECT, "gone@example.com", "SECURITY", validation="INVALID")
        made.add("other-project", "pat@example.com", "SECURITY", validation="")
        yield made


def contacts(server: ContactsServer, clock: SetClock | None = None) -> EssentialContacts:
    """The adapter, which asks this server."""
    return EssentialContacts(clock or SetClock(), endpoint=server.endpoint, token=lambda: "token-1")


def test_whom_a_project_names_for_security(server: ContactsServer) -> None:
    """Those who asked to be told of security, or of all; not whose address Google holds for a wrong one."""
    asked = contacts(server)
    assert asked.of(PROJECT) == ("security@example.com", "everything@example.com")
    assert asked.of("other-project") == ("pat@example.com",)
    assert asked.of("empty-project") == ()


def test_each_project_is_asked_once_an_hour(server: ContactsServer) -> None:
    """Whatever asks at the same moment, and for one that names nobody, too."""
    clock = SetClock()
    asked = contacts(server, clock)
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(asked.of, [PROJECT, "empty-project"] * 8)]
    assert set(found) == {("security@example.com", "everything@example.com"), ()}
    assert sorted(server.asked) == ["empty-project", PROJECT]
    clock.move(seconds=(CONTACTS_KEPT - timedelta(seconds=1)).total_seconds())
    server.add(PROJECT, "new@example.com", "SECURITY")
    assert "new@example.com" not in asked.of(PROJECT)
    clock.move(seconds=1)
    assert "new@example.com" in asked.of(PROJECT)
    assert len(server.asked) == 3


def test_nobody_waits_for_the_answer_about_another_project(server: ContactsServer) -> None:
    """Both are asked about at the same moment: a storm over many projects costs each a second at most."""
    both = Barrier(2)

    def token() -> str:
        both.wait(10)
        return "token-1"

    asked = EssentialContacts(SetClock(), endpoint=server.endpoint, token=token)
    with ThreadPoolExecutor(2) as pool:
        assert [*pool.map(asked.of, [PROJECT, "empty-project"])] == [
            ("security@example.com", "everything@example.com"),
            (),
        ]


@pytest.mark.parametrize(
    ("befall", "reason", "status", "permission"),
    [
        (lambda server: server.answers.append(403), "permission_denied", 403, "essentialcontacts.contacts.list"),
        (lambda server: server.answers.append(404), "not_found", 404, ""),
        (lambda server: server.answers.append(503), "status_503", 503, ""),
        (lambda server: server.answers.append(302), "status_302", 302, ""),
        (lambda server: server.answers.append(b"<html>"), "unusable_answer", 200, ""),
        (lambda server: server.answers.append(b'{"contacts": 3}'), "unusable_answer", 200, ""),
        (lambda server: server.answers.append(b" " * (EssentialContacts.most_bytes + 1)), "too_large", 200, ""),
        (lambda server: setattr(server, "token", "other"), "unauthenticated", 401, ""),
    ],
)
def test_what_is_no_answer_says_why_once(
    server: ContactsServer, befall: Callable[[ContactsServer], None], reason: str, status: int, permission: str
) -> None:
    """Then nobody is known for some minutes, and nobody waits again for what failed."""
    clock = SetClock()
    asked = contacts(server, clock)
    befall(server)
    with pytest.raises(ApiError) as caught:
        asked.of(PROJECT)
    told = (caught.value.reason, caught.value.status, caught.value.permission)
    assert told == (f"essential_contacts_{reason}", status, permission)
    assert (asked.of(PROJECT), len(server.asked)) == ((), 1)
    server.token = "token-1"
    clock.move(seconds=CONTACTS_UNKNOWN.total_seconds())
    assert asked.of(PROJECT) == ("security@example.com", "everything@example.com")


def test_who_never_answers_costs_a_second() -> None:
    """From the request to the last byte."""
    with create_server(("127.0.0.1", 0)) as silent:
        endpoint = f"127.0.0.1:{silent.getsockname()[1]}"
        asked = EssentialContacts(SetClock(), endpoint=endpoint, token=lambda: "token-1")
        began = monotonic()
        with pytest.raises(ApiError, match="no answer"):
            asked.of(PROJECT)
        assert 0.9 <= monotonic() - began < 5.0


def test_only_this_machine_may_stand_in_for_contacts() -> None:
    """A token goes to Google, or nowhere."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_CONTACTS_ENDPOINT"):
        EssentialContacts(SetClock(), endpoint="203.0.113.7:80")
