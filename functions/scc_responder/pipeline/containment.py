"""The main job, stage by stage: what becomes of one finding whose case this process holds.

Read `contain` beside the picture in the README: each line of it is a folder of this package. `delivery.py` says how a
finding gets here, and what is answered to Pub/Sub.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

from msgspec.structs import replace

from scc_responder.collect.confirm import KeptText, Settled, confirm
from scc_responder.collect.identity import HELD, bound, on_known_node, without_ended
from scc_responder.collect.live import look
from scc_responder.collect.target import Collected, collect
from scc_responder.domain.context import Context
from scc_responder.domain.errors import DeliveryError
from scc_responder.domain.finding import Finding, case_id
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession
from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.execute.execute import Decided, execute
from scc_responder.execute.gate import refuse_disabled
from scc_responder.execute.standing import look_again, without_standing
from scc_responder.execute.world import World
from scc_responder.guard.approval import ask, review, unspent
from scc_responder.guard.asked_step import asked_alone
from scc_responder.guard.guard import guard
from scc_responder.guard.kill_switch import KillSwitchCeiling, under
from scc_responder.guard.run_reach import run_reach
from scc_responder.journal.case import CaseRecord, approved_and_switched_off, left_to_sweep
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.collector_keys import CaseCollector, drop_key
from scc_responder.journal.messages import Ending, conclusion, decision_summary
from scc_responder.pipeline.again.ended_before import is_another_target, tell_undone
from scc_responder.pipeline.busy_cluster import admit_request, refuse_busy
from scc_responder.pipeline.deadlines import steps_end, waits_end
from scc_responder.pipeline.delivery_log import DeliveryLog, ending_of
from scc_responder.pipeline.later.later_accounts import note_unwatched
from scc_responder.pipeline.later.later_counts import note_count
from scc_responder.pipeline.later.later_logs import note_later
from scc_responder.pipeline.notices.project_contacts import contacts_of
from scc_responder.pipeline.refused_cluster import refuse_shut, tell_today
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.unread_facts import evidence_alone, unread_fact, unread_target, without_unread
from scc_responder.pipeline.unset_switch import tell_unset
from scc_responder.policy.asked_by import asked_by
from scc_responder.policy.decide import Decision, decide, disruptions

_PAUSED = "the annotation scc-responder/mode of the cluster's namespace default lets nothing be changed"
COLLECT_SECONDS = 30.0


class _Target(NamedTuple):
    """What was read of the target, the context that this makes with what the case knows, and what it is acted with."""

    collected: Collected
    context: Context
    world: World


def contain(finding: Finding, case: ClaimedCase, services: Services, log: DeliveryLog) -> Ending:
    """Confirm, collect, decide, look, guard, execute, record. What needs an approval waits, as a plan in the case.

    Raises Settled where the finding comes to its end before a decision, RetryableError where a later delivery may
    succeed, LostLease where another process has taken the case.
    """
    source = KeptText(services.findings)
    try:
        finding = confirm(finding, case.record.opened_at, source, services.settings, services.clock)
    except Settled as end:
        return _see_deletion(case, services, log, end)
    log.about(finding)
    case.confirmed(finding)
    limit = services.kill_switch.ceiling(finding.place)
    tell_unset(limit, services, log)
    refuse_disabled(limit, finding)
    target = _collect(finding, case, services, log)
    if is_another_target(case, target.context, services):
        target = _collect(finding, case, services, log)
    if target.context.finding.place != finding.place:
        limit = services.kill_switch.ceiling(target.context.finding.place)
        refuse_disabled(limit, target.context.finding)
    target = target._replace(context=replace(target.context, texts={"notified": log.notified, "read": source.text}))
    decided = [_decided(target, case, services, limit)]
    log.knows(decided[0][0])

    def decide_again() -> Decided:
        decided.append(_decided(target._replace(context=decided[0][0]), case, services, limit))
        return decided[-1]

    context, decision, postponed_by = decided[0]
    steps = execute(context, decision, case, target.world, postponed_by, decide_again=decide_again)
    context, decision, _ = decided[-1]
    ended = unspent(case.record.with_steps(steps))
    note_later(context, ended.current_steps, services)
    note_count(context, ended.current_steps, services)
    case.keep(replace(case.record, plan=ended.plan))
    summary = _summary(context, decision, services)
    state, reason = _end_of(ended, decision, services)
    if state is CaseState.OPEN:
        case.release(left_to_sweep(ended), *steps, decision=summary)
    else:
        if state is not CaseState.WAITING:
            note_unwatched(ended, services)
        case.close(state, reason, *steps, decision=summary)
    drop_key(case.record, services.store)
    if _is_paused(ended):
        tell_today(case, Reason.CLUSTER_PAUSED, _PAUSED, services, severe=context.threat.is_severe)
    log.decided(decision, case.record, services.settings.function_url)
    return ending_of(case.record, decision, severe=context.threat.is_severe)


def _summary(context: Context, decision: Decision, services: Services) -> dict[str, Any]:
    """The decision as the case keeps it, with what is known of its target and of whom it concerns."""
    from scc_responder.execute.evidence.kept_facts import kept_facts  # noqa: PLC0415 - cold start

    people = contacts_of(context.finding.place, services)
    return decision_summary(context, decision, services.policies.digest, kept_facts(context, people))


def _end_of(record: CaseRecord, decision: Decision, services: Services) -> tuple[CaseState, Reason]:
    """The end that the case comes to, and why. People are told what others took away."""
    state = conclusion(record.current_steps, decision.modes)
    if by_others := tell_undone(record, services):
        return (CaseState.HELD if by_others == Reason.FOUGHT_OVER else state), by_others
    paused = _is_paused(record) and state is CaseState.HELD
    return state, Reason.CLUSTER_PAUSED if paused else approved_and_switched_off(record) or decision.reason


def _is_paused(record: CaseRecord) -> bool:
    return any(step.reason == Reason.CLUSTER_PAUSED for step in record.current_steps)


def _decided(target: _Target, case: ClaimedCase, services: Services, limit: KillSwitchCeiling) -> Decided:
    """Decide, look at what a disruption depends on, and guard: with what a look into the container has told so far."""
    told = case.record.inspection or Inspection()
    context = replace(target.context, artefact=told.artefact, compiler=told.compiler, now=services.clock())
    if asked := asked_by(services.policies.policies, context):
        from scc_responder.collect.asked_reads import read_asked  # noqa: PLC0415 - only where a policy asks

        context = read_asked(context, target.collected, asked)
    decision = under(limit, decide(context, services.policies.policies), context)
    look_again(context, decision, case, target.world)
    decision = without_standing(context, decision, case, target.world)
    context = look(context, target.collected, disruptions(decision))
    return context, *_guard(context, decision, target.collected, case, services)


def _see_deletion(case: ClaimedCase, services: Services, log: DeliveryLog, end: Settled) -> Ending:
    """See what came of the case's deletion before it comes to its end: that the finding is over does not tell.

    Raises Settled once it is known, or where there was none.
    """
    if end.confirmed is None or not any(step.is_awaited for step in case.record.steps):
        raise end
    case.confirmed(end.confirmed)
    target = _collect(end.confirmed, case, services, log)
    steps = execute(target.context, Decision(policies=()), case, target.world)
    if any(step.is_awaited for step in case.record.with_steps(steps).steps):
        case.release(Reason.DELETION_AWAITED, *steps)
        return Ending(status=204, reason=Reason.DELETION_AWAITED)
    case.save(*steps)
    raise end


def _collect(finding: Finding, case: ClaimedCase, services: Services, log: DeliveryLog) -> _Target:
    """What is known of the target, and whether it is the pod and the node, or the service, that this case is about."""
    acted, node_name = case.record.target_uids, case.record.node_name
    admit_request(finding.cluster_path, services)
    collected = collect(
        finding,
        services.bulkheads.watched(services.clusters, finding.cluster_path),
        services.findings,
        services.bulkheads.reads(finding.cluster_path),
        COLLECT_SECONDS,
        node_name=node_name,
        run=services.run if finding.cloud_run else None,
        revision=case.record.revision,
        settled=_acted_part(case.record),
    )
    refuse_busy(collected, services)
    context = collected.context
    context = replace(
        context,
        identity=bound(context.identity, context.pod or context.run_owner, acted, context.run_uids),
        node_identity=bound(context.node_identity, context.node, case.record.node_uids),
    )
    if not case.record.has_ended_pod:
        context = on_known_node(context, case.record.node_marks)
    elif collected.context.identity.checks.get("created") != HELD:
        # Of one name there is one pod at a time: one that was there at the event was not ended, whatever a record says.
        context = without_ended(context, acted)
    log.knows(context)
    world = _world(collected, services, log)
    refuse_shut(collected, case, services, world)
    return _Target(collected, context, world)


def _acted_part(record: CaseRecord) -> str:
    """The revision or execution of Cloud Run that the case acted upon since it was last opened; empty for none."""
    changes = (step.change for step in record.current_steps if step.expected_uid and "path" in step.change)
    parts = (change.get("revision") or change.get("execution") for change in changes)
    return next((str(part) for part in parts if part), "")


def _guard(
    context: Context, decision: Decision, collected: Collected, case: ClaimedCase, services: Services
) -> tuple[Decision, DeliveryError | None]:
    """Apply guardrails and approval. An approved plan is planned again first, and is valid only if identical.

    The error is what a later delivery is asked for with, where the decision depends on what could not be read: then the
    plan stays as it is.
    """
    policies, now, asked = services.policies, context.now or services.clock(), case.record.asked
    decision = asked_alone(decision, asked)

    def guarded() -> Decision:
        reach, planned_at = run_reach(services.settings), case.record.planned_at
        cut, rails = services.limiter(context.finding.place).cut, policies.guardrails
        return guard(context, decision, rails, now, planned_at=planned_at, reach=reach, asked=asked, cut=cut)

    as_planned = guarded()
    if error := unread_target(collected):
        return evidence_alone(as_planned, collected), error
    if error := unread_fact(collected, as_planned, case.record, now):
        return without_unread(as_planned, collected, case.record), error
    case.keep(review(case.record, context, as_planned, policies, now))
    decided, record = ask(guarded() if case.record.plan else as_planned, case.record, policies, now)
    case.keep(record)
    return decided, None


def _world(collected: Collected, services: Services, log: DeliveryLog) -> World:
    api, objects, finding = collected.api, collected.context.objects, collected.context.finding
    objects_by_path, pool = {}, collected.reads.pool
    if "pod" in objects:
        meta = objects["pod"]["metadata"]
        objects_by_path[api_paths.pod(meta["namespace"], meta["name"])] = objects["pod"]
        if "namespace" in objects:
            objects_by_path[api_paths.namespace(meta["namespace"])] = objects["namespace"]
    if "node" in objects:
        objects_by_path[api_paths.node(objects["node"]["metadata"]["name"])] = objects["node"]
    return World(
        cluster=ClusterSession(api, objects_by_path, services.wait, pool) if api else None,
        api=api,
        limiter=services.limiter(finding.place),
        warm_up=services.warm_up(finding.place),
        evidence=services.evidence,
        notifier=services.notifier,
        clock=services.clock,
        ceiling=partial(services.kill_switch.ceiling, finding.place),
        pool=pool,
        evidence_pool=services.evidence_pool,
        collector=CaseCollector(services.store, case_id(finding.key), services.settings.collector),
        unread=collected.errors,
        run=lambda: services.run,
        run_read={service.name.path: service} if (service := collected.context.service) else {},
        wait=services.wait,
        logs=lambda: services.logs,
        registry=lambda: services.registry,
        metrics=lambda: services.metrics,
        function_url=services.settings.function_url,
        until=steps_end(log.began, services.settings),
        waits_until=waits_end(log.began, services.settings),
        signer=services.signer,
        store=services.store,
    )
