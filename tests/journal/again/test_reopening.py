"""A closed case opened again: what of it is kept, and what is decided anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.reopening import (
    gone_on_with,
    opened_anew,
    stood,
    to_look_at,
    undone,
    undone_by_others,
)
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import Approval, Plan, PlanState
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START, finding

HOUR = timedelta(hours=1)
PATCH = stored(PatchObject(kind="Pod", name="web", namespace="shop", uid="uid", labels={"scc-responder/case": "a"}))
LABEL = Step(
    action_id="1", action="label_pod", status=StepStatus.DONE, reason="patched", expected_uid="uid", change=PATCH
)
LABEL = replace(LABEL, epoch=1, settled_at=START)
HELD = replace(LABEL, action_id="2", action="isolate_pod", status=StepStatus.HELD, reason="limit_owner")
EVIDENCE = replace(LABEL, action_id="3", action="capture_evidence", change=stored(CaptureEvidence()), expected_uid="")
PLAN = Plan(
    digest="d" * 64,
    policy_digest="p",
    steps=(),
    created_at=START,
    expires_at=START + 4 * HOUR,
    approvals=(Approval(by="a@example.com", at=START),),
)


def closed(*steps: Step, **fields: Any) -> CaseRecord:
    """A case that was claimed once and closed."""
    known = finding()
    return CaseRecord(
        finding_key=known.key,
        finding_name=known.name,
        event_time=known.event_time,
        digest="d",
        **{"state": CaseState.HELD, "reason": "held", "steps": steps, "closed_at": START} | fields,
    )


def claimed(record: CaseRecord) -> CaseRecord:
    """The case once a claim has taken it."""
    return replace(record, state=CaseState.OPEN, epoch=record.epoch + 1, attempts=record.attempts + 1)


def test_a_case_that_goes_on_decides_anew_what_was_not_made() -> None:
    """It stays one chapter: what was made and kept stays as it is, and nobody is told the same twice."""
    record = claimed(gone_on_with(closed(LABEL, HELD, EVIDENCE), START + HOUR))
    assert [step.action for step in record.current_steps] == ["label_pod", "capture_evidence"]
    assert (record.history, record.opened_epoch, record.opened_at) == ((), 2, START + HOUR)
    assert to_look_at(record) == (LABEL, EVIDENCE)
    assert [stood(record, step) for step in (LABEL, EVIDENCE)] == [False, True]
    assert stood(record.with_steps((replace(LABEL, epoch=2),)), replace(LABEL, epoch=2))


def test_a_case_opened_anew_has_a_chapter_of_its_own() -> None:
    """Messages and evidence are for each chapter, changes to an object are for all."""
    record = claimed(opened_anew(closed(LABEL, HELD, EVIDENCE), START + HOUR))
    assert [step.action for step in record.steps] == ["label_pod", "isolate_pod"]
    assert (record.current_steps, record.opened_epoch, len(record.history)) == ((), 2, 1)
    assert to_look_at(record) == (LABEL,)


def test_what_was_taken_back_stays_in_the_record() -> None:
    """Either way it is decided anew; what was done, by whom it was taken back and how is not lost."""
    undoing = replace(LABEL, action_id="9", undoes=LABEL.name, reason="undone", policy="")
    record = with_word(closed(LABEL, EVIDENCE, undoing), WordKind.UNDONE, "ann", START, "a load test")
    for opened in (gone_on_with(record, START + HOUR), opened_anew(record, START + HOUR)):
        (closing,) = decode(encode(claimed(opened))).history
        assert closing.taken_back == (LABEL, undoing)
        assert (closing.word and closing.word.said, opened.step(LABEL.action_id)) == ("a load test", None)
    again = gone_on_with(claimed(gone_on_with(record, START + HOUR)), START + 2 * HOUR)
    assert ([len(each.taken_back) for each in again.history], again.steps) == ([2], (EVIDENCE,))
    assert [step.action for step in claimed(again).current_steps] == ["capture_evidence"]


PLANS: list[Any] = [
    pytest.param(PlanState.WAITING, HOUR, True, True, id="it waits"),
    pytest.param(PlanState.APPROVED, HOUR, True, True, id="approved and not begun"),
    pytest.param(PlanState.USED, HOUR, False, True, id="begun"),
    pytest.param(PlanState.WAITING, 4 * HOUR, False, False, id="its time is over"),
    pytest.param(PlanState.USED, 4 * HOUR, False, False, id="begun, and its time is over"),
    pytest.param(PlanState.EXPIRED, HOUR, False, False, id="nobody answered"),
    pytest.param(PlanState.REJECTED, HOUR, False, False, id="rejected"),
]


@pytest.mark.parametrize(("state", "later", "anew", "on"), PLANS)
def test_a_plan_keeps_its_approvals(state: PlanState, later: timedelta, *, anew: bool, on: bool) -> None:
    """A plan that may still be carried out stays with its case; one that began is for the same content alone."""
    record = closed(plan=replace(PLAN, state=state))
    assert (opened_anew(record, START + later).plan is not None) == anew
    assert (gone_on_with(record, START + later).plan is not None) == on


def test_what_others_undo_is_put_back_twice_a_day() -> None:
    """The third time it is held, and told once; a day after the first time it is put back again."""
    record, now = closed(LABEL), START
    seen = []
    for hours in (1, 2, 3, 4, 26):
        now = START + hours * HOUR
        record = claimed(gone_on_with(replace(record, state=CaseState.DONE), now))
        record = undone(record, to_look_at(record), now)
        record = decode(encode(record))
        seen.append((*undone_by_others(record), len(record.undone)))
        if record.steps[0].reason == "undone_by_others":
            record = record.with_steps((replace(LABEL, epoch=record.epoch, settled_at=now),))
    put_back, fought = ("undone_by_others", True), "fought_over"
    assert seen == [(*put_back, 1), (*put_back, 2), (fought, True, 2), (fought, False, 2), (*put_back, 1)]


def test_what_is_put_back_needs_another_approval() -> None:
    """A plan that was carried out once is used up; a case of which nothing is undone keeps it."""
    record = claimed(gone_on_with(closed(LABEL, plan=replace(PLAN, state=PlanState.USED)), START + HOUR))
    assert undone(record, (), START + HOUR).plan is not None
    assert undone(record, (LABEL,), START + HOUR).plan is None
