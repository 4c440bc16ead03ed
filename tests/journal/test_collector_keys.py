"""The key of a case is made once, outlives a crash, and is destroyed once its log is sealed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import StoreUnavailable
from scc_responder.domain.finding import case_id
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.collector_keys import CaseCollector, drop_key
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import FaultyStore

CASE = "5401ff97f041"


@pytest.fixture
def store(tmp_path: Path) -> FaultyStore:
    """A store whose answers a test may lose."""
    return FaultyStore(SqliteStore(tmp_path / "store.db"))


def test_the_key_is_the_same_for_every_process(store: FaultyStore) -> None:
    """The process that resumes a case reads with the key that the first one put in."""
    first, second = CaseCollector(store, CASE, "image"), CaseCollector(store, CASE, "image")
    assert second.stored_key() is None
    assert first.private_key() == second.private_key() == second.stored_key()
    assert CaseCollector(store, "aaaaaaaaaaaa", "image").private_key() != first.private_key()


def test_a_lost_answer_loses_no_key(store: FaultyStore) -> None:
    """What was stored is what is used, whether or not its answer came."""
    store.fail = "after"
    collector = CaseCollector(store, CASE, "image")
    assert collector.private_key() == collector.stored_key()


def test_without_a_store_there_is_no_key(store: FaultyStore) -> None:
    """A key that may be lost is never used."""
    store.fail = "before"
    with pytest.raises(StoreUnavailable):
        CaseCollector(store, CASE, "image").private_key()


def test_a_destroyed_key_is_gone_from_the_store(store: FaultyStore) -> None:
    """The copy of the log elsewhere cannot be read then; a later container of the case has another key."""
    collector = CaseCollector(store, CASE, "image")
    key = collector.private_key()
    collector.destroy_key()
    entry = store.get(f"collector-key/{CASE}")
    assert collector.stored_key() is None
    assert entry is not None
    assert b"null" in entry.value or b"private" not in entry.value
    assert collector.private_key() not in {key, None}
    assert collector.private_key() == collector.stored_key()


def test_destroying_no_key_changes_nothing(store: FaultyStore) -> None:
    """A case that had no container has no entry either."""
    CaseCollector(store, CASE, "image").destroy_key()
    assert store.writes == 0


def step(action: str, change: str = "", status: StepStatus = StepStatus.DONE) -> Step:
    """A step of a case."""
    told = {"change": change} if change else {}
    return Step(action_id=action, action=action, change=told, status=status, epoch=1)


CUT = step("sever_connections", "sever_connections")
FROZE = step("freeze_process", "freeze_process", StepStatus.HELD)
CRASHED = step("inspect_container", "inspect_container", StepStatus.INTENT)


@pytest.mark.parametrize(
    ("steps", "is_dropped"),
    [
        pytest.param((CUT,), True, id="cut-without-a-look"),
        pytest.param((CUT, FROZE), True, id="whatever-came-of-it"),
        pytest.param((CUT, CRASHED), False, id="a-log-is-unread"),
        pytest.param((CUT, step("freeze_process", status=StepStatus.WAITING)), False, id="a-plan-reads-one"),
        pytest.param((CUT, step("delete_pod", status=StepStatus.WAITING)), True, id="a-plan-reads-none"),
        pytest.param((CUT, step("of_a_later_version", status=StepStatus.WAITING)), True, id="an-unknown-action"),
        pytest.param((step("label_pod", "patch_object"),), False, id="no-container-of-ours"),
    ],
)
def test_the_key_is_dropped_once_no_step_needs_it(
    store: FaultyStore, steps: tuple[Step, ...], is_dropped: bool
) -> None:
    """Not before: what is put in and unread is read with it by the next delivery."""
    record = CaseRecord(
        finding_key="f", finding_name="n", event_time=datetime(2026, 3, 2, tzinfo=UTC), digest="d", steps=steps
    )
    collector = CaseCollector(store, case_id("f"), "image")
    collector.private_key()
    drop_key(record, store)
    assert (collector.stored_key() is None) is is_dropped
    writes = store.writes
    drop_key(record, store)
    assert store.writes == writes


def test_a_silent_store_lets_go_of_the_key_by_itself(store: FaultyStore) -> None:
    """The case has ended: it does not fail for that."""
    record = CaseRecord(
        finding_key="f", finding_name="n", event_time=datetime(2026, 3, 2, tzinfo=UTC), digest="d", steps=(CUT,)
    )
    CaseCollector(store, case_id("f"), "image").private_key()
    store.fail = "before"
    drop_key(record, store)
