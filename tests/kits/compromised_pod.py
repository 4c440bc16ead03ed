"""A small cluster with a compromised pod in it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import NODE, SPARE_NODE


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with a Deployment of two pods on one node, and a second node in the pool."""
    with SimulatedCluster(stop_seconds=0) as running:
        yield small(running)


def small(running: SimulatedCluster) -> SimulatedCluster:
    """The cluster with these objects."""
    running.create(objects.namespace("shop"))
    running.create(objects.namespace("kube-system"))
    running.create(objects.node(NODE))
    running.create(objects.node(SPARE_NODE))
    running.create(objects.deployment("web", "shop", NODE, replicas=2))
    return running


@pytest.fixture
def pod(cluster: SimulatedCluster) -> dict[str, Any]:
    """One of the Deployment's pods."""
    return cluster.objects("Pod", "shop")[0]


def is_gone(cluster: SimulatedCluster, pod: dict[str, Any]) -> bool:
    """Whether the pod's object is there no more."""
    return all(other["metadata"]["uid"] != pod["metadata"]["uid"] for other in cluster.objects("Pod", "shop"))
