"""The subresource `pods/eviction`: delete a pod, unless its disruption budget allows none now.

Source: policy/v1 Eviction; k8s.io/kubernetes/pkg/registry/core/pod/storage, `EvictionREST`.
"""

from __future__ import annotations

from scc_responder.domain.kubernetes.selectors import selects
from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server import refusal, validation
from scc_responder.workbench.simulated_cluster.server.objects import Objects
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget, Resource
from scc_responder.workbench.simulated_cluster.statuses import is_ready

_EVICTION = Resource(kind="Eviction", plural="evictions", group="policy")
_UNBUDGETED_PHASES = frozenset({"Pending", "Succeeded", "Failed"})


def evict(objects: Objects, target: RequestTarget, body: ApiObject, *, dry_run: bool) -> ApiObject:
    """Delete the pod as the Eviction's `deleteOptions` say, and answer with a Status. Raises Refusal."""
    validation.check_type(RequestTarget(resource=_EVICTION, namespace=target.namespace), body)
    if body["metadata"].get("name") != target.name:
        raise refusal.bad_request("name in URL does not match name in Eviction object")
    pod = objects.get(target)
    if not _is_unbudgeted(pod):
        _check_budgets(objects, pod)
    options = body.get("deleteOptions") or {}
    objects.delete(target, options, dry_run=dry_run or "All" in options.get("dryRun", ()))
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _is_unbudgeted(pod: ApiObject) -> bool:
    """Whether no budget keeps the pod: it does not run, or is on its way out."""
    return pod.get("status", {}).get("phase") in _UNBUDGETED_PHASES or "deletionTimestamp" in pod["metadata"]


def _check_budgets(objects: Objects, pod: ApiObject) -> None:
    labels = pod["metadata"].get("labels", {})
    found = objects.of_kind("PodDisruptionBudget", pod["metadata"]["namespace"])
    budgets = [budget for budget in found if selects(budget["spec"].get("selector"), labels)]
    if len(budgets) > 1:
        raise refusal.several_budgets()
    for budget in budgets:
        status = budget["status"]
        needed, healthy = status["desiredHealthy"], status["currentHealthy"]
        if status["disruptionsAllowed"] < 1 and not _is_spare(pod, budget):
            raise refusal.no_disruption_allowed(budget["metadata"]["name"], needed, healthy)


def _is_spare(pod: ApiObject, budget: ApiObject) -> bool:
    """Whether the pod is none of the healthy ones, and its budget lets such pods go."""
    status = budget["status"]
    always = budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
    return not is_ready(pod) and (always or status["currentHealthy"] >= status["desiredHealthy"] > 0)
