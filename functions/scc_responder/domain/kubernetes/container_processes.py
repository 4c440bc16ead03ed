"""What a pod's spec says of the processes of one container: who else sees them, and who restarts them. Pure.

Source: core/v1 PodSpec, Container; man 2 ptrace, "Ptrace access mode checking".
"""

from __future__ import annotations

from datetime import UTC, datetime

from scc_responder.domain.ports import ApiObject

_TRACES = frozenset({"SYS_PTRACE", "SYS_ADMIN", "ALL"})
"""Capabilities with which a process reaches into those of another user, or with more rights than its own."""


def sees_node(pod: ApiObject) -> bool:
    """Whether the pod has its node's process namespace: the processes of all pods are in it."""
    return bool(pod.get("spec", {}).get("hostPID"))


def may_forge(pod: ApiObject, container: str) -> bool:
    """Whether a process beside a container of ours may write its log: it needs to reach into it.

    Beside it are the processes of its target, or of the whole pod where they share a namespace.
    """
    spec: ApiObject = pod.get("spec", {})
    shared = spec.get("shareProcessNamespace") or spec.get("hostPID")
    return any(_traces(item) for item in spec.get("containers", ()) if shared or item["name"] == container)


def is_restarted_when_silent(pod: ApiObject, container: str) -> bool:
    """Whether the kubelet restarts the container once it does not answer: readiness alone takes only requests away."""
    spec = _named(pod.get("spec", {}).get("containers"), container)
    return bool(spec.get("livenessProbe") or spec.get("startupProbe"))


def started_at(pod: ApiObject, container: str) -> datetime | None:
    """When the container started; None where the kubelet does not say."""
    status = _named(pod.get("status", {}).get("containerStatuses"), container)
    text = ((status.get("state") or {}).get("running") or {}).get("startedAt")
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _traces(container: ApiObject) -> bool:
    security: ApiObject = container.get("securityContext") or {}
    added = (security.get("capabilities") or {}).get("add") or ()
    return bool(security.get("privileged")) or not _TRACES.isdisjoint(added)


def _named(items: list[ApiObject] | None, name: str) -> ApiObject:
    return next((item for item in items or () if item.get("name") == name), {})
