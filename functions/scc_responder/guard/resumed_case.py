"""A person opens a case again. Pure."""

from __future__ import annotations

from datetime import datetime

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.again.persons_request import asked_of, open_for_sweep
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import RequestKind

_NOT_AN_END = {CaseState.OPEN: Reason.STILL_OPEN, CaseState.WAITING: Reason.WAITING_FOR_APPROVAL}


def resume(record: CaseRecord, is_held: bool, *, now: datetime) -> Transition:
    """Open a case again, whatever end it came to but `done`, for a sweep to resume. A `journal.TransitionRule`.

    What a person took back may be done again, too.
    """
    return opened_again(record, is_held, resume_refused(record), asked_of(record, RequestKind.TRY, now))


def opened_again(record: CaseRecord, is_held: bool, refused: Reason | None, asked: CaseRecord) -> Transition:
    """Leave `asked`, what a person asked of the case, to a sweep; or say what keeps the person from that."""
    if is_held or (record.request is not None and refused is None):
        refused = Reason.CASE_IN_PROGRESS
    if refused:
        return Transition(reason=refused, status=409)
    return Transition(reason=Reason.RESUMED_BY_PERSON, status=204, record=open_for_sweep(asked))


def resume_refused(record: CaseRecord) -> Reason | None:
    """Why a person cannot have the case tried again; None where that is possible."""
    if record.state is CaseState.DONE and record.word is None:
        return Reason.NOTHING_LEFT
    return _NOT_AN_END.get(record.state)
