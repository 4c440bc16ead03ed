"""Kubernetes objects as the API server sends them, reduced to what decisions look at.

Absent fields are normal: nothing here raises for them.
Source: core/v1 Pod, Node, Namespace; meta/v1 OwnerReference; apps/v1; policy/v1 PodDisruptionBudget.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from scc_responder.collect.taints import is_kept_away
from scc_responder.domain.context import (
    ContainerStatus,
    DisruptionBudget,
    Namespace,
    Node,
    NodePool,
    Owner,
    Pod,
    Workload,
    Zone,
)
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.pod_network import has_further_interfaces, node_system, operating_system
from scc_responder.domain.kubernetes.selectors import selects
from scc_responder.domain.ports import ApiObject
from scc_responder.intake.fields import integer

_INSTANCE_ID = "container.googleapis.com/instance_id"
_ZONE = "topology.kubernetes.io/zone"
_MIRROR = "kubernetes.io/config.mirror"
MOST_NAME_LETTERS = 300
"""More than any name or UID has that an API server gives: what is longer names nothing, and is kept no longer.

Whoever makes a pod writes what they like into its owners, and ledgers and cases keep that.
"""
_JOB_ENDS = frozenset({"Complete", "Failed", "SuccessCriteriaMet", "FailureTarget"})
_DEFAULT_BACKOFF_LIMIT = 6
_INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
_STATES = ("running", "terminated")
_STATUSES = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_SPECS = ("containers", "initContainers", "ephemeralContainers")


def parse_pod(pod: ApiObject, owners: Sequence[Owner] = ()) -> Pod:
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
        ready=_is_ready(pod),
        host_network=bool(spec.get("hostNetwork", False)),
        operating_system=operating_system(pod),
        further_interfaces=has_further_interfaces(pod),
        mirror=_MIRROR in meta.get("annotations", {}),
        deletion_time=_time(meta["deletionTimestamp"]) if "deletionTimestamp" in meta else None,
        finalizers=tuple(meta.get("finalizers", ())),
        labels=meta.get("labels", {}),
        annotations=meta.get("annotations", {}),
        owners=tuple(owners) or ((direct,) if direct else ()),
        containers=_containers(spec, status),
        service_account=spec.get("serviceAccountName", ""),
    )


def parse_node(node: ApiObject) -> Node:
    """A core/v1 Node."""
    meta = node["metadata"]
    labels = meta.get("labels", {})
    return Node(
        name=meta["name"],
        uid=meta["uid"],
        resource_version=meta["resourceVersion"],
        creation_time=_time(meta["creationTimestamp"]) if meta.get("creationTimestamp") else None,
        unschedulable=bool(node.get("spec", {}).get("unschedulable", False)),
        ready=_is_ready(node),
        instance_id=meta.get("annotations", {}).get(_INSTANCE_ID, ""),
        node_pool=labels.get(api_paths.NODE_POOL, ""),
        zone=labels.get(_ZONE, ""),
        operating_system=node_system(node),
        labels=labels,
        annotations=meta.get("annotations", {}),
    )


def parse_namespace(namespace: ApiObject) -> Namespace:
    """A core/v1 Namespace."""
    meta = namespace["metadata"]
    return Namespace(
        name=meta["name"], uid=meta["uid"], labels=meta.get("labels", {}), annotations=meta.get("annotations", {})
    )


def parse_workload(workload: ApiObject, owner: Owner) -> Workload:
    """A workload that counts replicas: a Deployment, ReplicaSet, StatefulSet or ReplicationController."""
    wanted = workload.get("spec", {}).get("replicas", 1)
    ready = workload.get("status", {}).get("readyReplicas", 0)
    return Workload(kind=owner.kind, name=owner.name, replicas=wanted, ready=ready)


def selecting_keys(workload: ApiObject) -> tuple[str, ...]:
    """The keys of the labels that a pod has to have to be the workload's: without them no selector matches it."""
    selector = workload.get("spec", {}).get("selector") or {}
    required = (item for item in selector.get("matchExpressions") or () if item["operator"] in {"In", "Exists"})
    return tuple(sorted({*(selector.get("matchLabels") or ()), *(item["key"] for item in required)}))


def parse_job(job: ApiObject, owner: Owner, pod: ApiObject) -> Workload:
    """A Job: it counts no replicas. Source: batch/v1 Job; k8s.io/kubernetes/pkg/controller/job, `syncJob`."""
    spec, status = job.get("spec", {}), job.get("status", {})
    ended = any(item["type"] in _JOB_ENDS and item["status"] == "True" for item in status.get("conditions") or ())
    noted = len((status.get("uncountedTerminatedPods") or {}).get("failed") or ())
    counted, most = status.get("failed", 0) + noted + _restarts(pod), spec.get("backoffLimit", _DEFAULT_BACKOFF_LIMIT)
    if spec.get("backoffLimitPerIndex") is not None:
        of_index = integer(pod.get("metadata", {}).get("annotations", {}).get(_INDEX_FAILURES, "0"))
        last = of_index is None or not 0 <= of_index < spec["backoffLimitPerIndex"]
        most = spec.get("backoffLimit", counted + 1)
        return Workload(kind=owner.kind, name=owner.name, has_no_retry=not ended and (last or counted >= most))
    return Workload(kind=owner.kind, name=owner.name, has_no_retry=not ended and counted >= most)


def _restarts(pod: ApiObject) -> int:
    """The restarts of a pod whose containers a Job restarts in place: each counts as a failure."""
    if pod.get("spec", {}).get("restartPolicy") != "OnFailure":
        return 0
    return sum(item.get("restartCount", 0) for item in pod.get("status", {}).get("containerStatuses") or ())


def budgets_of(labels: Mapping[str, str], budgets: Iterable[ApiObject]) -> tuple[DisruptionBudget, ...]:
    """The PodDisruptionBudgets, of all in the namespace, that select a pod of these labels."""
    selecting = (item for item in budgets if selects(item.get("spec", {}).get("selector"), labels))
    return tuple(
        DisruptionBudget(name=item["metadata"]["name"], disruptions_allowed=_allowed(item)) for item in selecting
    )


def pool_member(node: ApiObject, own: Node | None = None, tolerations: Sequence[ApiObject] = ()) -> tuple[str, bool]:
    """A node's zone, and whether it takes pods: all that a pool of thousands needs to know of it.

    `own` is known; what keeps pods away from it now may be another finding's work. `tolerations` are those of the pod
    that needs another place.
    """
    if own and node["metadata"]["uid"] == own.uid:
        return own.zone, bool(own.ready) and not own.unschedulable
    takes_pods = (
        _is_ready(node) and not node.get("spec", {}).get("unschedulable") and not is_kept_away(node, tolerations)
    )
    return node["metadata"].get("labels", {}).get(_ZONE, ""), bool(takes_pods)


def node_pool(name: str, members: Iterable[tuple[str, bool]]) -> NodePool:
    """A pool of these members (see `pool_member`)."""
    zones: dict[str, Zone] = {}
    for place, takes_pods in members:
        zone = zones.get(place, Zone(nodes=0, schedulable=0))
        zones[place] = Zone(nodes=zone.nodes + 1, schedulable=zone.schedulable + int(takes_pods))
    return NodePool(name=name, zones=zones)


def _allowed(budget: ApiObject) -> int:
    """The disruptions that the budget allows now: 0 until its controller saw the last change, as for evictions."""
    status = budget.get("status", {})
    seen = status.get("observedGeneration", 0) >= budget["metadata"].get("generation", 0)
    return int(status.get("disruptionsAllowed", 0)) if seen else 0


def _is_ready(item: ApiObject) -> bool | None:
    """The object's `Ready` condition, or None where it has none."""
    conditions = item.get("status", {}).get("conditions", ())
    return next((entry.get("status") == "True" for entry in conditions if entry.get("type") == "Ready"), None)


def controller(item: ApiObject) -> Owner | None:
    """The object's controlling owner, from its `ownerReferences`."""
    for reference in item["metadata"].get("ownerReferences", ()):
        if reference.get("controller"):
            said = {key: reference.get(key, "")[:MOST_NAME_LETTERS] for key in ("kind", "name", "uid", "apiVersion")}
            return Owner(api_version=said.pop("apiVersion"), **said)
    return None


def _containers(spec: ApiObject, status: ApiObject) -> tuple[ContainerStatus, ...]:
    """What kubelets report; of what none reports yet, or no longer, the name and image that the spec asks for."""
    reported = [_container(item) for field in _STATUSES for item in status.get(field) or ()]
    names = {item.name for item in reported}
    asked = (item for field in _SPECS for item in spec.get(field) or () if item["name"] not in names)
    return (*reported, *(ContainerStatus(name=item["name"], image=item.get("image", "")) for item in asked))


def _container(status: ApiObject) -> ContainerStatus:
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
