"""A person opens a case again, or says which revision of a Cloud Run service it is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.persons_request import asked_of, open_for_sweep
from scc_responder.journal.again.reopening import gone_on_with
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import RequestKind
from scc_responder.journal.revision_choice import refused_choice
from scc_responder.journal.step import Step

_NOT_AN_END = {CaseState.OPEN: Reason.STILL_OPEN, CaseState.WAITING: Reason.WAITING_FOR_APPROVAL}
_NOT_DONE = frozenset({StepStatus.HELD, StepStatus.DRY_RUN})


def resume(record: CaseRecord, is_held: bool, revision: str = "", *, now: datetime) -> Transition:
    """Open a case again, whatever end it came to but `done`, for a sweep to resume. A `journal.TransitionRule`.

    What a person took back may be done again, too. `revision` is the one that a person chose for a case that several
    may be meant in: it is planned for that one, and people are asked anew, whatever they answered to the plan before.
    """
    refused = refused_choice(record, revision) if revision else resume_refused(record)
    if is_held or (record.request is not None and refused is None):
        refused = Reason.CASE_IN_PROGRESS
    if refused:
        return Transition(reason=refused, status=409)
    if revision:
        asked = replace(asked_of(record, RequestKind.REVISION, now), word=None, revision=revision)
    else:
        asked = asked_of(record, RequestKind.TRY, now)
    return Transition(reason=Reason.RESUMED_BY_PERSON, status=204, record=open_for_sweep(asked))


def resume_refused(record: CaseRecord) -> Reason | None:
    """Why a person cannot have the case tried again; None where that is possible."""
    if record.state is CaseState.DONE and record.word is None:
        return Reason.NOTHING_LEFT
    return _NOT_AN_END.get(record.state)


def left_undone(record: CaseRecord) -> tuple[Step, ...]:
    """The steps that would be tried again: those that are not done, or were taken back."""
    kept = {step.name for step in gone_on_with(record, record.event_time).steps if not step.is_undone}
    return tuple(step for step in record.current_steps if not step.undoes and step.name not in kept)


def just_held(records: Iterable[CaseRecord], policy: str, now: datetime, since: timedelta) -> tuple[CaseRecord, ...]:
    """The cases closed since then of which a step of this policy was held or rehearsed, and that may be tried again."""
    return tuple(
        record
        for record in records
        if resume_refused(record) is None
        and record.word is None
        and record.closed_at is not None
        and now - record.closed_at <= since
        and any(step.policy == policy and step.status in _NOT_DONE for step in record.current_steps)
    )
