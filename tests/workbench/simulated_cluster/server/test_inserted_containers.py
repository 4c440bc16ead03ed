"""What the contract does not reach: what a kubelet does with containers that were put in."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.one_change import one_cluster, pod_target


def put_in(cluster: SimulatedCluster, **options: Any) -> list[str]:
    """Put one container into the pod, by somebody who may: those that the kubelet reports."""
    name = pod_target(cluster)["name"]
    api = connect(cluster.url, None, lambda: cluster.token("admin"))
    body = {"spec": {"ephemeralContainers": [{"name": "scc-responder-look-1", "image": "i", "args": ["look"]}]}}
    api.patch(api_paths.ephemeral_containers("shop", name), body, **options)
    (pod,) = [pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["name"] == name]
    return [item["name"] for item in pod["status"].get("ephemeralContainerStatuses", ())]


def test_a_container_begins_in_a_running_pod() -> None:
    """The kubelet reports it from then on."""
    with one_cluster() as (cluster, _):
        assert put_in(cluster, strategic=True) == ["scc-responder-look-1"]


def test_nothing_begins_in_a_pod_that_stops() -> None:
    """The request is answered like any other, and nothing ever happens."""
    with SimulatedCluster(stop_seconds=60) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        cluster.create(objects.pod("web-1", "shop", "node-1"))
        connect(cluster.url, None, lambda: cluster.token("admin")).delete(api_paths.pod("shop", "web-1"), {})
        assert put_in(cluster, strategic=True) == []


def test_only_a_strategic_patch_is_understood() -> None:
    """A merge patch would replace the list."""
    with one_cluster() as (cluster, _), pytest.raises(ApiError) as caught:
        put_in(cluster)
    assert caught.value.status == 415
