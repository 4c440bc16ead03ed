"""Kubernetes objects as the API server sends them, reduced to what decisions look at.

Source: core/v1 Pod, Node, Namespace; meta/v1 OwnerReference. Absent fields are ordinary: nothing here raises for them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from scc_responder.context import ContainerStatus, Namespace, Node, Owner, Pod

_INSTANCE_ID = "container.googleapis.com/instance_id"
_NODE_POOL = "cloud.google.com/gke-nodepool"
_MIRROR = "kubernetes.io/config.mirror"
_STATES = ("running", "terminated")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")

Object = Mapping[str, Any]


def parse_pod(pod: Object, owners: Sequence[Owner] = ()) -> Pod:
    """A core/v1 Pod. `owners` is the chain as far as it was read; the pod's own controller where none is given."""
    meta, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    direct = controller(pod)
    return Pod(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        creation_time=_time(meta["creationTimestamp"]),
        node_name=spec.get("nodeName", ""),
        phase=status.get("phase", ""),
        host_network=bool(spec.get("hostNetwork", False)),
        mirror=_MIRROR in meta.get("annotations", {}),
        deletion_time=_time(meta["deletionTimestamp"]) if "deletionTimestamp" in meta else None,
        finalizers=tuple(meta.get("finalizers", ())),
        labels=meta.get("labels", {}),
        annotations=meta.get("annotations", {}),
        owners=tuple(owners) or ((direct,) if direct else ()),
        containers=tuple(_container(item) for field in _STATUSES for item in status.get(field, ())),
        service_account=spec.get("serviceAccountName", ""),
    )


def parse_node(node: Object) -> Node:
    """A core/v1 Node."""
    meta = node["metadata"]
    labels = meta.get("labels", {})
    return Node(
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        unschedulable=bool(node.get("spec", {}).get("unschedulable", False)),
        instance_id=meta.get("annotations", {}).get(_INSTANCE_ID, ""),
        node_pool=labels.get(_NODE_POOL, ""),
        labels=labels,
        annotations=meta.get("annotations", {}),
    )


def parse_namespace(namespace: Object) -> Namespace:
    """A core/v1 Namespace."""
    meta = namespace["metadata"]
    return Namespace(
        name=meta["name"],
        uid=meta["uid"],
        labels=meta.get("labels", {}),
        annotations=meta.get("annotations", {}),
    )


def controller(item: Object) -> Owner | None:
    """The object's controlling owner, from its `ownerReferences`."""
    for reference in item["metadata"].get("ownerReferences", ()):
        if reference.get("controller"):
            return Owner(
                kind=reference["kind"],
                name=reference["name"],
                uid=reference["uid"],
                api_version=reference.get("apiVersion", ""),
            )
    return None


def _container(status: Object) -> ContainerStatus:
    # A container that waits for its restart is known by its last run.
    states = [status.get(when, {}).get(name, {}) for when in ("state", "lastState") for name in _STATES]
    started = next((state["startedAt"] for state in states if state.get("startedAt")), None)
    return ContainerStatus(
        name=status["name"],
        image=status.get("image", ""),
        image_id=status.get("imageID", ""),
        started_at=_time(started) if started else None,
        restart_count=status.get("restartCount", 0),
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
