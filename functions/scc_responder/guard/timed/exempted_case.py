"""A person exempts what a case is about: its threat on its workload, for some hours. The case ends with that word."""

from __future__ import annotations

from datetime import datetime

from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.journal.again.persons_request import asked_of
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.journal import Transition
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import RequestKind


def exemption_by(record: CaseRecord, *, by: str, said: str, at: datetime, until: datetime) -> TimedExemption | None:
    """The exemption of the case's threat on its workload, to be set with `persons_levers.exempt`.

    None where the case does not know both: nothing was decided yet. A case of version 0.1.0 exempts its pod alone.
    """
    threat = str(record.decision.get("threat", {}).get("name", ""))
    pod, run = record.decision.get("pod") or {}, record.decision.get("cloud_run") or {}
    workload = record.decision.get("workload_uid", "")
    uid = str(workload or pod.get("uid") or run.get("uid") or "")
    if not threat or not uid:
        return None
    of_pod = f"{pod.get('namespace')}/{(workload and pod.get('workload')) or 'Pod/' + str(pod.get('name'))}"
    return TimedExemption(
        threat=threat,
        uid=uid,
        case=case_id(record.finding_key),
        name=of_pod if pod else str(run.get("name", "")),
        place=record.cluster,
        reason=said,
        by=by,
        at=at,
        until=until,
    )


def exempted(record: CaseRecord, is_held: bool, exemption: TimedExemption) -> Transition:
    """End the case with the person's word. A plan that waits is withdrawn by the next sweep, or by who answers it.

    Refused with 409 `case_in_progress` while a delivery works on it: the exemption holds what is still to be done.
    """
    if is_held:
        return Transition(reason=Reason.CASE_IN_PROGRESS, status=409)
    by, at, said = exemption.by, exemption.at, exemption.reason
    worded = with_word(record, WordKind.EXEMPTED, by, at, said, until=exemption.until)
    waits = record.state is CaseState.WAITING or (record.plan is not None and record.plan.is_pending)
    return Transition(
        reason=Reason.EXEMPTED, status=204, record=asked_of(worded, RequestKind.EXEMPTION, at) if waits else worded
    )
