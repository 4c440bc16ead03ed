"""A closed case opened again: anew, as its finding has other content, or gone on with, as it is the same. Pure.

What was carried out stays in either, so that nothing is done twice: it is looked at whether it still stands. What a
person took back is decided anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.domain.changes import kind_of_stored, observes_only
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.case import KEEP_CLOSINGS, CaseRecord, Closing
from scc_responder.journal.contained import not_undone
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.step import Step

FOUGHT_FOR = timedelta(hours=24)
MOST_ROUNDS = 2
"""So often what others undid is put back in `FOUGHT_FOR`; after that a person has to say who is right."""

_MADE = frozenset({StepStatus.DONE, StepStatus.NOT_EFFECTIVE})
_KEPT = _MADE | {StepStatus.INTENT, StepStatus.UNKNOWN, StepStatus.TERMINATING, StepStatus.OVERRIDDEN}


def opened_anew(record: CaseRecord, now: datetime, *, before: int | None = None) -> CaseRecord:
    """The case opened for other content or another pod: a chapter of its own. Messages and evidence are for each.

    `before`: the last epoch of the chapter that ends; None: the record's.
    """
    closing = replace(
        _closing(record, record.epoch if before is None else before),
        approvals=record.plan.approvals if record.plan else (),
        captures=tuple(step.detail for step in record.steps if not _is_kept_anew(step) and _is_capture(step)),
    )
    return replace(
        record,
        opened_at=now,
        history=(*record.history, closing)[-KEEP_CLOSINGS:],
        steps=tuple(step for step in not_undone(record.steps) if _is_kept_anew(step)),
        plan=_kept_plan(record.plan, now),
        asked=None,
        word=None,
        unasked=False,
        attempts=0,
    )


def gone_on_with(record: CaseRecord, now: datetime, *, by_person: bool = False) -> CaseRecord:
    """The case opened to go on as it is: what was held, failed or rehearsed is decided anew, nothing else.

    It is the caller's to store it as open: a claim does. `by_person`: no earlier word counts.
    """
    used = record.plan if record.plan and record.plan.state is PlanState.USED and now < record.plan.expires_at else None
    plan = _kept_plan(record.plan, now) or used or (record.plan if record.word and not by_person else None)
    # Its epoch is that of the closing before: it stays one chapter.
    closing = _closing(record, record.history[-1].epoch if record.history else 0)
    return replace(
        record,
        opened_at=now,
        history=(*record.history, *([closing] if closing.taken_back else ()))[-KEEP_CLOSINGS:],
        steps=tuple(step for step in not_undone(record.steps) if step.status in _KEPT or step.is_undone),
        plan=plan,
        word=None if by_person else record.word,
        asked=record.asked if plan else None,
        unasked=False,
        attempts=0,
    )


def opened_by_sweep(record: CaseRecord, now: datetime) -> CaseRecord:
    """The same because a sweep goes on by itself: what cannot be undone waits for a person.

    It keeps the reason of its end until it has another, so that nobody is told it twice.
    """
    opened = gone_on_with(record, now)
    since = record.opened_at if record.state is CaseState.REJECTED else now
    return replace(opened, state=CaseState.OPEN, opened_at=since, unasked=True, owner="", closed_at=None)


def to_look_at(record: CaseRecord) -> tuple[Step, ...]:
    """The steps of before the case was opened of which nobody knows by now whether they still stand."""
    return tuple(
        step for step in record.steps if step.epoch < record.opened_epoch and (step.status in _MADE or step.is_undone)
    )


def stood(record: CaseRecord, step: Step) -> bool:
    """Whether the step was made before the case was opened again, and was found as it was, or needs no look."""
    before = record.opened_at is not None and step.settled_at is not None and step.settled_at < record.opened_at
    looked_at = step.epoch >= record.opened_epoch or observes_only(step.change)
    return before and looked_at and step.status in _MADE and step in record.current_steps


def undone(record: CaseRecord, steps: tuple[Step, ...], now: datetime) -> CaseRecord:
    """The record with these steps undone by others, to be put back; or held, where they were undone too often.

    Each time counts once, however many steps it takes away.
    """
    if not steps:
        return record
    rounds = [at for at in record.undone if now - at < FOUGHT_FOR]
    fought = len(rounds) >= MOST_ROUNDS
    if not fought and any(step.status in _MADE or step.reason == Reason.FOUGHT_OVER for step in steps):
        rounds.append(now)
    reason = Reason.FOUGHT_OVER if fought else Reason.UNDONE_BY_OTHERS
    held = tuple(
        replace(
            step,
            status=StepStatus.HELD,
            reason=reason,
            epoch=record.epoch,
            settled_at=step.settled_at if step.reason == reason == Reason.FOUGHT_OVER else now,
        )
        for step in steps
    )
    # An approval was for the first time: to put it back, people are asked anew.
    plan = None if record.is_approved else record.plan
    return replace(record, undone=tuple(rounds), plan=plan).with_steps(held)


def undone_by_others(record: CaseRecord) -> tuple[Reason | None, bool]:
    """What others undid: `undone_by_others` as it was put back, `fought_over` as it is not; and whether that is news.

    That is so where it was found since the case was last opened.
    """
    opened = record.opened_at
    fought = [step.settled_at for step in record.current_steps if step.reason == Reason.FOUGHT_OVER]
    if fought:
        return Reason.FOUGHT_OVER, any(opened and at and at >= opened for at in fought)
    is_new = bool(opened and record.undone and record.undone[-1] >= opened)
    return (Reason.UNDONE_BY_OTHERS if is_new else None), is_new


def _closing(record: CaseRecord, epoch: int) -> Closing:
    """How the case was closed, with what a person took back of it."""
    kept, word = not_undone(record.steps), record.word
    taken_back = tuple(step for step in record.steps if step not in kept)
    closing = Closing(state=record.state, epoch=epoch, reason=record.reason, closed_at=record.closed_at)
    return replace(closing, word=word, taken_back=taken_back)


def _kept_plan(plan: Plan | None, now: datetime) -> Plan | None:
    """A plan that may still be carried out keeps its approvals: it is void by itself once it would be another."""
    return plan if plan and plan.is_pending and now < plan.expires_at else None


def _is_kept_anew(step: Step) -> bool:
    """Changes to an object are kept in a new chapter, messages and evidence are not."""
    return not step.is_settled or (bool(step.expected_uid) and not observes_only(step.change))


def _is_capture(step: Step) -> bool:
    kind = kind_of_stored(step.change)
    return kind is not None and kind.observes and not kind.tells
