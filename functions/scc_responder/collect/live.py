"""Read the cluster right before a disruption: a few parallel requests for the present state.

The workload's replicas, the namespace's disruption budgets, the nodes of the pool, the pod's volume claims: only what
the planned actions would disrupt. An incomplete list is an error; an empty one is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from scc_responder.actions import Action
from scc_responder.collect.kubernetes_objects import budgets_of, node_pool, parse_job, parse_workload, pool_member
from scc_responder.collect.taints import is_kept_away, tolerations_of
from scc_responder.collect.target import Collected
from scc_responder.collect.unshared import unshared
from scc_responder.domain.changes import Disruption
from scc_responder.domain.context import (
    NO_SUCH_OWNER,
    Context,
    DisruptionBudget,
    LiveLook,
    Node,
    NodePool,
    Owner,
    Pod,
    Workload,
)
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.reasons import Reason

COUNTED = frozenset({"Deployment", "ReplicaSet", "StatefulSet", "ReplicationController"})
UNCOUNTED = frozenset({"Job", "CronJob", "DaemonSet"})
"""Workloads whose pods do not replace each other: none of their pods is the last replica."""

KUBERNETES = frozenset({"v1", "apps/v1", "batch/v1"})
"""API groups of the kinds above: anyone can define other kinds of the same name."""

LiveReads = dict[str, Callable[[], Any]]


def look(context: Context, collected: Collected, planned: Iterable[Action]) -> Context:
    """The context with the live state that the `planned` disruptions depend on; unchanged if there are none.

    Never raises for what cannot be read: it is missing, with its reason, and guards hold what depends on it.
    """
    return _looked(context, collected, tuple(planned))


def _looked(context: Context, collected: Collected, planned: tuple[Action, ...]) -> Context:
    api = collected.api
    if api is None or not planned:
        return context
    parts = _parts(api, context, planned)
    # What a policy asked for was read a moment ago, or could not be.
    known = {fact for fact in parts if getattr(context.live, fact, None) is not None} | collected.errors.keys()
    started = {fact: collected.reads.start(read) for fact, read in parts.items() if fact not in known}
    seen = {fact: collected.reads.result(fact, future) for fact, future in started.items()}
    live = replace(context.live or LiveLook(), **seen)
    return replace(context, live=live, missing=context.missing | collected.reads.missing)


def _parts(api: KubernetesApi, context: Context, planned: tuple[Action, ...]) -> LiveReads:
    parts: LiveReads = {}
    pod, node = context.pod, context.node
    if pod is not None and any(action.disrupts is Disruption.PODS for action in planned):
        of_pod = live_parts(api, context, pod)
        if pod.owners and context.missing.get("owner") not in NO_SUCH_OWNER:
            parts["workload"] = of_pod["workload"]
        if any(action.takes_replica and not action.asks_budgets for action in planned):
            parts["budgets"] = of_pod["budgets"]
        if any(action.detaches_pod for action in planned):
            parts["unshared"] = lambda: unshared(api, pod.namespace, context.objects.get("pod", {}))
    if node is not None and any(action.disrupts is Disruption.NODES for action in planned):
        parts["node_pool"] = lambda: _node_pool(api, node, context.objects)
    return parts


def live_parts(api: KubernetesApi, context: Context, pod: Pod) -> LiveReads:
    """How a pod's `workload` and `budgets` are read: each in one request at most. They raise ApiError."""
    return {"workload": lambda: _workload(api, context, pod), "budgets": lambda: _budgets(api, pod)}


def _workload(api: KubernetesApi, context: Context, pod: Pod) -> Workload:
    """The topmost owner that counts replicas; if an operator's kind owns it, the owner below that. Of a Job, the Job.

    At most one request, none if it was read already. Raises ApiError.
    """
    job = next((owner for owner in pod.owners if (owner.kind, owner.api_version) == ("Job", "batch/v1")), None)
    if job is not None:
        kept = context.objects.get(job.kind)
        present = owner_object(api, pod.namespace, job) if kept is None else kept
        return parse_job(present, job, context.objects.get("pod", {}))
    for owner in reversed(pod.owners):
        known = owner.api_version in KUBERNETES
        if known and owner.kind in UNCOUNTED:
            return Workload(kind=owner.kind, name=owner.name)
        if known and owner.kind in COUNTED:
            return parse_workload(context.objects.get(owner.kind) or owner_object(api, pod.namespace, owner), owner)
    raise ApiError(Reason.UNKNOWN_KIND, "nothing that owns the pod is a workload kind of Kubernetes itself")


def owner_object(api: KubernetesApi, namespace: str, owner: Owner) -> ApiObject:
    """An owner as it is now. Raises ApiError, `owner_replaced` where it is another of the same name."""
    found = api.get(api_paths.owner(namespace, owner.api_version, owner.kind, owner.name))
    if found["metadata"]["uid"] != owner.uid:
        raise ApiError(Reason.OWNER_REPLACED, "the pod's owner is another object of the same name")
    return found


def _budgets(api: KubernetesApi, pod: Pod) -> tuple[DisruptionBudget, ...]:
    return budgets_of(pod.labels, api.list(api_paths.disruption_budgets(pod.namespace)))


def _node_pool(api: KubernetesApi, own: Node, objects: Mapping[str, ApiObject]) -> NodePool:
    """The pool, with the target node as it was read before: another finding may have cordoned it since."""
    tolerations = tolerations_of(objects.get("pod"), objects.get("node"))
    selector = api_paths.nodes_of_pool(own.node_pool)
    member = partial(pool_member, own=own, tolerations=tolerations)
    pool = node_pool(own.node_pool, api.gather(api_paths.nodes(), member, label_selector=selector))
    return replace(pool, target_takes_pods=not is_kept_away(objects.get("node", {}), tolerations))
