"""What controllers report of the cluster's objects."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.statuses import is_ready, ready_condition
from tests.cluster import objects

READY: dict[str, Any] = {"metadata": {}, "status": {"conditions": [ready_condition()]}}


@pytest.mark.parametrize(
    ("pod", "ready"),
    [
        (READY, True),
        ({**READY, "metadata": {"deletionTimestamp": "t"}}, False),
        ({"metadata": {}, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}, False),
        ({"metadata": {}}, False),
    ],
)
def test_a_leaving_pod_is_not_ready(pod: dict[str, Any], ready: bool) -> None:
    """One that is on its way out is no working replica."""
    assert is_ready(pod) is ready


def budget(**spec: Any) -> dict[str, Any]:
    selector = {"matchLabels": {"app": "web"}}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"selector": selector, **spec},
    }


@pytest.mark.parametrize(
    ("spec", "needed", "allowed"),
    [
        ({"minAvailable": 2}, 2, 2),
        ({"minAvailable": "50%"}, 2, 2),
        ({"minAvailable": "51%"}, 3, 1),
        ({"maxUnavailable": 1}, 3, 1),
        ({"maxUnavailable": "30%"}, 2, 2),
        ({}, 1, 3),
        ({"minAvailable": 9}, 9, 0),
    ],
)
def test_a_budget_counts_what_it_selects(spec: dict[str, Any], needed: int, allowed: int) -> None:
    """Of four ready pods; a share is rounded up."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        cluster.create(objects.deployment("web", "shop", "node-1", replicas=4))
        cluster.create(budget(**spec))
        (found,) = cluster.objects("PodDisruptionBudget", "shop")
        (workload,) = cluster.objects("Deployment", "shop")
        (node,) = cluster.objects("Node")
    status = found["status"]
    assert (status["desiredHealthy"], status["disruptionsAllowed"]) == (needed, allowed)
    assert (status["expectedPods"], status["currentHealthy"]) == (4, 4)
    assert workload["status"] == {"replicas": 4, "readyReplicas": 4}
    assert node["status"]["conditions"][0]["type"] == "Ready"
