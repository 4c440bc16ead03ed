"""Whether what a case did to a pod and its node is still so, and what its workload made in the pod's place.

Nothing is written, and at most four requests are made: the pod, its NetworkPolicy, the node, and the workload's pods;
where the pod was deleted, the workload is read for their labels, and no NetworkPolicy. A pod or node that is gone, or
has another UID, lost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from msgspec.structs import replace

from scc_responder.collect.image_names import digest_in
from scc_responder.collect.kubernetes_objects import parse_pod
from scc_responder.domain.changes import Change, kind_of_stored
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy
from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Pod
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import ApiObject, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import not_the_target
from scc_responder.journal.step import Step
from scc_responder.journal.watch.watch import MOST_GONE, Replacement
from scc_responder.pipeline.looks.unseen import kept_change

_Read = Callable[[str], ApiObject | None]
_WORKLOADS = {
    "ReplicationController": "v1",
    "ReplicaSet": "apps/v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "DaemonSet": "apps/v1",
}
"""Workloads that make another pod in the place of one that is gone, with their API versions."""
_CLOCKS_DIFFER = timedelta(seconds=5)
_NOT_FOUND = 404


class ClusterLook:
    """One look into one cluster, through its API. Every method raises ApiError."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._read: _Read = cache(self._get)

    def gone(self, steps: Iterable[Step]) -> tuple[str, ...]:
        """The effects of these steps that others took away, as `action: reason`."""
        undone = ((step.action, taken_away(kept_change(step), self._read)) for step in steps)
        return tuple(f"{action}: {reason}" for action, reason in undone if reason)[:MOST_GONE]

    def standing(self, steps: Iterable[Step]) -> tuple[str, ...]:
        """The isolations and cordons among them whose pod or node is there still, by what `gone` has read."""
        told = ((step.action, _still_on(kept_change(step), self._read)) for step in steps)
        return tuple(dict.fromkeys(f"{action}: {name}" for action, name in told if name))

    def replacement(self, steps: Sequence[Step], decision: Mapping[str, Any]) -> Replacement | None:
        """The newest pod in the place of one that was deleted or detached; None where the workload makes none.

        `decision` is the case's: its pod with namespace, uid and `workload` as `Kind/name`, and the finding's images.
        """
        pod = decision.get("pod") or {}
        left = [step for step in steps if _leaves(step)]
        since = min((step.intended_at or step.settled_at for step in left if step.settled_at), default=None)
        labels = self._labels(left, pod) if since else None
        if since is None or not labels:
            return None
        selector = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
        kept = self._api.gather(api_paths.pods(pod["namespace"]), parse_pod, label_selector=selector)
        newest = _newest(kept, str(pod.get("uid", "")), since - _CLOCKS_DIFFER)
        return replace(newest, same_image=not {*newest.digests}.isdisjoint(decision.get("images", ())))

    def _labels(self, left: Iterable[Step], pod: Mapping[str, Any]) -> Mapping[str, str] | None:
        """The labels of the workload's pods: those that a detachment took away, or those that the workload names."""
        detached = [change for step in left if isinstance(change := kept_change(step), DetachPod)]
        if detached:
            return detached[-1].labels
        kind, _, name = str(pod.get("workload") or "").partition("/")
        if kind not in _WORKLOADS:
            return None
        read = self._read(api_paths.owner(pod["namespace"], _WORKLOADS[kind], kind, name))
        selector = read["spec"].get("selector") or {} if read else {}
        labels: Mapping[str, str] = selector if kind == "ReplicationController" else selector.get("matchLabels", {})
        return labels

    def _get(self, path: str) -> ApiObject | None:
        try:
            return self._api.get(path)
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise


def taken_away(change: Change | None, read: _Read) -> Reason | None:
    """What others did to the effect of a change; None where it is still so, or its object is gone, or nothing tells."""
    match change:
        case CreateNetworkPolicy():
            return _let_out(change, read)
        case DetachPod():
            pod = read(api_paths.pod(change.namespace, change.name))
            is_back = not not_the_target(pod, change.uid) and change.labels.items() <= _labels_of(pod).items()
            return Reason.ATTACHED_AGAIN if is_back else None
        case PatchObject(kind="Node"):
            node = read(api_paths.node(change.name))
            spec = node.get("spec", {}) if node else {}
            stands = not_the_target(node, change.uid) or change.spec.items() <= spec.items()
            return None if stands else Reason.UNCORDONED
    return None


def _still_on(change: Change | None, read: _Read) -> str:
    """The pod or node that the change is on still; empty where that is gone or replaced, or of any other change."""
    match change:
        case CreateNetworkPolicy():
            pod = read(api_paths.pod(change.namespace, change.pod_name))
            return "" if not_the_target(pod, change.pod_uid) else f"{change.namespace}/{change.pod_name}"
        case PatchObject(kind="Node", spec=spec) if spec:
            return "" if not_the_target(read(api_paths.node(change.name)), change.uid) else change.name
    return ""


def _let_out(change: CreateNetworkPolicy, read: _Read) -> Reason | None:
    pod = read(api_paths.pod(change.namespace, change.pod_name))
    if not_the_target(pod, change.pod_uid):
        return None
    policy = read(api_paths.network_policy(change.namespace, change.name))
    if policy is None or not change.is_isolating(policy):
        return Reason.NETWORK_POLICY_REMOVED
    selected = policy["spec"]["podSelector"]["matchLabels"]
    return None if selected.items() <= _labels_of(pod).items() else Reason.LABEL_REMOVED


def _labels_of(read: ApiObject | None) -> dict[str, str]:
    return (read["metadata"].get("labels") or {}) if read else {}


def _leaves(step: Step) -> bool:
    kind = kind_of_stored(step.change)
    return kind is not None and (kind.ends_pod or kind.detaches_pod)


def _newest(pods: Iterable[Pod], own_uid: str, since: datetime) -> Replacement:
    newer = [pod for pod in pods if pod.uid != own_uid and pod.creation_time >= since and not pod.deletion_time]
    if not newer:
        return Replacement()
    pod = max(newer, key=lambda each: each.creation_time)
    return Replacement(name=pod.name, ready=pod.ready is True, digests=tuple(_digests(pod)))


def _digests(pod: Pod) -> Iterator[str]:
    return (f"sha256:{digest}" for container in pod.containers if (digest := digest_in(container.image_id)))
