"""A plan that will not be carried out, and its steps."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.journal.again.withdrawn_plan import withdrawn
from scc_responder.journal.plan import PlanState
from tests.journal.again.test_reopening import HELD, LABEL, PLAN, closed
from tests.kits.journal_worlds import START

WAITING = replace(HELD, status=StepStatus.WAITING, reason="waiting_for_approval")


def test_what_waited_is_held_and_says_who_ended_it() -> None:
    """What is done stays done."""
    record = withdrawn(
        closed(LABEL, WAITING, plan=PLAN), PlanState.VOID, Reason.UNDONE, START, by="ann", said="a load test"
    )
    assert record.plan is not None
    assert (record.plan.state, record.plan.reason, record.plan.by) == (PlanState.VOID, "undone", "ann")
    assert [(step.status, step.reason, step.detail) for step in record.steps] == [
        (LABEL.status, LABEL.reason, LABEL.detail),
        ("held", "undone", "ann: a load test"),
    ]


def test_a_case_without_a_plan_is_as_it_was() -> None:
    """Nothing waits there."""
    record = closed(WAITING)
    assert withdrawn(record, PlanState.VOID, Reason.UNDONE, START) == record
