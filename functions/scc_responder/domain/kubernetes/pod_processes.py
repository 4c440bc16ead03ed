"""Whether the processes of a pod have ended, and when, by what its kubelet reports of its containers. Pure.

The object says nothing of that: a finalizer keeps it for longer, and a forced deletion takes it away before.
Source: core/v1 ContainerStatus; k8s.io/kubernetes/pkg/kubelet/status, `TerminatePod`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from scc_responder.domain.ports import ApiObject

_STATUSES = {
    "containers": "containerStatuses",
    "initContainers": "initContainerStatuses",
    "ephemeralContainers": "ephemeralContainerStatuses",
}
_FINAL_PHASES = frozenset({"Succeeded", "Failed"})
_OWN_POLICIES = {"initContainers": "OnFailure", "ephemeralContainers": "Never"}
"""The restart policy of containers that do not follow their pod's."""

MOST_GRACE_SECONDS = 2**63 // 10**9
"""Anyone may ask for more: of such a period the API server's own sum is wrong, and no deletion's time is known."""


def processes_ended(pod: ApiObject) -> bool:
    """Whether every container of the pod, also init and ephemeral ones, has ended for good or never ran."""
    spec = pod.get("spec", {})
    if not spec.get("nodeName"):
        return "spec" in pod
    asked = {(field, item["name"]) for field in _STATUSES for item in spec.get(field) or ()}
    reported = {(field, status["name"]): status for field, status in _reported(pod)}
    return asked <= reported.keys() and all(_has_ended(pod, field, item) for (field, _), item in reported.items())


def last_end(pod: ApiObject) -> datetime | None:
    """When the last process ended, by the node's clock, to the second. None: none ran."""
    ends = (_terminated(status).get("finishedAt") for _, status in _reported(pod))
    times = [_time(end) for end in ends if end]
    return max(times, default=None)


def _reported(pod: ApiObject) -> Iterator[tuple[str, ApiObject]]:
    status = pod.get("status", {})
    return ((field, item) for field, name in _STATUSES.items() for item in status.get(name) or ())


def _terminated(status: ApiObject) -> ApiObject:
    ended: ApiObject = (status.get("state") or {}).get("terminated") or {}
    return ended


def _has_ended(pod: ApiObject, field: str, status: ApiObject) -> bool:
    """A kubelet that lost a container says `terminated` without an end: of one that ran, that proves nothing."""
    ended, is_final = _terminated(status), pod["status"].get("phase") in _FINAL_PHASES
    if not ended.get("finishedAt"):
        never_ran = not (status.get("containerID") or status.get("restartCount"))
        return never_ran and (bool(ended) or is_final)
    return is_final or _stays_ended(pod, field, status["name"], ended)


def _stays_ended(pod: ApiObject, field: str, name: str, ended: ApiObject) -> bool:
    """Whether the container is not started again: one that crashed just before the deletion may be."""
    own: ApiObject = next((item for item in pod["spec"].get(field) or () if item["name"] == name), {})
    default = _OWN_POLICIES.get(field) or pod["spec"].get("restartPolicy", "Always")
    policy, meta = own.get("restartPolicy", default), pod["metadata"]
    if policy == "Never" or (policy == "OnFailure" and ended.get("exitCode") == 0):
        return True
    grace = meta.get("deletionGracePeriodSeconds", 0)
    if "deletionTimestamp" not in meta or grace > MOST_GRACE_SECONDS:
        return False
    return _time(ended["finishedAt"]) >= _time(meta["deletionTimestamp"]) - timedelta(seconds=grace)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
