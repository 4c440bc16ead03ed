"""What controllers and kubelets report of nodes, workloads and disruption budgets.

Source: apps/v1 `status.readyReplicas`; core/v1 Node `Ready`; policy/v1 PodDisruptionBudget and its controller,
k8s.io/kubernetes/pkg/controller/disruption.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scc_responder.domain.kubernetes.selectors import selects
from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.objects import Objects, kubernetes_time


def update_statuses(objects: Objects) -> None:
    """Bring every status to what is there now."""
    pods = objects.stored("Pod")
    for node in objects.stored("Node"):
        if "conditions" not in node.get("status", {}):
            objects.replace({**node, "status": {**node.get("status", {}), "conditions": [ready_condition()]}})
    for kind in ("ReplicaSet", "Deployment", "StatefulSet"):
        for workload in objects.stored(kind):
            here = [pod for pod in pods if pod["metadata"]["namespace"] == workload["metadata"]["namespace"]]
            _put(objects, workload, _replicas(workload, here))
    for budget in objects.stored("PodDisruptionBudget"):
        here = [pod for pod in pods if pod["metadata"]["namespace"] == budget["metadata"]["namespace"]]
        _put(objects, budget, _budget(budget, here, objects))


def ready_condition() -> ApiObject:
    """The condition of a node or pod that is ready."""
    return {"type": "Ready", "status": "True"}


def terminated(status: ApiObject, moment: datetime) -> ApiObject:
    """A pod's status once its kubelet has stopped its containers, of every kind; what had ended before stays so."""
    fields = [name for name in status if name.lower().endswith("containerstatuses")]
    ended = {name: [_stopped(item, moment) for item in status[name]] for name in fields}
    return {**status, **ended, "phase": "Failed", "conditions": [{**ready_condition(), "status": "False"}]}


def _stopped(container: ApiObject, moment: datetime) -> ApiObject:
    running = container.get("state", {}).get("running", {})
    end = {"exitCode": 143, "reason": "Error", "finishedAt": kubernetes_time(moment), **running}
    state = container["state"] if "terminated" in container.get("state", {}) else {"terminated": end}
    return {**container, "ready": False, "started": False, "state": state}


def is_ready(pod: ApiObject) -> bool:
    """Whether the pod counts as a working replica: one that is on its way out does not."""
    return has_ready_condition(pod) and "deletionTimestamp" not in pod["metadata"]


def has_ready_condition(pod: ApiObject) -> bool:
    """Whether the pod's containers answer their probes."""
    conditions = pod.get("status", {}).get("conditions", ())
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def _put(objects: Objects, item: ApiObject, status: ApiObject) -> None:
    if item.get("status") != status:
        objects.replace({**item, "status": status})


def _replicas(workload: ApiObject, pods: Sequence[ApiObject]) -> ApiObject:
    own = _selected(pods, workload["spec"]["selector"])
    ready = sum(map(is_ready, own))
    return {"replicas": len(own), **({"readyReplicas": ready} if ready else {})}


def _budget(budget: ApiObject, pods: Sequence[ApiObject], objects: Objects) -> ApiObject:
    spec = budget["spec"]
    own = _selected(pods, spec.get("selector"))
    expected = _expected(own, objects)
    healthy = sum(map(is_ready, own))
    if "maxUnavailable" in spec:
        needed = max(0, expected - _share(spec["maxUnavailable"], expected))
    else:
        needed = _share(spec.get("minAvailable", 1), expected)
    return {
        "observedGeneration": budget["metadata"].get("generation", 1),
        "currentHealthy": healthy,
        "desiredHealthy": needed,
        "expectedPods": expected,
        "disruptionsAllowed": max(0, healthy - needed),
    }


def _selected(pods: Sequence[ApiObject], selector: Any) -> list[ApiObject]:
    return [pod for pod in pods if selects(selector, pod["metadata"].get("labels", {}))]


def _expected(pods: Sequence[ApiObject], objects: Objects) -> int:
    """The replicas that the pods' controllers want, and every pod that has none."""
    owners = {ref["uid"] for pod in pods for ref in pod["metadata"].get("ownerReferences", ())}
    workloads = (item for kind in ("ReplicaSet", "StatefulSet") for item in objects.stored(kind))
    wanted = sum(item["spec"].get("replicas", 1) for item in workloads if item["metadata"]["uid"] in owners)
    return int(wanted) + sum(not pod["metadata"].get("ownerReferences") for pod in pods)


def _share(amount: int | str, of: int) -> int:
    """A number, or a percentage rounded up."""
    return amount if isinstance(amount, int) else math.ceil(of * int(amount.removesuffix("%")) / 100)
