"""The controllers of the simulated cluster release and adopt pods by their labels, as those of Kubernetes do."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import api_of

NODE = "node-1"
REPLACED = [
    pytest.param(objects.deployment("web", "shop", NODE), 2, id="replica-set"),
    pytest.param(objects.daemon_set("web", "shop", NODE), 2, id="daemon-set"),
    pytest.param(objects.stateful_set("web", "shop", NODE), 1, id="stateful-set"),
]


def owners(pod: dict[str, Any]) -> list[str]:
    return [owner["kind"] for owner in pod["metadata"].get("ownerReferences", ())]


@pytest.mark.parametrize(("workload", "pods"), REPLACED)
def test_a_pod_without_its_labels_is_released(workload: dict[str, Any], pods: int) -> None:
    """It is replaced, but not where its name is taken; with its labels back it is adopted again."""
    with SimulatedCluster() as cluster:
        for item in (objects.namespace("shop"), objects.node(NODE), workload):
            cluster.create(item)
        (pod,) = cluster.objects("Pod", "shop")
        name, labels, before = pod["metadata"]["name"], pod["metadata"]["labels"], owners(pod)
        path, admin = f"/api/v1/namespaces/shop/pods/{name}", api_of(cluster, "admin")
        admin.patch(path, {"metadata": {"labels": dict.fromkeys(labels)}})
        released = [owners(item) for item in cluster.objects("Pod", "shop")]
        adopted = owners(admin.patch(path, {"metadata": {"labels": labels}}) and admin.get(path))
    assert sorted(released) == sorted([[], before][:pods])
    assert adopted == before
