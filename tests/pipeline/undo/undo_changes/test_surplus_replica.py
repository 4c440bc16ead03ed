"""Which pod a workload removes, by the rules of its controller."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.pipeline.undo.undo_changes.surplus_replica import surplus_replica


def pod(name: str, **fields: Any) -> dict[str, Any]:
    """A ready pod of 10:00 on a node of its own."""
    ready = {"type": "Ready", "status": fields.get("ready", "True")}
    ready["lastTransitionTime"] = f"2026-03-02T10:{fields.get('since', 1):02}:00Z"
    meta = {"name": name, "creationTimestamp": f"2026-03-02T10:{fields.get('made', 0):02}:00Z"}
    meta["annotations"] = {"controller.kubernetes.io/pod-deletion-cost": str(fields.get("cost", 0))}
    status = {"phase": fields.get("phase", "Running"), "conditions": [ready]}
    status["containerStatuses"] = [{"restartCount": fields.get("restarts", 0)}]
    return {"metadata": meta, "spec": {"nodeName": fields.get("node", f"node-{name}")}, "status": status}


def owner(kind: str = "ReplicaSet", replicas: int = 1) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": "web"}, "spec": {"replicas": replicas}}


FIRST: list[Any] = [
    pytest.param({"node": ""}, id="not-scheduled"),
    pytest.param({"phase": "Pending"}, id="pending"),
    pytest.param({"ready": "False"}, id="not-ready"),
    pytest.param({"cost": -5}, id="cheaper"),
    pytest.param({"since": 9}, id="ready-for-a-shorter-time"),
    pytest.param({"restarts": 3}, id="restarted-more-often"),
    pytest.param({"made": 9}, id="younger"),
]


@pytest.mark.parametrize("fields", FIRST)
def test_the_first_to_go_differs_in_one_thing(fields: dict[str, Any]) -> None:
    """Of two pods the one that its controller ranks lower."""
    pods = [pod("a"), pod("b", **fields)]
    assert surplus_replica(owner(), pods) == surplus_replica(owner(), pods[::-1]) == "b"


def test_a_pod_beside_another_goes_first() -> None:
    """Of three, one of the two on one node."""
    pods = [pod("a"), pod("b", node="n", made=1), pod("c", node="n")]
    assert surplus_replica(owner(replicas=2), pods) == "b"


def test_as_many_as_wanted_stay() -> None:
    """None goes where there is no pod too many."""
    assert surplus_replica(owner(replicas=2), [pod("a"), pod("b")]) == "none"
    assert surplus_replica(owner("DaemonSet"), [pod("a"), pod("b")]) == "none"


def test_a_daemon_set_keeps_the_oldest_of_a_node() -> None:
    """Its other nodes do not matter."""
    pods = [pod("a", node="n", made=2), pod("b", node="n", made=1), pod("c", made=9)]
    assert surplus_replica(owner("DaemonSet"), pods) == "a"
