"""Which closed cases a sweep may have to go on with, since no message will. Pure."""

from __future__ import annotations

from scc_responder.actions import actions
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import UNTOLD, CaseRecord, is_held_for_now
from scc_responder.journal.plan import PlanState
from scc_responder.journal.step import Step


def held_by_time(record: CaseRecord) -> tuple[Step, ...]:
    """The steps of a closed case that a limit or the breaker held, and that can be undone, or were approved."""
    if record.state not in {CaseState.HELD, CaseState.PARTIAL}:
        return ()
    approved = record.plan is not None and record.plan.state in {PlanState.APPROVED, PlanState.USED}
    held = (step for step in record.current_steps if step.status is StepStatus.HELD)
    passing = (step for step in held if (reason := Reason.read(step.reason)) and reason.passes)
    return tuple(
        step for step in passing if approved or (step.action in actions() and actions()[step.action].reversible)
    )


def is_held_by_time(record: CaseRecord) -> bool:
    """Whether a sweep may go on with the closed case by itself, while its finding is young enough.

    A limit or the breaker held it, no way led to its cluster, or its finding was not listed. A person's word ends that.
    """
    reason = Reason.read(record.reason)
    unreached = record.state is CaseState.HELD and reason is not None and reason.is_beyond_reach
    unlisted = record.state is CaseState.REJECTED and reason is Reason.UNKNOWN_FINDING
    return record.word is None and (unreached or unlisted or bool(held_by_time(record)))


def is_unfinished(record: CaseRecord) -> bool:
    """Whether a sweep may have to resume the case, since no message will.

    That is a case that is open (its process may have ended), one whose plan may expire, one of which a person asks
    something, one whose plan's end nobody was told of, and one that the kill switch, its cluster or time alone holds.
    """
    if record.request is not None or record.owner == UNTOLD:
        return True
    if record.state is CaseState.WAITING:
        return record.plan is not None and record.plan.state is PlanState.WAITING
    return record.state is CaseState.OPEN or is_held_for_now(record) or is_held_by_time(record)
