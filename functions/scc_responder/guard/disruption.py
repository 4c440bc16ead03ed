"""Why the state of the cluster holds a disruption, and what the disruption counts as in the ledger. Pure.

Deny wins, also for unknown facts: what could not be read holds the step. Isolation is limited by the ledger alone: it
must be possible to cut off the only replica that an attacker has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scc_responder.actions import Action, actions
from scc_responder.domain.changes import Change, Disruption
from scc_responder.domain.context import NO_SUCH_OWNER, Context, Pod
from scc_responder.domain.finding import Confidence
from scc_responder.domain.reasons import Reason
from scc_responder.guard.limits.ledger_document import Budget, DisruptionKind, DisruptionRequest
from scc_responder.journal.step import Step

_ENDED_PHASES = frozenset({"Succeeded", "Failed"})
_SURE = frozenset({Confidence.LIKELY, Confidence.CONFIRMED})
_KINDS: dict[Disruption, DisruptionKind] = {Disruption.NODES: "nodes", Disruption.SERVICES: "services"}
UNHEALTHY_SHARE = 0.25
"""Share of a pool's nodes: if as many take no pods already, no other node is cordoned."""


def disruption_reason(context: Context, action: Action, changes: Iterable[Change]) -> Reason | None:
    """Why the cluster's state does not allow the disruption, or None."""
    if action.disrupts is Disruption.NODES:
        return _node_reason(context)
    if action.disrupts is Disruption.SERVICES:
        return _run_reason(context)
    if action.takes_replica and context.pod is not None:
        any_replica = any(change.any_replica for change in changes)
        unshared = _unshared_reason(context) if action.detaches_pod and not any_replica else None
        return unshared or _pod_reason(context, context.pod, action, any_replica=any_replica)
    return None


def _run_reason(context: Context) -> Reason | None:
    owner = context.run_owner
    if owner is None:
        return Reason.SERVICE_UNREADABLE
    return Reason.SERVICE_DELETING if owner.delete_time else None


def _pod_reason(context: Context, pod: Pod, action: Action, *, any_replica: bool) -> Reason | None:
    workload = context.live.workload if context.live else None
    if workload and workload.has_no_retry and not any_replica and pod.phase not in _ENDED_PHASES:
        return Reason.JOB_WOULD_FAIL
    if pod.ready is False:
        # Nothing that works is taken away.
        return None
    last = None if any_replica else _replica_reason(context, pod)
    return last or (None if action.asks_budgets else _budget_reason(context))


def _unshared_reason(context: Context) -> Reason | None:
    """Why no replacement might come up while the pod stays, or None."""
    unshared = context.live.unshared if context.live else None
    return Reason.VOLUMES_UNREAD if unshared is None else next(map(Reason.read, unshared), None)


def _replica_reason(context: Context, pod: Pod) -> Reason | None:
    if not pod.owners or context.missing.get("owner") in NO_SUCH_OWNER:
        return None
    workload = context.live.workload if context.live else None
    if workload is None:
        return Reason.WORKLOAD_UNREAD
    counts = workload.ready is not None and workload.replicas is not None
    return Reason.LAST_READY_REPLICA if counts and (workload.ready or 0) <= 1 else None


def _budget_reason(context: Context) -> Reason | None:
    budgets = context.live.budgets if context.live else None
    if budgets is None:
        return Reason.BUDGETS_UNREAD
    if len(budgets) > 1:
        # The eviction API refuses that too: Kubernetes does not say which of them counts.
        return Reason.SEVERAL_DISRUPTION_BUDGETS
    return Reason.DISRUPTION_BUDGET if any(budget.disruptions_allowed < 1 for budget in budgets) else None


def _node_reason(context: Context) -> Reason | None:
    node, pool = context.node, context.live.node_pool if context.live else None
    if node is None:
        return None
    if pool is None or node.zone not in pool.zones:
        return Reason.NODE_POOL_UNREAD
    if pool.nodes - pool.schedulable >= UNHEALTHY_SHARE * pool.nodes:
        return Reason.NODE_POOL_UNHEALTHY
    takes_pods = node.ready is not False and not node.unschedulable and pool.target_takes_pods
    is_last = takes_pods and min(pool.schedulable, pool.zones[node.zone].schedulable) <= 1
    return Reason.LAST_SCHEDULABLE_NODE if is_last else None


def budget_of(action: Action) -> Budget:
    """Which limits and breakers the action counts in."""
    cuts = action.disrupts is Disruption.PODS and action.reversible
    return Budget.ISOLATION if cuts else Budget.DISRUPTION


def disruption_request(context: Context, action: Action, action_id: str) -> DisruptionRequest | None:
    """The ledger request of the action; None if it disrupts nothing that was read."""
    cluster = context.finding.cluster
    if action.disrupts is Disruption.NODES and context.node is not None and cluster is not None:
        scopes = {"project": cluster.project, "node_pool": context.node.node_pool}
        share_of = context.live.node_pool.nodes if context.live and context.live.node_pool else None
        return DisruptionRequest(
            action_id=action_id,
            target=context.node.uid,
            kind="nodes",
            scopes=scopes,
            share_of=share_of,
            cluster=cluster.path,
        )
    if action.disrupts is Disruption.PODS and context.pod is not None and cluster is not None:
        pod = context.pod
        scopes = {
            "project": cluster.project,
            "owner": _owner(context, pod),
            "namespace": pod.namespace,
            "node": pod.node_name,
        }
        scopes |= {"node_pool": context.node.node_pool} if context.node else {}
        return DisruptionRequest(
            action_id=action_id,
            target=pod.uid,
            kind="pods",
            budget=budget_of(action),
            scopes=scopes,
            share_of=_replicas(context),
            cluster=cluster.path,
            is_likely=context.threat.confidence in _SURE and context.finding.pod is not None,
        )
    return _run_request(context, action_id) if action.disrupts is Disruption.SERVICES else None


def held_request(decision: Mapping[str, Any], step: Step) -> DisruptionRequest:
    """What a held step counts as, by the decision that its case keeps.

    A scope that the case does not keep is empty: any breaker of that scope holds the step.
    """
    action = actions()[step.action]
    kind = _KINDS.get(action.disrupts, "pods")
    pod, run = decision.get("pod") or {}, decision.get("cloud_run") or {}
    known = {
        "pods": {"owner": decision.get("workload_uid"), "namespace": pod.get("namespace"), "node": pod.get("node")},
        "services": {"service": run.get("name"), "project": ""},
    }
    scopes = {scope: str(value or "") for scope, value in known.get(kind, {}).items()}
    scopes |= {} if kind == "services" else {"node_pool": ""}
    target, budget = step.expected_uid, budget_of(action)
    return DisruptionRequest(action_id=step.action_id, target=target, kind=kind, budget=budget, scopes=scopes)


def _run_request(context: Context, action_id: str) -> DisruptionRequest | None:
    """What counts is the revision or execution that is meant, where one is; else the service or job."""
    owner = context.run_owner
    if owner is None:
        return None
    meant = context.revision or context.execution or owner
    scopes = {"service": owner.name.path, "project": owner.name.project}
    return DisruptionRequest(action_id=action_id, target=meant.uid, kind="services", scopes=scopes)


def _owner(context: Context, pod: Pod) -> str:
    """The workload that loses a replica: the pod itself where it has none; empty, so any, where it was not read."""
    alone = pod.workload is None or context.missing.get("owner") in NO_SUCH_OWNER
    if "owner" in context.missing and not alone and not context.owner_unreadable:
        return ""
    return pod.uid if alone or pod.workload is None else pod.workload.uid


def _replicas(context: Context) -> int | None:
    """The replicas that are ready: a share is of what works, not of what is wanted."""
    return context.live.workload.ready if context.live and context.live.workload else None
