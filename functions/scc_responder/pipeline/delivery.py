"""One Pub/Sub delivery, from its bytes to its answer: intake, claim, containment, one log line."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from scc_responder.adapters.acting_case import acting_for
from scc_responder.collect.confirm import Settled, finding_named, read_by_name, refuse_beyond_reach
from scc_responder.domain.errors import (
    Forbidden,
    OversizeMessage,
    RejectedMessage,
    ResponderError,
    RetryableError,
    without_secrets,
)
from scc_responder.domain.finding import Finding, case_id
from scc_responder.domain.notices.notice import NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.guard.guard import FUTURE_TOLERANCE
from scc_responder.intake.envelope import Message, open_envelope
from scc_responder.intake.find_name import name_unparsed
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.again.withdrawn_plan import withdrawn
from scc_responder.journal.case import HELD_FOR_NOW, CaseRecord, Rejection
from scc_responder.journal.chain.chain_check import chain_fields
from scc_responder.journal.claimed_case import ClaimedCase, LostLease
from scc_responder.journal.collector_keys import drop_key
from scc_responder.journal.journal import ClaimOutcome
from scc_responder.journal.messages import Ending, finding_summary
from scc_responder.journal.notices import case_notice, unread_notice
from scc_responder.journal.plan import PlanState
from scc_responder.pipeline.busy_cluster import admit_delivery
from scc_responder.pipeline.containment import contain
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.pipeline.heartbeat import beat, claim_heartbeat, is_heartbeat
from scc_responder.pipeline.later.later_accounts import note_unwatched
from scc_responder.pipeline.refused_cluster import tell_today
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.unset_switch import met, tell_unset

_PASSING = frozenset(
    {Reason.FINDING_NOT_LISTED_YET, Reason.RESERVED_BY_OPEN_FINDING, Reason.RECONCILING, Reason.CLUSTER_BUSY}
)
"""Ordinary reasons for another delivery, about which nobody is notified."""
_TOLD_DAILY = frozenset({Reason.CLUSTER_NOT_ONBOARDED, Reason.CLUSTER_ACCESS_LOST})
_OF_FINDINGS = frozenset(
    {Reason.MALFORMED_FINDING_NAME, Reason.NO_EVENT_TIME, Reason.SEVERAL_FINDINGS, Reason.LOG_ENTRY}
)
"""Why a message is rejected that is of Security Command Center."""


def respond(body: bytes, headers: Mapping[str, str], services: Services) -> Ending:
    """Respond to one delivery: the ending says whether the message is settled (204) or must come again (503)."""

    def deliver(log: DeliveryLog) -> Ending:
        finding = _open(body, headers, services, log)
        return _claim(finding, services, log)

    return accounted(deliver, services)


def accounted(work: Callable[[DeliveryLog], Ending], services: Services, began: datetime | None = None) -> Ending:
    """Do the work, and log how it ended in one line, whatever happened; then send what routes are to be told of it.

    `began`: when the request began that this is part of, which sends for all of its parts.
    """
    log = DeliveryLog(began or services.clock())
    ending = ended(work, services, log)
    services.tell(log.line(ending, services.settings.trace_project))
    if services.lanes and began is None:
        services.lanes.send()
    return ending


def ended(work: Callable[[DeliveryLog], Ending], services: Services, log: DeliveryLog) -> Ending:
    """How the work ends, whatever it raises."""
    try:
        with services.bulkheads.request():
            return work(log)
    except ResponderError as error:
        return _end_early(error, services, log)
    except Exception:  # noqa: BLE001 - the one edge: whatever happened, it must be asked for again
        return _crash(log)


def _open(body: bytes, headers: Mapping[str, str], services: Services, log: DeliveryLog) -> Finding:
    """Intake and finding. What is too large or cannot be parsed is read again by the name in it."""
    try:
        message = open_envelope(body, headers)
        log.delivered(message)
        return _parse(message)
    except (OversizeMessage, RejectedMessage) as error:
        log.rejected(error)
        if error.finding_name is None:
            raise
        return _read_again(error.finding_name, services, log)


def _read_again(name: str, services: Services, log: DeliveryLog) -> Finding:
    """The finding of that name. Where what Security Command Center has cannot be read either, that is told once."""
    try:
        return read_by_name(name, services.findings, services.settings)
    except RetryableError as error:
        if error.reason == Reason.FINDING_UNREADABLE:
            _tell_once(services.journal.reject(log.sha256, error.reason), services, log)
        raise


def _parse(message: Message) -> Finding:
    try:
        return parse_notification(message.data)
    except RejectedMessage as error:
        raise name_unparsed(error, message.data) from error.__cause__


def _claim(finding: Finding, services: Services, log: DeliveryLog) -> Ending:
    """Journal: one delivery works on a case, the others are settled or come again."""
    log.about(finding)
    refuse_beyond_reach(finding, services.settings)
    if is_heartbeat(finding):
        case = claim_heartbeat(finding, services.journal)
        return work_on(finding, case, services, log) if case else Ending(status=503, reason=Reason.IN_PROGRESS)
    if finding.event_time > services.clock() + FUTURE_TOLERANCE:
        raise RetryableError(Reason.FINDING_FROM_THE_FUTURE, finding.name)
    admit_delivery(finding, services)
    claim = services.journal.claim(finding)
    if claim.case is None:
        log.fields |= chain_fields(claim.record)
        return Ending(status=503 if claim.outcome is ClaimOutcome.IN_PROGRESS else 204, reason=str(claim.outcome))
    return work_on(finding, claim.case, services, log)


def work_on(finding: Finding, case: ClaimedCase, services: Services, log: DeliveryLog) -> Ending:
    """Finish a claimed case, or release it."""
    log.took(case.record)
    try:
        with acting_for(case_id(finding.key)), _released_unless_closed(case, services):
            if is_heartbeat(finding):
                limit = services.kill_switch.ceiling("")
                log.switched(met(limit))
                tell_unset(limit, services, log)
                return beat(finding, case, services.findings, limit)
            return contain(finding, case, services, log)
    finally:
        log.left(case.record)


@contextmanager
def _released_unless_closed(case: ClaimedCase, services: Services) -> Iterator[None]:
    """Close the case if there is nothing to decide; else release the lease, so that a redelivery resumes it at once."""
    try:
        yield
    except Settled as end:
        if end.confirmed:
            case.confirmed(end.confirmed)
        if end.reason in _TOLD_DAILY:
            tell_today(case, end.reason, str(end), services)
        elif end.severity == "ERROR" or end.reason == Reason.CONTROL_DISABLED:
            _tell(case, end, services)
        if case.record.plan and case.record.plan.is_pending:
            case.keep(withdrawn(case.record, PlanState.VOID, voided_by(end), services.clock(), said=end.reason))
        note_unwatched(case.record, services)
        case.close(end.state, end.reason, decision=_kept(case.record, end))
        drop_key(case.record, services.store)
        raise
    except BaseException as error:
        with suppress(ResponderError):
            _tell(case, error, services)
            case.release(getattr(error, "reason", Reason.INTERNAL_ERROR))
        raise


def voided_by(end: Settled) -> Reason:
    """Why a plan that waits is void with this end."""
    is_switched = end.reason == Reason.CONTROL_DISABLED
    return Reason.CONTROL_DISABLED if is_switched else Reason.APPROVAL_VOID_FINDING_CHANGED


def _kept(record: CaseRecord, end: Settled) -> dict[str, Any]:
    """The decision as the case keeps it, with the finding that switch or cluster holds: no more is read."""
    if end.reason not in HELD_FOR_NOW or end.confirmed is None:
        return record.decision
    return {**record.decision, "finding": finding_summary(end.confirmed)}


def _tell(case: ClaimedCase, error: BaseException, services: Services) -> None:
    """Notify people that a finding is held or waits, once for each reason; not if another delivery has the case."""
    reason = getattr(error, "reason", Reason.INTERNAL_ERROR)
    if reason in {case.record.reason, *_PASSING} or isinstance(error, LostLease):
        return
    services.notify(case_notice(NoticeKind.UNDECIDED, case.record, reason, without_secrets(error)))


def _end_early(error: ResponderError, services: Services, log: DeliveryLog) -> Ending:
    """What is settled without a decision is recorded; the rest must come again."""
    log.fields["error"] = str(error)
    if isinstance(error, Forbidden):
        return Ending(status=403, reason=error.reason, severity="WARNING")
    if isinstance(error, RejectedMessage | OversizeMessage):
        log.rejected(error)
        return _record_rejection(error, services, log)
    if isinstance(error, Settled):
        log.fields["state"] = str(error.state)
        if error.state is CaseState.REJECTED and log.sha256:
            with suppress(ResponderError):
                services.journal.reject(log.sha256, error.reason)
        return Ending(status=204, reason=error.reason, severity=error.severity)
    lasting = error.permission or error.reason == Reason.FINDING_UNREADABLE
    return Ending(status=503, reason=error.reason, severity="ERROR" if lasting else "WARNING")


def _record_rejection(error: RejectedMessage | OversizeMessage, services: Services, log: DeliveryLog) -> Ending:
    """Settled, but for what is too large. What may be a finding is told: nobody will read it again."""
    oversize = isinstance(error, OversizeMessage)
    lost = isinstance(error, OversizeMessage) or error.is_about_finding or error.reason in _OF_FINDINGS
    try:
        rejection = services.journal.reject(log.sha256, error.reason)
    except ResponderError as unavailable:
        return Ending(status=503, reason=unavailable.reason, severity="ERROR")
    if lost:
        _tell_once(rejection, services, log)
    return Ending(status=503 if oversize else 204, reason=error.reason, severity="ERROR" if lost else "WARNING")


def _tell_once(rejection: Rejection, services: Services, log: DeliveryLog) -> None:
    """Notify people of the first copy."""
    if rejection.count == 1:
        services.notify(unread_notice(rejection, log.message_id))


def _crash(log: DeliveryLog) -> Ending:
    # Never the message: a library's may quote a header, and with it a token.
    kind, _, trace = sys.exc_info()
    log.fields["error"] = kind.__name__ if kind else ""
    log.fields["traceback"] = "".join(traceback.format_tb(trace, limit=20))
    return Ending(status=503, reason=Reason.INTERNAL_ERROR, severity="ERROR")


def finding_of(record: CaseRecord) -> Finding:
    """The finding as the case names it, enough to read it again. Raises RetryableError if it names none."""
    stub = finding_named(record.finding_name)
    return replace(stub, canonical_name=record.canonical_name or stub.name, event_time=record.event_time)
