"""Which pod a workload removes once it has one too many, as far as its controller's rules say it. Pure.

Source: k8s.io/kubernetes/pkg/controller `ActivePodsWithRanks`, pkg/controller/daemon `podByCreationTimestampAndPhase`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from scc_responder.domain.ports import ApiObject

_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def surplus_replica(owner: ApiObject, pods: Sequence[ApiObject]) -> str:
    """The name of the pod that goes first, or `none` where as many are wanted.

    A ReplicaSet takes those first that are not scheduled, not running, not ready, cheaper by their annotation, beside
    another on one node, ready for a shorter time, restarted more often, younger. A DaemonSet keeps a node's oldest.
    """
    if owner["kind"] == "DaemonSet":
        by_age = sorted(pods, key=_created)
        doubled = {pod["spec"].get("nodeName") for pod in by_age[:-1]}
        younger = [pod for pod in by_age if pod["spec"].get("nodeName") in doubled]
        return str(younger[-1]["metadata"]["name"]) if len(younger) > 1 else "none"
    if len(pods) <= owner["spec"].get("replicas", 1):
        return "none"
    nodes = [pod["spec"].get("nodeName") for pod in pods]
    return str(min(pods, key=lambda pod: _rank(pod, nodes))["metadata"]["name"])


def _rank(pod: ApiObject, nodes: Sequence[str | None]) -> tuple[Any, ...]:
    status, node = pod.get("status", {}), pod["spec"].get("nodeName")
    ready: ApiObject = next((item for item in status.get("conditions", ()) if item["type"] == "Ready"), {})
    is_ready = ready.get("status") == "True"
    restarts = max((item.get("restartCount", 0) for item in status.get("containerStatuses", ())), default=0)
    annotations = pod["metadata"].get("annotations") or {}
    return (
        bool(node),
        _PHASES.get(status.get("phase", ""), 2),
        is_ready,
        _cost(annotations.get(_COST, "0")),
        -nodes.count(node),
        -_seconds(ready.get("lastTransitionTime", "")) if is_ready else 0.0,
        -restarts,
        -_created(pod),
    )


def _cost(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def _created(pod: ApiObject) -> float:
    return _seconds(pod["metadata"].get("creationTimestamp", ""))


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
