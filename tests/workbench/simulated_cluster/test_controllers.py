"""Controllers and kubelets of the simulated cluster: workloads get their pods, and pods start and stop."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import api_of

KINDS: list[Any] = [
    (objects.deployment, 1, "ReplicaSet"),
    (objects.stateful_set, 1, "StatefulSet"),
    (objects.daemon_set, 1, "DaemonSet"),
    (objects.job, 1, "Job"),
]


@pytest.mark.parametrize(("kind", "count", "owner"), KINDS, ids=lambda value: getattr(value, "__name__", ""))
def test_each_workload_gets_its_pods(kind: Any, count: int, owner: str) -> None:
    """Running on a node, and owned by the workload; one that is deleted is replaced."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        cluster.create(kind("web", "shop", "node-1"))
        before = cluster.objects("Pod", "shop")
        name = before[0]["metadata"]["name"]
        api_of(cluster, "admin").delete(f"/api/v1/namespaces/shop/pods/{name}", {"gracePeriodSeconds": 0})
        after = cluster.objects("Pod", "shop")
    assert len(before) == len(after) == count
    assert before[0]["metadata"]["ownerReferences"][0]["kind"] == owner
    assert (before[0]["status"]["phase"], before[0]["spec"]["nodeName"]) == ("Running", "node-1")
    assert before[0]["metadata"]["uid"] != after[0]["metadata"]["uid"]


def test_a_policy_goes_with_its_pod() -> None:
    """A NetworkPolicy whose owners are all gone is removed."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        cluster.create(objects.pod("web-1", "shop", "node-1"))
        uid = cluster.objects("Pod", "shop")[0]["metadata"]["uid"]
        owner = {"apiVersion": "v1", "kind": "Pod", "name": "web-1", "uid": uid}
        cluster.create(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": "ours", "namespace": "shop", "ownerReferences": [owner]},
                "spec": {"podSelector": {}},
            }
        )
        before = len(cluster.objects("NetworkPolicy", "shop"))
        api_of(cluster, "admin").delete("/api/v1/namespaces/shop/pods/web-1", {"gracePeriodSeconds": 0})
        after = len(cluster.objects("NetworkPolicy", "shop"))
    assert (before, after) == (1, 0)


def test_a_pod_takes_its_time_to_stop() -> None:
    """It is terminating until then, and its replacement runs beside it."""
    with SimulatedCluster(stop_seconds=60) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        cluster.create(objects.deployment("web", "shop", "node-1"))
        name = cluster.objects("Pod", "shop")[0]["metadata"]["name"]
        api_of(cluster, "admin").delete(f"/api/v1/namespaces/shop/pods/{name}", {})
        pods = cluster.objects("Pod", "shop")
    assert sorted("deletionTimestamp" in pod["metadata"] for pod in pods) == [False, True]
