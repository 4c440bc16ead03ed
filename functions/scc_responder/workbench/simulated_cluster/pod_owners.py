"""Which controller has which pod: one lets go of pods that its selector no longer matches, and adopts those it does.

Source: k8s.io/kubernetes/pkg/controller, `PodControllerRefManager`.
"""

from __future__ import annotations

from typing import Any

from scc_responder.domain.kubernetes.selectors import selects
from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.objects import Objects

CLAIMING = ("ReplicaSet", "StatefulSet", "DaemonSet")


def owned_by(owner: ApiObject) -> ApiObject:
    """The `ownerReferences` entry that makes an object the owner's."""
    metadata = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def claim_pods(objects: Objects) -> None:
    """Let every controller release pods, then adopt what has none."""
    for change in (_released, _adopted):
        for kind in CLAIMING:
            for workload in objects.stored(kind):
                for pod in objects.stored("Pod", workload["metadata"]["namespace"]):
                    _put(objects, pod, change(workload, pod))


def _put(objects: Objects, pod: ApiObject, owners: list[Any] | None) -> None:
    if owners is not None and "deletionTimestamp" not in pod["metadata"]:
        objects.replace({**pod, "metadata": {**pod["metadata"], "ownerReferences": owners}})


def _released(workload: ApiObject, pod: ApiObject) -> list[Any] | None:
    """The pod's owners without this one; None where it stays, or is none."""
    owners, uid = pod["metadata"].get("ownerReferences", []), workload["metadata"]["uid"]
    left = [owner for owner in owners if owner["uid"] != uid]
    return left if left != owners and not _selects(workload, pod, otherwise=True) else None


def _adopted(workload: ApiObject, pod: ApiObject) -> list[Any] | None:
    """The pod's owners with this one; None where another controller has it, or it is not selected."""
    owners = pod["metadata"].get("ownerReferences", [])
    is_orphan = not any(owner.get("controller") for owner in owners)
    return [*owners, owned_by(workload)] if is_orphan and _selects(workload, pod, otherwise=False) else None


def _selects(workload: ApiObject, pod: ApiObject, *, otherwise: bool) -> bool:
    """Whether the workload's selector matches the pod; `otherwise` where it has none."""
    selector = workload.get("spec", {}).get("selector")
    return otherwise if selector is None else selects(selector, pod["metadata"].get("labels", {}))
