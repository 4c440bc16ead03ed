"""A plan that will not be carried out, and what becomes of the steps that waited by it. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import PlanState
from scc_responder.journal.step import Step


def withdrawn(
    record: CaseRecord, state: PlanState, reason: Reason, now: datetime, *, by: str = "", said: str = ""
) -> CaseRecord:
    """The record with its plan ended in `state`, and its waiting steps held for `reason`.

    `by` is who ended it, `said` their words.
    """
    if record.plan is None:
        return record
    plan = replace(record.plan, state=state, reason=reason, by=by, said=said)
    detail = ": ".join(part for part in (by, said) if part)
    return replace(record, plan=plan).with_steps(no_longer_waiting(record, reason, detail, now))


def no_longer_waiting(record: CaseRecord, reason: Reason, detail: str, now: datetime) -> tuple[Step, ...]:
    """The steps that waited, held for `reason`."""
    waiting = (step for step in record.steps if step.status is StepStatus.WAITING)
    return tuple(
        replace(step, status=StepStatus.HELD, reason=reason, detail=detail, settled_at=now) for step in waiting
    )
