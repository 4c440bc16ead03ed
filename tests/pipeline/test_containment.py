"""The main job on a simulated cluster: every part is the product's own, only the API server is played."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.simulated.cluster import SimulatedCluster
from tests.cluster import objects
from tests.pipeline.deployment import Deployment, api_of, finding_about, policy, write_policies

ALL = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with one node and a Deployment of two pods."""
    with SimulatedCluster(stop_seconds=0) as running:
        running.create(objects.namespace("shop"))
        running.create(objects.namespace("kube-system"))
        running.create(objects.node(NODE))
        running.create(objects.deployment("web", "shop", NODE, replicas=2))
        yield running


@pytest.fixture
def pod(cluster: SimulatedCluster) -> dict[str, Any]:
    """One of the Deployment's pods."""
    return cluster.objects("Pod", "shop")[0]


def deployed(tmp_path: Path, cluster: SimulatedCluster, *policies: str, **given: Any) -> Deployment:
    """A deployment with these policies."""
    return Deployment(tmp_path, api_of(cluster), write_policies(tmp_path / "policies", *policies, **given))


def test_all_actions(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding makes the compromised pod labeled, isolated, captured, its node cordoned and the pod deleted."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document) == [
        "label_pod: patched",
        "annotate_pod: patched",
        "isolate_pod: already",
        "isolate_pod: isolated",
        "capture_evidence: captured",
        "cordon_node: patched",
        "delete_pod: armed",
        "delete_pod: deleted",
        "notify: published",
    ]
    assert ending.status == 204
    assert ending.reason == "done"
    assert len([event for event in cluster.audit if event.user == "responder"]) <= 18
