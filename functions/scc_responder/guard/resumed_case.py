"""A person lets a case go on that was held, or says which revision of a Cloud Run service it is about. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.case import CaseRecord, is_held_for_now
from scc_responder.journal.journal import Transition
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.revision_choice import refused_choice


def resume(record: CaseRecord, is_held: bool, revision: str = "") -> Transition:
    """Reopen a case that the kill switch or its cluster holds, for a sweep to resume. A `journal.TransitionRule`.

    `revision` is the one that a person chose for a case that several may be meant in: it is planned for that one, and
    people are asked anew, whatever they answered to the plan before.
    """
    refused = _refused(record, revision, is_held=is_held)
    if refused:
        return Transition(reason=refused, status=409)
    opened = replace(
        record,
        state=CaseState.OPEN,
        reason=Reason.RESUMED_BY_PERSON,
        closed_at=None,
        owner="",
        revision=revision or record.revision,
        plan=_answered_before(record.plan) if revision else record.plan,
    )
    return Transition(reason=Reason.RESUMED_BY_PERSON, status=204, record=opened)


def _refused(record: CaseRecord, revision: str, *, is_held: bool) -> Reason | None:
    if not revision:
        return None if is_held_for_now(record) else Reason.NOT_CONTROL_DISABLED
    return Reason.CASE_IN_PROGRESS if is_held else refused_choice(record, revision)


def _answered_before(plan: Plan | None) -> Plan | None:
    """The plan that was made before the choice: one that was answered, or that nobody answered in time, is void."""
    if plan is None or plan.is_pending or plan.state is PlanState.VOID:
        return plan
    return replace(plan, state=PlanState.VOID, reason=Reason.APPROVAL_VOID_REVISION_CHOSEN)
