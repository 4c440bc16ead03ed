"""Firestore unreachable, slow, or answering after the commit: each operation tells what is known, and in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.errors import AlreadyExists, Conflict, StoreError, StoreOutcomeUnknown, StoreUnavailable
from scc_responder.domain.store import CasStore, Entry
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.google.firestore_faults import (
    CallFault,
    ConnectionFault,
    Cut,
    FaultyConnections,
    FaultyFirestore,
    Lose,
    Refuse,
    Reset,
    Silence,
    Stall,
)
from tests.kits.store_conformance import read

Code = grpc.StatusCode
PATIENT = {"deadline_seconds": 30.0, "try_seconds": 1.0}
HASTY = {"deadline_seconds": 1.2, "try_seconds": 0.4}
BRIEF = {"deadline_seconds": 0.6, "try_seconds": 0.2}
"""Where no answer comes at all: how fast this machine is changes nothing then."""
FIRM = {"deadline_seconds": 4.0, "try_seconds": 0.4}
MANY = range(1, 200)
DUE_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Operation:
    """One operation: `ask` does it, given what is stored under `key`; `done` says whether that is to be seen."""

    ask: Callable[[CasStore, Entry], Any]
    done: Callable[[CasStore], bool]
    writes: bool = True


OPERATIONS = {
    "get": Operation(lambda store, _: store.get("key"), lambda _: False, writes=False),
    "get_many": Operation(lambda store, _: store.get_many(["none", "key"]), lambda _: False, writes=False),
    "scan": Operation(lambda store, _: store.scan("key"), lambda _: False, writes=False),
    "scan_unfinished": Operation(lambda store, _: store.scan("key", unfinished=True), lambda _: False, writes=False),
    "scan_due": Operation(lambda store, _: store.scan_due(DUE_AT), lambda _: False, writes=False),
    "create": Operation(lambda store, _: store.create("new", b"new"), lambda store: store.get("new") is not None),
    "replace": Operation(
        lambda store, seen: store.replace("key", b"new", seen.version), lambda store: read(store, "key").value == b"new"
    ),
    "delete": Operation(lambda store, seen: store.delete("key", seen.version), lambda store: store.get("key") is None),
}
PUTS = {name: OPERATIONS[name] for name in ("create", "replace")}
CALL_FAULTS: dict[str, CallFault] = {
    "unavailable": Refuse(),
    "internal": Refuse(Code.INTERNAL),
    "unknown": Refuse(Code.UNKNOWN),
    "cancelled": Refuse(Code.CANCELLED),
    "stalled": Stall(),
    "stalled after the commit": Stall(forward=True),
    "unavailable after the commit": Lose(),
    "deadline exceeded after the commit": Lose(Code.DEADLINE_EXCEEDED),
    "its stream reset": Cut(),
}
CERTAIN: dict[str, CallFault] = {
    "contended": Refuse(Code.ABORTED),
    "over quota": Refuse(Code.RESOURCE_EXHAUSTED),
}
CONNECTION_FAULTS: dict[str, ConnectionFault] = {
    "reset": Reset(),
    "reset in mid-answer": Reset(forward=True),
    "silent": Silence(),
}


@dataclass
class Scene:
    """A store with one entry, as seen directly, and ways to it that are not to be relied on."""

    host: str
    direct: FirestoreStore
    seen: Entry
    address: str
    stack: ExitStack

    def faulty(self, script: Any, **bounds: float) -> tuple[FirestoreStore, FaultyFirestore]:
        """A store whose calls fail by a script, and the proxy that sees to it."""
        proxy = self.stack.enter_context(FaultyFirestore(self.host, script))
        return self.opened(proxy.host, **bounds), proxy

    def unreliable(self, script: Any, **bounds: float) -> tuple[FirestoreStore, FaultyConnections]:
        """A store whose connections fail by a script, and the proxy that sees to it."""
        proxy = self.stack.enter_context(FaultyConnections(self.host, script))
        return self.opened(proxy.host, **bounds), proxy

    def opened(self, host: str, **bounds: float) -> FirestoreStore:
        """The store by another way."""
        store = FirestoreStore(self.address, emulator=host, **(bounds or PATIENT))  # type: ignore[arg-type]
        self.stack.callback(store.close)
        return store


@pytest.fixture
def scene(firestore: FirestoreEmulator) -> Iterator[Scene]:
    address = firestore.address()
    direct = Opened(firestore.host, address)()
    with ExitStack() as stack:
        stack.callback(direct.close)
        yield Scene(
            firestore.host, direct, direct.create("key", b"old", unfinished=True, due_at=DUE_AT), address, stack
        )


def caught(call: Callable[[], object]) -> StoreError:
    """How a call fails, which it must, and soon after its deadline at the latest."""
    start = time.monotonic()
    with pytest.raises(StoreError) as failed:
        call()
    assert time.monotonic() - start < HASTY["deadline_seconds"] + 2
    return failed.value


def assert_told_as_it_is(operation: Operation, error: StoreError) -> None:
    """Without an answer a read is unavailable, and of a write it is said that it may have been stored."""
    if operation.writes:
        assert (type(error), error.reason) == (StoreOutcomeUnknown, "store_outcome_unknown")
    else:
        assert (type(error), error.reason) == (StoreUnavailable, "store_unavailable")


@pytest.mark.parametrize("fault", CALL_FAULTS.values(), ids=CALL_FAULTS)
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "delete"])
def test_one_call_that_fails_is_made_up_for(scene: Scene, name: str, fault: CallFault) -> None:
    """The caller sees the answer, and what was written was written once."""
    operation = OPERATIONS[name]
    store, proxy = scene.faulty({1: fault})
    answer = operation.ask(store, scene.seen)
    assert len(proxy.calls) > 1
    assert operation.done(scene.direct) == operation.writes
    if operation.writes:
        stored = read(scene.direct, answer.key)
        assert (stored.value, stored.version, stored.update_time) == (answer.value, answer.version, answer.update_time)
    else:
        read_from = {"get": lambda: answer, "get_many": lambda: answer[1], "scan_due": lambda: answer[0]}
        found = read_from.get(name, lambda: answer.entries[0])()
        assert (found.value, found.version) == (b"old", scene.seen.version)


@pytest.mark.parametrize("fault", CONNECTION_FAULTS.values(), ids=CONNECTION_FAULTS)
@pytest.mark.parametrize("name", [name for name in OPERATIONS if name != "delete"])
def test_a_connection_that_fails_is_made_up_for(scene: Scene, name: str, fault: ConnectionFault) -> None:
    """The next try has a connection of its own, also where the first is still open and silent."""
    operation = OPERATIONS[name]
    store, proxy = scene.unreliable({1: fault})
    waiting = store._opened()  # as another thread has it, that still waits for an answer
    operation.ask(store, scene.seen)
    assert proxy.connections > 1
    waiting.transport.close()
    assert operation.done(scene.direct) == operation.writes


@pytest.mark.parametrize("fault", CALL_FAULTS.values(), ids=CALL_FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_calls_that_fail_for_good_end_in_time(scene: Scene, name: str, fault: CallFault) -> None:
    """The last word is that of the store, and it comes when it was promised."""
    operation = OPERATIONS[name]
    store, _ = scene.faulty(lambda _number, _method: fault, **BRIEF)
    assert_told_as_it_is(operation, caught(lambda: operation.ask(store, scene.seen)))


@pytest.mark.parametrize("fault", CONNECTION_FAULTS.values(), ids=CONNECTION_FAULTS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_connections_that_fail_for_good_end_in_time(scene: Scene, name: str, fault: ConnectionFault) -> None:
    """So it is where there is no whole answer on any connection."""
    operation = OPERATIONS[name]
    store, _ = scene.unreliable(dict.fromkeys(MANY, fault), **BRIEF)
    assert_told_as_it_is(operation, caught(lambda: operation.ask(store, scene.seen)))


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_store_out_of_reach_is_unavailable_and_changes_nothing(scene: Scene, name: str) -> None:
    """Every connection is refused; when they are accepted again, the same store goes on."""
    operation = OPERATIONS[name]
    store, proxy = scene.unreliable({}, **BRIEF)
    proxy.refuses = True
    assert_told_as_it_is(operation, caught(lambda: operation.ask(store, scene.seen)))
    assert not operation.done(scene.direct)
    proxy.refuses = False
    again = scene.opened(proxy.host)
    operation.ask(again, scene.seen)
    assert operation.done(scene.direct) == operation.writes


def test_an_outage_is_over_for_the_store_when_it_is_over(scene: Scene) -> None:
    """The pauses between attempts to connect do not outlast the outage: the very next operation succeeds."""
    store, proxy = scene.unreliable({}, **FIRM)
    store.get("key")
    proxy.refuses = True
    proxy.script = dict.fromkeys(MANY, Reset())
    for _ in range(3):
        with pytest.raises(StoreError):
            store.get("key")
    proxy.refuses, proxy.script = False, {}
    assert read(scene.opened(proxy.host), "key").value == b"old"
    assert read(store, "key").value == b"old"


@pytest.mark.parametrize("fault", CERTAIN.values(), ids=CERTAIN)
@pytest.mark.parametrize("name", OPERATIONS)
def test_what_was_certainly_not_done_is_told_as_that(scene: Scene, name: str, fault: CallFault) -> None:
    """An answer that says no is tried again, and leaves nothing unknown."""
    operation = OPERATIONS[name]
    store, proxy = scene.faulty(lambda _number, _method: fault, **HASTY)
    assert type(caught(lambda: operation.ask(store, scene.seen))) is StoreUnavailable
    assert len(proxy.calls) > 1
    assert not operation.done(scene.direct)
    store, _ = scene.faulty({1: fault})
    operation.ask(store, scene.seen)
    assert operation.done(scene.direct) == operation.writes


PERMISSIONS = {
    "get": "datastore.entities.get",
    "get_many": "datastore.entities.get",
    "scan": "datastore.entities.list",
    "scan_unfinished": "datastore.entities.list",
    "scan_due": "datastore.entities.list",
    "create": "datastore.entities.create",
    "replace": "datastore.entities.update",
    "delete": "datastore.entities.delete",
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_missing_permission_is_named_and_not_tried_again(scene: Scene, name: str) -> None:
    """A person who gets the role wrong reads which permission it lacks."""
    operation = OPERATIONS[name]
    store, proxy = scene.faulty(lambda _number, _method: Refuse(Code.PERMISSION_DENIED))
    error = caught(lambda: operation.ask(store, scene.seen))
    assert (type(error), len(proxy.calls)) == (StoreUnavailable, 1)
    assert f"missing permission: {PERMISSIONS[name]}" in str(error)


@pytest.mark.parametrize(
    "code", [Code.UNAUTHENTICATED, Code.INVALID_ARGUMENT, Code.UNIMPLEMENTED, Code.FAILED_PRECONDITION, Code.NOT_FOUND]
)
def test_a_database_that_cannot_be_used_is_no_missing_entry(scene: Scene, code: grpc.StatusCode) -> None:
    """No identity, no such database, one in Datastore mode: never "there is no such case", nor "it is taken"."""
    store, _ = scene.faulty(lambda _number, _method: Refuse(code))
    for name in ("get", "get_many", "scan", "scan_unfinished", "scan_due", "create"):
        error = caught(lambda name=name: OPERATIONS[name].ask(store, scene.seen))
        assert type(error) is StoreUnavailable
        assert f"firestore_{code.name.lower()}" in str(error)


def lost_then_taken(scene: Scene, name: str) -> Callable[[int, str], CallFault | None]:
    """The first commit's answer is lost, and another writer replaces what it wrote before it is tried again."""
    key = "new" if name == "create" else "key"

    def script(number: int, _method: str) -> CallFault | None:
        if number == 2:
            scene.direct.replace(key, b"another's", read(scene.direct, key).version)
        return Lose() if number == 1 else None

    return script


@pytest.mark.parametrize("name", PUTS)
def test_a_write_that_another_has_replaced_since_is_unknown(scene: Scene, name: str) -> None:
    """Neither "stored" nor "refused" would be true of it."""
    store, _ = scene.faulty(lost_then_taken(scene, name))
    assert type(caught(lambda: PUTS[name].ask(store, scene.seen))) is StoreOutcomeUnknown
    assert read(scene.direct, "new" if name == "create" else "key").value == b"another's"


@pytest.mark.parametrize("name", PUTS)
def test_a_write_that_cannot_be_looked_for_is_unknown(scene: Scene, name: str) -> None:
    """Its answer was lost, it was refused when tried again, and then nothing can be read any more."""
    store, _ = scene.faulty(
        lambda number, method: Lose() if number == 1 else Refuse() if method != "Commit" else None, **HASTY
    )
    assert type(caught(lambda: PUTS[name].ask(store, scene.seen))) is StoreOutcomeUnknown
    assert PUTS[name].done(scene.direct)


@pytest.mark.parametrize("fault", [None, Refuse(Code.ABORTED)], ids=["at once", "after contention"])
def test_a_refusal_is_a_refusal_where_nothing_is_unknown(scene: Scene, fault: CallFault | None) -> None:
    """Who came second is told so, also at a second try."""
    store, proxy = scene.faulty({1: fault})
    with pytest.raises(AlreadyExists):
        store.create("key", b"new")
    proxy.play({1: fault})
    newer = scene.direct.replace("key", b"newer", scene.seen.version)
    with pytest.raises(Conflict):
        store.replace("key", b"new", scene.seen.version)
    assert read(scene.direct, "key").version == newer.version


def test_a_deletion_whose_answer_was_lost_is_unknown(scene: Scene) -> None:
    """It cannot be told who removed what is not there."""
    store, _ = scene.faulty({1: Lose()})
    assert type(caught(lambda: store.delete("key", scene.seen.version))) is StoreOutcomeUnknown
    assert scene.direct.get("key") is None


def test_a_scan_cut_short_is_not_taken_for_the_whole(scene: Scene) -> None:
    """Of twenty entries the first came, and then no more: it is asked again."""
    for number in range(20):
        scene.direct.create(f"many/{number:02}", b"")
    store, proxy = scene.faulty({1: Cut()})
    assert len(store.scan("many/", limit=50).entries) == 20
    assert proxy.calls == ["RunQuery", "RunQuery"]


def test_an_answer_cut_short_is_not_taken_for_missing_entries(scene: Scene) -> None:
    """Of twenty entries the first came, and then no more: all of them are asked for again."""
    keys = [f"many/{number:02}" for number in range(20)]
    for key in keys:
        scene.direct.create(key, key.encode())
    store, proxy = scene.faulty({1: Cut()})
    assert [entry and entry.value for entry in store.get_many(keys)] == [key.encode() for key in keys]
    assert proxy.calls == ["BatchGetDocuments", "BatchGetDocuments"]


def test_the_library_repeats_nothing_by_itself(scene: Scene) -> None:
    """A dead store is given up at the deadline given here, not at one of Google's library."""
    store, proxy = scene.faulty(lambda _number, _method: Refuse(), deadline_seconds=0.1, try_seconds=0.1)
    start = time.monotonic()
    with pytest.raises(StoreUnavailable):
        store.get("key")
    assert len(proxy.calls) == 1
    assert time.monotonic() - start < 5
