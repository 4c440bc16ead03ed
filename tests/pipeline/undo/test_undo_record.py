"""What an undo writes into a case, and that nothing goes on with it by itself then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus, done, undo_refused
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.plan import PersonsRequest, Plan, PlanState, RequestKind
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.pipeline.undo.undo_record import (
    opening_ended,
    release_begun,
    undo_begun,
    undo_digest,
    undo_ended,
    undo_step,
    waits_for_sweep,
)

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
CHANGE = PatchObject(kind="Pod", namespace="shop", name="web-1", uid="u1", labels={"scc-responder/a": "b"})
MADE = Step(
    action_id="id", action="label_pod", status=StepStatus.DONE, change=stored(CHANGE), expected_uid="u1", epoch=1
)


def case(**fields: Any) -> CaseRecord:
    known = {"state": CaseState.DONE, "steps": (MADE,), "epoch": 3, **fields}
    return CaseRecord(finding_key="aaaa", finding_name="f", event_time=NOW, digest="d", **known)


def begun(record: CaseRecord, *, is_held: bool = False) -> Any:
    step = undo_step(record, MADE, inverse_of(CHANGE), NOW)
    return undo_begun(record, [step], NOW, by="ann", said="a load test", is_held=is_held)


@pytest.mark.parametrize(
    "other",
    [
        {"steps": ()},
        {"steps": (replace(MADE, status=StepStatus.HELD),)},
        {"steps": (replace(MADE, change={**MADE.change, "name": "web-2"}),)},
        {"steps": (MADE, replace(MADE, undoes=MADE.name))},
        {"request": PersonsRequest(kind=RequestKind.TRY, at=NOW, state=CaseState.DONE, reason="r")},
    ],
)
def test_what_is_shown_has_a_digest(other: dict[str, Any]) -> None:
    """Any step more, less or other, and an opening, are another; what else is written into the case is not."""
    shown = undo_digest(case())
    assert undo_digest(case(**other)) != shown
    assert undo_digest(replace(case(), finding_key="bbbb")) != shown
    assert undo_digest(decode(encode(case(epoch=9)))) == shown


def test_word_and_intent_are_one_write() -> None:
    """The step bears the name of its action, and of the step that it takes back; an id of its own."""
    record = begun(case()).record
    assert record is not None
    step = record.steps[-1]
    assert (step.action, step.undoes, step.status, step.epoch) == ("label_pod", "id/0", StepStatus.INTENT, 3)
    assert step.action_id != MADE.action_id
    assert step.change["change"] == "release_object"
    assert (record.word.kind, record.word.by, record.state) == (WordKind.UNDONE, "ann", CaseState.DONE)
    stored_again = decode(encode(record))
    assert (stored_again.schema, replace(stored_again, schema=record.schema)) == (2, record)


@pytest.mark.parametrize("state", [CaseState.OPEN, CaseState.WAITING])
def test_no_sweep_goes_on_with_it(state: CaseState) -> None:
    """A case that was unfinished comes to its end; a plan that waits is void."""
    plan = Plan(
        digest="d" * 64, created_at=NOW, expires_at=NOW + timedelta(hours=1), needed=1, steps=(), policy_digest=""
    )
    record = begun(case(state=state, plan=plan, owner="")).record
    assert not is_unfinished(record)
    assert record.state in {CaseState.DONE, CaseState.PARTIAL}
    assert (record.plan.state, record.plan.by) == (PlanState.VOID, "ann")


def test_a_case_that_is_worked_on_is_refused() -> None:
    """Nothing is written."""
    refused = begun(case(), is_held=True)
    assert (refused.reason, refused.record) == ("case_in_progress", None)


@pytest.mark.parametrize("result", [done(Reason.UNDONE), undo_refused("changed")])
def test_the_outcome_takes_the_place_of_the_intent(result: Any) -> None:
    """One step for each step that is taken back, however often it is tried."""
    record = begun(case()).record
    outcome = undo_step(record, MADE, inverse_of(CHANGE), NOW, result)
    ended = undo_ended(record, [outcome], result.reason).record
    assert (record.reason, ended.reason) == ("undone", result.reason)
    assert len(ended.steps) == 2
    assert (ended.steps[-1].status, ended.steps[-1].reason) == (result.status, result.reason)
    assert replace(ended.steps[-1], status=StepStatus.INTENT, reason="", detail="", settled_at=None) == record.steps[-1]


def test_what_has_a_time_of_its_own_ends_without_a_word() -> None:
    """The case has the intent, and stands as before; one that a delivery works on is refused."""
    record = case(reason="planned")
    step = undo_step(record, MADE, inverse_of(CHANGE), NOW)
    released = release_begun(record, [step], is_held=False).record
    assert released is not None
    assert (released.word, released.state, released.reason) == (None, CaseState.DONE, "planned")
    assert released.steps[-1].undoes == MADE.name
    assert release_begun(record, [step], is_held=True).reason == "case_in_progress"


REQUEST = PersonsRequest(kind=RequestKind.TRY, at=NOW, state=CaseState.HELD, reason="limit_owner", closed_at=NOW)
OPENED = {"state": CaseState.OPEN, "reason": Reason.RESUMED_BY_PERSON, "request": REQUEST}


@pytest.mark.parametrize("state", [CaseState.HELD, CaseState.REHEARSED, CaseState.PARTIAL])
def test_an_opening_is_taken_back_before_a_sweep_takes_it(state: CaseState) -> None:
    """The case has the person's word, and is as it had ended: no sweep goes on with it, and it has all its steps."""
    opened = case(**{**OPENED, "request": replace(REQUEST, state=state)}, steps=(MADE,))
    assert waits_for_sweep(opened)
    ended = opening_ended(opened, NOW, by="ann", said="a slip", is_held=False).record
    assert ended is not None
    assert ended.word is not None
    assert (ended.state, ended.reason, ended.word.kind, ended.word.said) == (state, "undone", "undone", "a slip")
    assert ended.steps == opened.steps
    assert not is_unfinished(ended)


@pytest.mark.parametrize(
    ("fields", "is_held", "reason"),
    [
        (OPENED, True, "case_in_progress"),
        ({"state": CaseState.HELD}, False, "nothing_to_undo"),
        ({**OPENED, "request": None}, False, "nothing_to_undo"),
    ],
    ids=["a-sweep-has-it", "a-sweep-had-it", "open-by-itself"],
)
def test_an_opening_that_a_sweep_took_is_not_taken_back(fields: dict[str, Any], is_held: bool, reason: str) -> None:
    """Nothing is written."""
    refused = opening_ended(case(**fields), NOW, by="ann", said="", is_held=is_held)
    assert (refused.reason, refused.record) == (reason, None)
