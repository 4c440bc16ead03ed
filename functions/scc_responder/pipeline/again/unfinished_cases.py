"""What of an unfinished case is left to sweeps alone, when that is due, and what a message comes again for. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import Entry
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import PlanState
from scc_responder.journal.step import FOR_SWEEP

_SOON = frozenset({Reason.RESUMED_BY_PERSON, Reason.RECONCILING, Reason.SERVICE_CHANGED, Reason.SERVICE_DEPLOYED})
"""Why a case is open that the next sweep resumes: perhaps no message comes again for it."""
_BEGUN = frozenset({PlanState.APPROVED, PlanState.USED})
"""Plans that a person's request began, for which no message comes: the next sweep goes on with what it left open."""


def awaits(record: CaseRecord) -> bool:
    """Whether what is left to do is for sweeps alone, now or while a person's answer is waited for."""
    left_open = record.state is CaseState.OPEN and not record.owner and record.reason in FOR_SWEEP
    return left_open or (record.state is CaseState.WAITING and any(step.comes_again for step in record.steps))


def comes_soon(record: CaseRecord) -> bool:
    """Whether an open case is not left to a message first: perhaps none comes again for it."""
    return record.reason in _SOON or (record.plan is not None and record.plan.state in _BEGUN)


def is_all_due(record: CaseRecord, now: datetime) -> bool:
    """Whether all that is left to do is due."""
    return all(step.due_at is None or now >= step.due_at for step in record.steps if step.comes_again)


def idle(entry: Entry) -> timedelta:
    """How long nothing was written, by the store's own clock; the longest time if it cannot tell."""
    return entry.server_time - entry.update_time if entry.update_time else timedelta.max
