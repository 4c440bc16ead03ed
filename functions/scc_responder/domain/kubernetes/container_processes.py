"""What is known of one container's processes: who else sees them, who restarts them, which are the workload's. Pure.

Source: core/v1 PodSpec, Container; man 2 ptrace, "Ptrace access mode checking".
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import UTC, datetime, timedelta

from scc_responder.domain.kubernetes.collector_answers import (
    AnswerDocuments,
    MatchAnswer,
    ProcessAnswer,
    RunningProcess,
    SocketAnswer,
    document,
    told_time,
)
from scc_responder.domain.kubernetes.ephemeral_containers import named_item
from scc_responder.domain.ports import ApiObject

_TRACES = frozenset({"SYS_PTRACE", "SYS_ADMIN", "ALL"})
"""Capabilities with which a process reaches into those of another user, or with more rights than its own."""

_RESTARTING = ("livenessProbe", "startupProbe")

WORKLOAD_STARTS_WITHIN = timedelta(seconds=60)
"""What started so soon after its container is taken for the workload's own."""


def sees_node(pod: ApiObject) -> bool:
    """Whether the pod has its node's process namespace: the processes of all pods are in it."""
    return bool(pod.get("spec", {}).get("hostPID"))


def may_forge(pod: ApiObject, container: str = "") -> bool:
    """Whether a process beside a container of ours may write its log: it needs to reach into it.

    Beside it are the processes of its target, or of the whole pod where they share a namespace. Without a target it
    cuts, and has NET_ADMIN alone: whoever has that reaches into it, too.
    """
    spec: ApiObject = pod.get("spec", {})
    shared = spec.get("shareProcessNamespace") or spec.get("hostPID")
    rights = _TRACES if container else _TRACES | {"NET_ADMIN"}
    beside = (*spec.get("containers", ()), *spec.get("initContainers", ()))
    return any(_has(item, rights) for item in beside if shared or item["name"] == container)


def restarting_probe(pod: ApiObject, container: str) -> str:
    """The probe by which the kubelet restarts a container of the pod that does not answer; empty where there is none.

    That container's own comes first. Another's counts too: containers of a pod share its network, and one may be asked
    by way of the other. Readiness alone takes only requests away.

    >>> restarting_probe({"spec": {"containers": [{"name": "web", "livenessProbe": {}}]}}, "web")
    'livenessProbe of web'
    """
    spec: ApiObject = pod.get("spec", {})
    found = [*spec.get("containers", ()), *spec.get("initContainers", ())]
    found.sort(key=lambda item: item.get("name") != container)
    probes = (f"{probe} of {item['name']}" for item in found for probe in _RESTARTING if probe in item)
    return next(probes, "")


def may_be_root(pod: ApiObject, container: str) -> bool:
    """Whether a process beside a container of ours may be root, or reach as far: so wherever nobody says it is not.

    Root beside it may stop it before it begins, and the kubelet starts and reports no other container of the pod then.
    """
    spec: ApiObject = pod.get("spec", {})
    if spec.get("shareProcessNamespace") or spec.get("hostPID") or may_forge(pod, container):
        return True
    own = named_item(spec.get("containers"), container).get("securityContext") or {}
    asked = {**(spec.get("securityContext") or {}), **own}
    status = named_item(pod.get("status", {}).get("containerStatuses"), container)
    user = ((status.get("user") or {}).get("linux") or {}).get("uid", asked.get("runAsUser"))
    return not (user or (user is None and asked.get("runAsNonRoot")))


def started_at(pod: ApiObject, container: str) -> datetime | None:
    """When the container started; None where the kubelet does not say."""
    status = named_item(pod.get("status", {}).get("containerStatuses"), container)
    text = ((status.get("state") or {}).get("running") or {}).get("startedAt")
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def own_processes(told: AnswerDocuments, start: datetime | None) -> list[int]:
    """The pids of matched processes that the workload may need to answer its kubelet. Raises Truncated.

    `start` is that of the container. They wait for connections, or began with the container, or run the program of a
    parent that is the workload's own, as a worker does that was made anew. What is not known is taken for its own.
    """
    running = {item.pid: item for item in document(told, "processes", ProcessAnswer).processes}
    sockets = document(told, "sockets", SocketAnswer)
    waiting = {pid for item in sockets.sockets if item.is_bound for pid in item.pids}
    until = None if sockets.denied or sockets.left_off or start is None else start + WORKLOAD_STARTS_WITHIN
    matched = [item.pid for item in document(told, "matches", MatchAnswer).matches]
    return [pid for pid in matched if until is None or _is_workload(pid, running, waiting, until)]


def _is_workload(pid: int, running: Mapping[int, RunningProcess], waiting: Set[int], until: datetime) -> bool:
    seen: set[int] = set()
    while pid not in seen:
        process = running.get(pid)
        started = told_time(process.started_at) if process else None
        if process is None or started is None or started <= until or pid in waiting:
            return True
        parent = running.get(process.parent)
        if parent is None or not process.exe or parent.exe != process.exe:
            return False
        seen.add(pid)
        pid = parent.pid
    return False


def _has(container: ApiObject, rights: Set[str]) -> bool:
    security: ApiObject = container.get("securityContext") or {}
    added = (security.get("capabilities") or {}).get("add") or ()
    return bool(security.get("privileged")) or not rights.isdisjoint(added)
