"""Held targets are counted over sweeps and instances, as long as their cases stand so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import CasStore
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.pipeline.again.held_targets import HELD_TARGETS, MOST_HELD_KEPT, held_targets
from tests.journal.again.test_reopening import HELD, closed
from tests.kits.journal_worlds import FaultyStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "store.db")
    yield opened
    opened.close()


def put(store: CasStore, number: int, *, is_held: bool = True) -> tuple[str, str]:
    """A case whose target is held, or not any more; the target and the case's key."""
    record = replace(closed(replace(HELD, expected_uid=f"uid-{number}")), finding_key=f"{number:064x}")
    record = record if is_held else replace(record, state=CaseState.DONE, steps=())
    key = f"case/{record.finding_key}"
    entry = store.get(key)
    if entry:
        store.replace(key, encode(record), entry.version)
    else:
        store.create(key, encode(record))
    return f"uid-{number}", record.finding_key


def holds(record: CaseRecord, target: str) -> bool:
    return any(step.expected_uid == target for step in record.steps)


def found(store: CasStore, *met: tuple[str, str], most: int = 2) -> dict[str, str] | None:
    return held_targets(store, "contain/namespace/shop", dict(met), most, holds)


def test_what_each_sweep_met_counts_together(store: SqliteStore) -> None:
    """One of them meets one target only, and knows of the others."""
    pairs = [put(store, number) for number in range(3)]
    assert [len(found(store, pair) or {}) for pair in pairs] == [1, 2, 3]
    assert found(store) == dict(pairs)


def test_what_is_held_no_more_does_not_count(store: SqliteStore) -> None:
    """Its case is read once it matters; one that is gone does not count, one that cannot be read does."""
    pairs = [put(store, number) for number in range(4)]
    found(store, *pairs)
    put(store, 0, is_held=False)
    entry = store.get(f"case/{pairs[1][1]}")
    assert entry is not None
    store.delete(entry.key, entry.version)
    entry = store.get(f"case/{pairs[2][1]}")
    assert entry is not None
    store.replace(entry.key, b"{", entry.version)
    assert found(store, pairs[3]) == dict([pairs[3], pairs[2]])


@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"targets": {"a": 1}}', b"\xff"])
def test_a_damaged_document_is_made_anew(store: SqliteStore, value: bytes) -> None:
    """By the next sweep, with what it met."""
    pair = put(store, 1)
    found(store, pair)
    (entry,) = store.scan(HELD_TARGETS).entries
    store.replace(entry.key, value, entry.version)
    assert found(store, pair) == dict([pair])
    assert found(store) == dict([pair])


def test_the_document_is_bounded(store: SqliteStore) -> None:
    """More than any limit is all that it has to know."""
    many = [(f"uid-{number}", f"{number:064x}") for number in range(MOST_HELD_KEPT + 9)]
    assert len(found(store, *many) or {}) == MOST_HELD_KEPT


def test_as_many_as_are_known_can_be_read_again(store: SqliteStore) -> None:
    """A storm holds more cases than a store gives in one request: once most went on, the rest still counts."""
    pairs = [put(store, number) for number in range(MOST_HELD_KEPT)]
    found(store, *pairs)
    for number in range(2, MOST_HELD_KEPT):
        put(store, number, is_held=False)
    assert found(store, pairs[0]) == dict(pairs[:2])


def test_an_endless_contest_counts_as_too_many(store: SqliteStore) -> None:
    """Where every write comes too late nobody knows how many there are."""
    contested: Any = FaultyStore(store)
    number = 0

    def another_sweep() -> None:
        nonlocal number
        number += 1
        found(store, put(store, number))
        contested.meanwhile = another_sweep

    contested.meanwhile = another_sweep
    assert found(contested, put(store, 99)) is None


@given(st.lists(st.sets(st.integers(0, 6), min_size=1, max_size=3), min_size=1, max_size=8))
def test_no_sweep_takes_less_for_more(tmp_path_factory: pytest.TempPathFactory, met: list[set[int]]) -> None:
    """However the cases fall to sweeps: each knows of all that any of them met, as all are held still."""
    store = SqliteStore(tmp_path_factory.mktemp("held") / "store.db")
    known: set[int] = set()
    for numbers in met:
        known |= numbers
        pairs = [put(store, number) for number in numbers]
        assert (found(store, *pairs) or {}).keys() == {f"uid-{number}" for number in known}
    store.close()
