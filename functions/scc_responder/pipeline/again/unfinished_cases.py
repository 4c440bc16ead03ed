"""Why a sweep goes on with an unfinished case, and when: what of it is left to sweeps, and what to a message. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum, auto

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.store import Entry
from scc_responder.guard.kill_switch import NAME
from scc_responder.journal.again.unfinished import is_held_by_time
from scc_responder.journal.case import UNTOLD, CaseRecord, is_held_for_now
from scc_responder.journal.journal import LEASE
from scc_responder.journal.plan import PlanState
from scc_responder.journal.step import FOR_SWEEP

QUIET = timedelta(minutes=15)
"""A case that was given back is left to its message's redelivery for this long; the longest back-off is 10 minutes."""
_SOON = frozenset({Reason.RESUMED_BY_PERSON, Reason.RECONCILING, Reason.SERVICE_CHANGED, Reason.SERVICE_DEPLOYED})
"""Why a case is open that the next sweep resumes: perhaps no message comes again for it."""
_BY_SWITCH = frozenset({Reason.CONTROL_DISABLED, Reason.MODE_LOWERED_BY.of(NAME)})
"""Why a case is held that goes on as soon as the switch of its cluster lets it."""
_BEGUN = frozenset({PlanState.APPROVED, PlanState.USED})
"""Plans that a person's request began, for which no message comes: the next sweep goes on with what it left open."""


class Turn(Enum):
    """Why it is a case's turn. A sweep goes on with the first five as it meets them, and then with the rest in order.

    What only a try can tell comes last, and keeps no other case waiting.
    """

    EXPIRES = auto()
    """Nobody answered its plan in time: it ends."""
    ASKED = auto()
    """A person exempted it: its plan ends."""
    UNTOLD = auto()
    """Its plan ended, and the process that was to tell people ended as well."""
    LEFT_OPEN = auto()
    """It was left in the middle, a person opened it, or what it awaits is due."""
    SWITCHED_OFF = auto()
    """The kill switch held it."""
    SHUT = auto()
    """Its cluster refused everything, or let nothing be done."""
    HELD_BY_TIME = auto()
    """A limit, a breaker, or a way that was shut held it: the oldest first."""


def turn_of(record: CaseRecord, entry: Entry, now: datetime) -> Turn | None:
    """Why the unfinished case may be gone on with now; None where that is not due."""
    if record.owner == UNTOLD:
        return Turn.UNTOLD if idle(entry) >= LEASE else None
    if record.request and record.state is not CaseState.OPEN:
        return Turn.ASKED
    if record.state in {CaseState.OPEN, CaseState.WAITING}:
        return _turn_of_unclosed(record, entry, now)
    if is_held_for_now(record):
        held = Turn.SHUT if idle(entry) >= QUIET else None
        return Turn.SWITCHED_OFF if record.reason in _BY_SWITCH else held
    return Turn.HELD_BY_TIME if is_held_by_time(record) else None


def _turn_of_unclosed(record: CaseRecord, entry: Entry, now: datetime) -> Turn | None:
    if awaits(record):
        return Turn.LEFT_OPEN if is_all_due(record, now) else None
    if record.state is CaseState.WAITING:
        return Turn.EXPIRES if record.plan and now >= record.plan.expires_at else None
    return Turn.LEFT_OPEN if record.owner or comes_soon(record) or idle(entry) >= QUIET else None


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
