"""A plan that ended by a person's word or its time: people are told, by a later sweep if this process ends first."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.domain.notices.notice import NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import UNTOLD, CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.notices import case_notice
from scc_responder.journal.plan import PlanState
from scc_responder.pipeline.later.later_accounts import note_unwatched
from scc_responder.pipeline.services import Services


def tell_ended(record: CaseRecord, services: Services) -> Reason:
    """Tell people how a case's plan ended, note that they know, and return it. Raises StoreError.

    What no route has is told by a later sweep: a case that closed stays `UNTOLD`.
    """
    kind, reason, why = NoticeKind.EXPIRED, Reason.APPROVAL_EXPIRED, "nobody approved or rejected it in time"
    if record.plan and record.plan.state is PlanState.REJECTED:
        kind, reason, why = NoticeKind.REJECTED, Reason.APPROVAL_REJECTED, f"{record.plan.by}: {record.plan.said}"
    note_unwatched(record, services)
    if services.notify(case_notice(kind, record, reason, why)):
        services.journal.apply(record.finding_key, _told, leaves_line=False)
    return reason


def _told(record: CaseRecord, _is_held: bool) -> Transition:
    is_untold = record.owner == UNTOLD
    return Transition(reason=Reason.AT_REST, status=204, record=replace(record, owner="") if is_untold else None)
