"""The EndpointSlices of the simulated cluster follow its pods and Services."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import api_of

NODE = "node-1"


def with_service(cluster: SimulatedCluster, **spec: Any) -> None:
    for item in (objects.namespace("shop"), objects.node(NODE), objects.deployment("web", "shop", NODE, replicas=2)):
        cluster.create(item)
    cluster.create(
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}
    )


def endpoints(cluster: SimulatedCluster) -> dict[str, dict[str, bool]]:
    """The conditions of every endpoint, by the UID of its pod."""
    return {
        endpoint["targetRef"]["uid"]: endpoint["conditions"]
        for item in cluster.objects("EndpointSlice", "shop")
        for endpoint in item["endpoints"]
    }


def test_a_service_has_the_pods_that_it_selects() -> None:
    """Each by address and UID; one on its way out is not ready any more."""
    with SimulatedCluster(stop_seconds=60) as cluster:
        with_service(cluster, selector={"app": "web"})
        first, second = (pod["metadata"] for pod in cluster.objects("Pod", "shop"))
        before = endpoints(cluster)
        api_of(cluster, "admin").delete(f"/api/v1/namespaces/shop/pods/{first['name']}", {})
        after = endpoints(cluster)
    assert before == {meta["uid"]: {"ready": True, "serving": True, "terminating": False} for meta in (first, second)}
    assert after[first["uid"]] == {"ready": False, "serving": True, "terminating": True}
    assert len(after) == 3


@pytest.mark.parametrize(("spec", "slices"), [({"selector": {"app": "db"}}, 1), ({}, 0)])
def test_a_service_of_other_pods_has_none(spec: dict[str, Any], slices: int) -> None:
    """One without a selector has no slice that a controller made."""
    with SimulatedCluster() as cluster:
        with_service(cluster, **spec)
        assert endpoints(cluster) == {}
        assert len(cluster.objects("EndpointSlice", "shop")) == slices
