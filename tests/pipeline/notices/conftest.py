"""A deployment with routes in a small cluster."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scc_responder.policy.routes import Routes
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.compromised_pod import cluster, pod
from tests.kits.responder import deployed, policy
from tests.kits.route_scene import RouteScene

__all__ = ["cluster", "pod"]


@pytest.fixture
def scene(tmp_path: Path, cluster: SimulatedCluster) -> Callable[[Routes], RouteScene]:
    """Makes a scene with these routes."""
    steps = policy("label_pod", "capture_evidence", "notify")
    return lambda given: RouteScene(deployed(tmp_path, cluster, steps), tmp_path / "secrets", given)
