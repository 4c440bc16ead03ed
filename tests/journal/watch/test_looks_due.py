"""When a case is looked at: some moments after its last change, while nobody works on it or has spoken on it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import CaseRecord, PersonsWord, WordKind
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.step import Step
from scc_responder.journal.watch.looks_due import ASKED_AGAIN, MOST_UNREAD, due_at, looked, scheduled, watched_steps
from scc_responder.journal.watch.watch import KEEP_LOOKS, Look

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
LOOKS = (timedelta(minutes=1), timedelta(minutes=5), timedelta(hours=1), timedelta(hours=24))
POLICY = {"change": "create_network_policy"}
CORDON = {"change": "patch", "kind": "Node"}
MARK = {"change": "patch", "kind": "Pod"}


def step(change: dict[str, Any], *, after: int = 0, uid: str = "u1", status: StepStatus = StepStatus.DONE) -> Step:
    """A step that was settled `after` seconds after noon."""
    settled = NOON + timedelta(seconds=after)
    name = f"{change['change']}{change.get('kind')}{uid}"
    return Step(action_id=name, change=change, expected_uid=uid, status=status, settled_at=settled, epoch=1)


def case(*steps: Step, **fields: Any) -> CaseRecord:
    """A closed case with these steps."""
    values = {"finding_key": "0a" * 32, "finding_name": "f", "event_time": NOON, "digest": "d", **fields}
    return CaseRecord(**{"state": CaseState.DONE, "steps": steps, **values})


def due_after(record: CaseRecord, now: datetime = NOON) -> timedelta | None:
    """How long after noon a case that is stored now is looked at."""
    due = due_at(scheduled(record, LOOKS, now))
    return due - NOON if due else None


WATCHED = {
    "isolated": ([step(POLICY)], 60),
    "not enforced there": ([step(POLICY, status=StepStatus.NOT_EFFECTIVE)], 60),
    "cordoned": ([step(CORDON)], 60),
    "deleted": ([step({"change": "delete_pod"})], 60),
    "on Cloud Run": ([step({"change": "shift_traffic", "uid": "s1"}, uid="s1")], 60),
    "a job's execution": ([step({"change": "cancel_execution", "uid": "j1"}, uid="e1")], 60),
    "the last change counts": ([step(POLICY), step(CORDON, after=30, uid="n1")], 90),
    "taken back by a person": (
        [step(POLICY), replace(step(POLICY, after=9, uid="back"), undoes=step(POLICY).name)],
        None,
    ),
    "only marked": ([step(MARK)], None),
    "only rehearsed": ([step(POLICY, status=StepStatus.DRY_RUN)], None),
    "held": ([step(POLICY, status=StepStatus.HELD)], None),
    "unknown to this version": ([step({"change": "later_kind"})], None),
    "nothing done": ([], None),
}


@pytest.mark.parametrize(("steps", "after"), WATCHED.values(), ids=WATCHED)
def test_what_was_contained_is_looked_at(steps: list[Step], after: int | None) -> None:
    """A minute after the last change that is to last; what changed nothing, or marked only, is not."""
    assert due_after(case(*steps)) == (None if after is None else timedelta(seconds=after))


def test_each_look_is_followed_by_the_next() -> None:
    """Until none is left. One that comes late stands for those that it missed."""
    record, due = scheduled(case(step(POLICY)), LOOKS, NOON), []
    while moment := due_at(record):
        due.append(moment - NOON)
        record = looked(record, Look(at=moment), LOOKS)
    assert tuple(due) == LOOKS
    late = looked(scheduled(case(step(POLICY)), LOOKS, NOON), Look(at=NOON + timedelta(minutes=7)), LOOKS)
    assert due_at(late) == NOON + timedelta(hours=1)


def test_a_newer_change_begins_anew() -> None:
    """What was put back is looked at a minute later, and what was seen before is kept."""
    record = looked(scheduled(case(step(POLICY)), LOOKS, NOON), Look(at=NOON, gone=("isolate_pod: x",)), LOOKS)
    again = scheduled(replace(record, steps=(step(POLICY, after=600),)), LOOKS, NOON + timedelta(seconds=601))
    assert due_at(again) == NOON + timedelta(seconds=660)
    assert again.watch is not None
    assert [look.gone for look in again.watch.looks] == [("isolate_pod: x",)]
    assert scheduled(again, LOOKS, NOON + timedelta(days=2)) == again


@pytest.mark.parametrize(
    "change",
    [
        {"owner": "0123456789abcdef"},
        {"word": PersonsWord(kind=WordKind.REJECTED, by="a@example.com", at=NOON, digest="d")},
    ],
    ids=["worked-on", "a-person-spoke"],
)
def test_some_cases_are_not_looked_at(change: dict[str, Any]) -> None:
    """One that is worked on is looked at afterwards; one that a person spoke on no more."""
    record = scheduled(case(step(POLICY)), LOOKS, NOON)
    assert due_at(replace(record, **change)) is None
    assert due_after(case(step(POLICY), **change)) is None


def test_no_schedule_is_no_look() -> None:
    """Where settings say `never`, and for a case of an earlier version that is older than all looks."""
    assert due_at(scheduled(case(step(POLICY)), (), NOON)) is None
    assert due_after(case(step(POLICY)), NOON + timedelta(days=2)) is None


def test_a_look_that_was_not_made_is_made_again() -> None:
    """Every five minutes for an hour, also after the last moment; then the next moment is waited for."""
    unread, record = 0, scheduled(case(step(POLICY)), LOOKS[3:], NOON)
    while due := due_at(record):
        record = looked(record, Look(at=due, unread="timeout"), LOOKS[3:])
        unread += 1
        assert due_at(record) in {due + ASKED_AGAIN, None}
    assert unread == MOST_UNREAD
    early = looked(scheduled(case(step(POLICY)), LOOKS, NOON), Look(at=NOON, unread="timeout"), LOOKS)
    assert due_at(early) == NOON + LOOKS[0]


def test_the_looks_of_a_case_are_bounded() -> None:
    """The last ones are kept, and come back from the store as they went."""
    record = scheduled(case(step(POLICY)), LOOKS, NOON)
    for number in range(KEEP_LOOKS + 3):
        record = looked(record, Look(at=NOON + timedelta(seconds=number)), LOOKS)
    stored = decode(encode(record))
    assert stored.watch == record.watch
    assert stored.watch is not None
    assert (len(stored.watch.looks), stored.watch.looks[0].at) == (KEEP_LOOKS, NOON + timedelta(seconds=3))


def test_only_the_last_pod_and_node_are_looked_at() -> None:
    """A look makes a bounded number of requests, however often the pod was made anew."""
    older, newer = step(POLICY), step(POLICY, after=600, uid="u2")
    node = step(CORDON, after=300, uid="n1")
    assert watched_steps(case(older, newer, node)) == (newer, node)


def test_all_that_was_done_to_one_service_is_looked_at() -> None:
    """A deletion of its revision is bound to that, and belongs to the service; another service does not."""
    shift = step({"change": "shift_traffic", "uid": "s1"}, uid="s1")
    deletion = step({"change": "delete_revision", "uid": "s1"}, after=60, uid="r2")
    before = step({"change": "shift_traffic", "uid": "s0"}, after=-60, uid="s0")
    assert watched_steps(case(before, shift, deletion)) == (shift, deletion)
