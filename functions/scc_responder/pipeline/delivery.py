"""The main job, from a delivery to its record: read `_contain` as the picture in the README."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from scc_responder.collect import api_paths
from scc_responder.collect.confirm import Settled, confirm, read_by_name, refuse_beyond_reach, unread
from scc_responder.collect.identity import bound
from scc_responder.collect.live import look
from scc_responder.collect.target import Collected, collect
from scc_responder.domain.context import Context
from scc_responder.domain.errors import (
    ApiError,
    Forbidden,
    OversizeMessage,
    RejectedMessage,
    ResponderError,
    RetryableError,
)
from scc_responder.domain.finding import Finding
from scc_responder.execute.execute import execute
from scc_responder.execute.kubernetes import ClusterChanges
from scc_responder.execute.under_control import refuse_disabled
from scc_responder.execute.world import World
from scc_responder.guard.approval import FINDING_CHANGED, ask, review, withdrawn
from scc_responder.guard.control import DISABLED, under
from scc_responder.guard.guard import CLOCK_TOLERANCE, guard
from scc_responder.intake.envelope import open_envelope
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.case import CaseState, case_id
from scc_responder.journal.claimed_case import LostLease, OpenCase
from scc_responder.journal.journal import ClaimOutcome
from scc_responder.journal.messages import Ending, conclusion, decision_summary, waiting_message
from scc_responder.journal.plan import PlanState
from scc_responder.pipeline.deadlines import steps_end
from scc_responder.pipeline.delivery_log import Account, ending_of
from scc_responder.pipeline.heartbeat import beat, is_heartbeat, met, take
from scc_responder.pipeline.services import Services
from scc_responder.policy.decide import Decision, decide

COLLECT_SECONDS = 30.0
LOOKS = 3
"""Deliveries that wait for a live look which failed, before the rest is done without it."""

_PASSING = frozenset({"finding_not_listed_yet", "reserved_by_open_finding"})
"""Reasons to come again that are ordinary, and of which nobody needs to be told."""

_BEYOND_REACH = frozenset(
    {
        "cluster_endpoint_private",
        "cluster_not_found",
        "connect_gateway_off",
        "invalid_name",
        "malformed_cluster_name",
        "no_cluster_authority",
        "no_reachable_endpoint",
    }
)
"""Why a finding's target is out of reach until somebody changes the cluster, or this deployment."""

_LASTING = frozenset(
    {"invalid_name", "unknown_kind", "malformed_resource_name", "partial_list", "other_finding", "unusable_answer"}
)
"""Errors of reads that the next delivery would meet again."""


def respond(body: bytes, headers: Mapping[str, str], services: Services) -> Ending:
    """Respond to one delivery: the ending says whether the message is settled (204) or must come again (503)."""

    def deliver(account: Account) -> Ending:
        finding = _open(body, headers, services, account)
        return _claim(finding, services, account)

    return accounted(deliver, services)


def accounted(work: Callable[[Account], Ending], services: Services, began: datetime | None = None) -> Ending:
    """Do the work, and tell how it ended in one log line, whatever happened.

    `began`: when the request did of which this is a part.
    """
    account = Account(began or services.clock())
    try:
        ending = work(account)
    except ResponderError as error:
        ending = _end_early(error, services, account)
    except Exception:  # noqa: BLE001 - the one edge: whatever happened, it must be asked for again
        ending = _crash(account)
    services.tell(account.line(ending, services.settings.trace_project))
    return ending


def _open(body: bytes, headers: Mapping[str, str], services: Services, account: Account) -> Finding:
    """Intake and finding. Too large a message is read again by the name in it."""
    try:
        message = open_envelope(body, headers)
        account.delivered(message)
        return parse_notification(message.data)
    except OversizeMessage as error:
        account.rejected(error)
        if error.finding_name is None:
            raise
        return read_by_name(error.finding_name, services.findings, services.settings)


def _claim(finding: Finding, services: Services, account: Account) -> Ending:
    """Journal: one delivery works on a case, the others are settled or come again."""
    account.about(finding)
    refuse_beyond_reach(finding, services.settings)
    if is_heartbeat(finding):
        case = take(finding, services.journal)
        return work_on(finding, case, services, account) if case else Ending(status=503, reason="in_progress")
    if finding.event_time > services.clock() + CLOCK_TOLERANCE:
        raise RetryableError("finding_from_the_future", finding.name)
    claim = services.journal.claim(finding)
    if claim.case is None:
        return Ending(status=503 if claim.outcome is ClaimOutcome.IN_PROGRESS else 204, reason=str(claim.outcome))
    return work_on(finding, claim.case, services, account)


def work_on(finding: Finding, case: OpenCase, services: Services, account: Account) -> Ending:
    """Bring a case in hand to its end, or give it back."""
    with _released_unless_closed(case, services):
        if is_heartbeat(finding):
            limit = services.kill_switch.ceiling("")
            account.switched(met(limit))
            return beat(finding, case, services.findings, limit)
        return _contain(finding, case, services, account)


def _contain(finding: Finding, case: OpenCase, services: Services, account: Account) -> Ending:
    """Confirm, collect, decide, guard, execute, record. What needs a person's approval waits, as a plan in the case."""
    finding = confirm(finding, case.record, services.findings, services.settings, services.clock)
    account.about(finding)
    case.confirmed(finding)
    limit = services.kill_switch.ceiling(finding.cluster_path)
    refuse_disabled(limit, finding)
    collected, context = _collect(finding, case, services, account)
    decision = under(limit, decide(context, services.policies.policies))
    context = look(context, collected, decision)
    account.knows(context)
    decision = _guard(context, decision, collected, case, services)
    steps = execute(context, decision, case, _world(collected, services, account))
    summary = decision_summary(context, decision, services.policies.digest)
    case.close(conclusion(case.record.with_steps(steps).current_steps), decision.reason, *steps, decision=summary)
    account.decided(decision, case.record, services.settings.answered_at)
    return ending_of(case.record, decision)


def _collect(finding: Finding, case: OpenCase, services: Services, account: Account) -> tuple[Collected, Context]:
    """What is known of the target, and that it is the pod that this case is about."""
    collected = collect(finding, services.clusters, services.findings, services.pool, COLLECT_SECONDS)
    context = collected.context
    context = replace(context, identity=bound(context.identity, context.pod, case.record.pod_uids))
    account.knows(context)
    _refuse_blind(collected)
    return collected, context


def _guard(context: Context, decision: Decision, collected: Collected, case: OpenCase, services: Services) -> Decision:
    """Guardrails, and approval: what was approved is planned again first, and holds only where it is the very same."""
    policies, now = services.policies, services.clock()
    if case.record.plan:
        as_planned = guard(context, decision, policies.guardrails, now, planned_at=case.record.planned_at)
        _refuse_half_blind(collected, as_planned)
        case.keep(review(case.record, context, as_planned, policies, now))
    decision = guard(context, decision, policies.guardrails, now, planned_at=case.record.planned_at)
    _refuse_half_blind(collected, decision, case.record.attempts)
    decision, record = ask(decision, case.record, policies, now)
    case.keep(record)
    return decision


@contextmanager
def _released_unless_closed(case: OpenCase, services: Services) -> Iterator[None]:
    """Close the case where the finding came to an end; else give the lease up, so that a redelivery goes on at once."""
    try:
        yield
    except Settled as end:
        if end.confirmed:
            case.confirmed(end.confirmed)
        if end.severity == "ERROR":
            _tell(case, end, services)
        if case.record.plan and case.record.plan.is_pending:
            now = services.clock()
            why = DISABLED if end.reason == DISABLED else FINDING_CHANGED
            case.keep(withdrawn(case.record, PlanState.VOID, why, now, said=end.reason))
        case.close(end.state, end.reason)
        raise
    except BaseException as error:
        with suppress(ResponderError):
            _tell(case, error, services)
            case.release(getattr(error, "reason", "internal_error"))
        raise


def _tell(case: OpenCase, error: BaseException, services: Services) -> None:
    """Publish that a finding is held or waits, once for each reason; not where another delivery has taken over."""
    reason = getattr(error, "reason", "internal_error")
    if services.outcomes is None or reason in {case.record.reason, *_PASSING} or isinstance(error, LostLease):
        return
    told = str(error) if isinstance(error, ResponderError) else type(error).__name__
    with suppress(ResponderError):
        message = waiting_message(case.record, reason, told)
        services.outcomes.publish(message, {"case": case_id(case.record.finding_key), "reason": reason})


def _refuse_blind(collected: Collected) -> None:
    """Raises where what a decision cannot do without could not be read: a later delivery may read it."""
    error = collected.errors.get("api") or collected.errors.get("pod")
    if error is None or collected.context.missing.get("pod") == "target_absent":
        return
    if isinstance(error, ApiError) and error.reason in _BEYOND_REACH:
        raise Settled(error.reason, CaseState.HELD, "ERROR", message=str(error)) from error
    raise unread(error) from error


def _refuse_half_blind(collected: Collected, decision: Decision, attempts: int = 0) -> None:
    """Raises where a decision hangs on a fact that could not be read just now: a later delivery may read it.

    What only the live look lacks is not waited for long: the steps that need it are held, and isolation goes on.
    """
    policies = decision.policies
    held = {item.reason for policy in policies for item in policy.actions if item.result == "held"}
    unseen = attempts <= LOOKS and any(reason.endswith("_unread") for reason in held)
    hangs = unseen or "node_unreadable" in held or any(policy.reason.endswith("_missing") for policy in policies)
    passing = next(filter(_may_pass, collected.errors.values()), None)
    if hangs and passing:
        raise unread(passing) from passing


def _may_pass(error: ResponderError) -> bool:
    status = getattr(error, "status", 0)
    return isinstance(error, ApiError) and error.reason not in _LASTING and (status in {0, 429} or status >= 500)


def _world(collected: Collected, services: Services, account: Account) -> World:
    api, objects, finding = collected.api, collected.context.objects, collected.context.finding
    known = {}
    if "pod" in objects:
        meta = objects["pod"]["metadata"]
        known[api_paths.pod(meta["namespace"], meta["name"])] = objects["pod"]
    if "node" in objects:
        known[api_paths.node(objects["node"]["metadata"]["name"])] = objects["node"]
    return World(
        cluster=ClusterChanges(api, known, services.wait, services.pool) if api else None,
        api=api,
        limiter=services.limiter(finding.cluster_path),
        evidence=services.evidence,
        outcomes=services.outcomes,
        clock=services.clock,
        ceiling=partial(services.kill_switch.ceiling, finding.cluster_path),
        pool=services.pool,
        answered_at=services.settings.answered_at,
        until=steps_end(account.began, services.settings),
    )


def _end_early(error: ResponderError, services: Services, account: Account) -> Ending:
    """What is settled without a decision is recorded; the rest must come again."""
    account.fields["error"] = str(error)
    if isinstance(error, Forbidden):
        return Ending(status=403, reason=error.reason, severity="WARNING")
    if isinstance(error, RejectedMessage | OversizeMessage):
        account.rejected(error)
        return _record_rejection(error, services, account)
    if isinstance(error, Settled):
        account.fields["state"] = str(error.state)
        if error.state is CaseState.REJECTED and account.sha256:
            with suppress(ResponderError):
                services.journal.reject(account.sha256, error.reason)
        return Ending(status=204, reason=error.reason, severity=error.severity)
    return Ending(status=503, reason=error.reason, severity="ERROR" if "permission" in str(error) else "WARNING")


def _record_rejection(error: RejectedMessage | OversizeMessage, services: Services, account: Account) -> Ending:
    oversize = isinstance(error, OversizeMessage)
    try:
        services.journal.reject(account.sha256, error.reason)
    except ResponderError as unavailable:
        return Ending(status=503, reason=unavailable.reason, severity="ERROR")
    return Ending(status=503 if oversize else 204, reason=error.reason, severity="ERROR" if oversize else "WARNING")


def _crash(account: Account) -> Ending:
    # Never the message: a library's may quote a header, and with it a token.
    kind, _, trace = sys.exc_info()
    account.fields["error"] = kind.__name__ if kind else ""
    account.fields["traceback"] = "".join(traceback.format_tb(trace, limit=20))
    return Ending(status=503, reason="internal_error", severity="ERROR")
