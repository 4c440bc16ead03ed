"""What an undo writes into a case: the person's word and the intents before it, the outcomes after it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

import msgspec
from msgspec.structs import replace

from scc_responder.domain.changes import Change, stored
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, Result
from scc_responder.journal.again.withdrawn_plan import withdrawn
from scc_responder.journal.case import CaseRecord, WordKind, action_id
from scc_responder.journal.contained import not_undone
from scc_responder.journal.journal import Transition
from scc_responder.journal.messages import conclusion, modes_of
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import PlanState
from scc_responder.journal.step import Step


def undo_digest(record: CaseRecord) -> str:
    """SHA-256 over what a page shows of a case to be taken back: whatever happens to it, it is another one."""
    steps = [[step.name, step.undoes, step.status, step.change] for step in record.steps]
    request = [str(record.request.kind), record.request.at.isoformat()] if record.request else []
    shown = msgspec.json.encode([record.finding_key, steps, request], order="sorted")
    return hashlib.sha256(shown).hexdigest()


def undo_begun(
    record: CaseRecord, steps: Iterable[Step], now: datetime, *, by: str, said: str, is_held: bool
) -> Transition:
    """The case with the person's word and the intents: no sweep goes on with it, and no plan of it waits any more.

    Refused as `case_in_progress` while a delivery works on the case.
    """
    if is_held:
        return Transition(reason=Reason.CASE_IN_PROGRESS, status=503)
    if record.plan and record.plan.is_pending:
        record = withdrawn(record, PlanState.VOID, Reason.UNDONE, now, by=by, said=said)
    if record.state in {CaseState.OPEN, CaseState.WAITING}:
        state = conclusion(not_undone(record.current_steps), modes_of(record.decision))
        state = CaseState.PARTIAL if state is CaseState.OPEN else state
        record = replace(record, state=state, owner="", closed_at=now)
    record = replace(record, reason=Reason.UNDONE).with_steps(tuple(steps))
    record = with_word(record, WordKind.UNDONE, by, now, said)
    return Transition(reason=Reason.UNDONE, status=204, record=record)


def waits_for_sweep(record: CaseRecord) -> bool:
    """Whether a person opened the case again, and no sweep has taken it yet."""
    return record.state is CaseState.OPEN and record.request is not None


def opening_ended(record: CaseRecord, now: datetime, *, by: str, said: str, is_held: bool) -> Transition:
    """The case as it had ended, with the person's word in place of the opening: no sweep takes it.

    No step is changed. Refused as `nothing_to_undo` where a sweep has taken it meanwhile.
    """
    if is_held:
        return Transition(reason=Reason.CASE_IN_PROGRESS, status=503)
    if record.request is None or not waits_for_sweep(record):
        return Transition(reason=Reason.NOTHING_TO_UNDO, status=409)
    ended = replace(record, request=None, asked=None, state=record.request.state, reason=Reason.UNDONE, closed_at=now)
    return Transition(reason=Reason.UNDONE, status=204, record=with_word(ended, WordKind.UNDONE, by, now, said))


def release_begun(record: CaseRecord, steps: Iterable[Step], *, is_held: bool) -> Transition:
    """The case with the intents alone: what has a time of its own ends, and the case goes on as it is.

    Refused as `case_in_progress` while a delivery works on the case.
    """
    if is_held:
        return Transition(reason=Reason.CASE_IN_PROGRESS, status=503)
    return Transition(reason=Reason.UNDONE, status=204, record=record.with_steps(tuple(steps)))


def release_ended(record: CaseRecord, outcomes: Iterable[Step]) -> Transition:
    """The case with what came of that; why it stands as it does is what it was."""
    return Transition(reason=Reason.UNDONE, status=204, record=record.with_steps(tuple(outcomes)))


def undo_ended(record: CaseRecord, outcomes: Iterable[Step], reason: Reason) -> Transition:
    """The case with what came of it: `undone`, or `undo_refused` where something of it stands that could go."""
    return Transition(reason=reason, status=204, record=replace(record.with_steps(tuple(outcomes)), reason=reason))


def undo_step(
    record: CaseRecord, of: Step, inverse: Change | None, now: datetime, result: Result | None = None
) -> Step:
    """The step by which `of` is taken back: intended, or with what came of it. It bears the name of its action."""
    step = Step(
        action_id=action_id("undo", record.cluster, of.name, record.finding_key),
        action=of.action,
        expected_uid=of.expected_uid,
        change=stored(inverse),
        epoch=record.epoch,
        undoes=of.name,
        intended_at=now,
    )
    if result is None:
        return step
    return replace(step, status=result.status, reason=result.reason, detail=result.detail, settled_at=now)
