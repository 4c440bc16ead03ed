"""What a person asks of a case at a desk, done by whoever writes the case next and leaves a line in the log. Pure.

A desk has a store and no log. So it changes no step and no plan: else `case verify` could not tell it from somebody who
may only write the store.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.again.reopening import gone_on_with
from scc_responder.journal.again.withdrawn_plan import withdrawn
from scc_responder.journal.case import CaseRecord, left_to_sweep
from scc_responder.journal.messages import conclusion, modes_of
from scc_responder.journal.plan import PersonsRequest, Plan, PlanState, RequestKind


def asked_of(record: CaseRecord, kind: RequestKind, now: datetime) -> CaseRecord:
    """The record with the request; an earlier one that nobody has done yet stays."""
    request = PersonsRequest(kind=kind, at=now, state=record.state, reason=record.reason, closed_at=record.closed_at)
    return replace(record, request=record.request or request)


def open_for_sweep(record: CaseRecord) -> CaseRecord:
    """The record as the next sweep takes it up because a person asks for it."""
    return replace(record, state=CaseState.OPEN, reason=Reason.RESUMED_BY_PERSON, closed_at=None, owner="")


def as_requested(record: CaseRecord, now: datetime) -> CaseRecord:
    """The record as the person's request makes it; the same where there is none."""
    request = record.request
    if request is None:
        return record
    record = replace(record, request=None)
    if request.kind is RequestKind.TRY:
        return _tried_again(record, request, now)
    if request.kind is RequestKind.EXEMPTION:
        return _exempted(record, request)
    if request.kind is RequestKind.STEP:
        return replace(record, plan=_void(record.plan, Reason.APPROVAL_VOID_STEP_ASKED))
    # Whatever people answered to the plan before: it was made without the choice.
    answered = record.plan is not None and not record.plan.is_pending and record.plan.state is not PlanState.VOID
    return replace(record, plan=_void(record.plan, Reason.APPROVAL_VOID_REVISION_CHOSEN) if answered else record.plan)


def _tried_again(record: CaseRecord, request: PersonsRequest, now: datetime) -> CaseRecord:
    """The case opened again. No earlier word counts, and what others undid is put back at once."""
    since = record.word if record.word and record.word.at > request.at else None
    ended = replace(record, state=request.state, reason=request.reason, closed_at=request.closed_at)
    opened = gone_on_with(replace(ended, word=None if since else record.word), now, by_person=True)
    return open_for_sweep(replace(opened, word=since, undone=(), asked=None))


def _exempted(record: CaseRecord, request: PersonsRequest) -> CaseRecord:
    """The case without its plan, and at its end if it waited; one whose deletion a sweep looks after stays open."""
    by, said = (record.word.by, record.word.said) if record.word else ("", "")
    reason = Reason.EXEMPT.of(case_id(record.finding_key))
    if record.plan and record.plan.is_pending:
        record = withdrawn(record, PlanState.REJECTED, reason, request.at, by=by, said=said)
    if record.state is not CaseState.WAITING:
        return record
    state = conclusion(record.current_steps, modes_of(record.decision))
    if state is CaseState.OPEN:
        return replace(record, state=state, reason=left_to_sweep(record), owner="", closed_at=None)
    return replace(record, state=state, reason=reason, owner="", closed_at=request.at)


def _void(plan: Plan | None, reason: Reason) -> Plan | None:
    return plan and replace(plan, state=PlanState.VOID, reason=reason)
