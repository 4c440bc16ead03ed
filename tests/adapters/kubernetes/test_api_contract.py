"""The real API server and the simulated one pass the same tests."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.resources import RequestTarget
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.adapters.kubernetes.api_contract import (
    Creating,
    Deleting,
    Evicting,
    Identifying,
    Inserting,
    KubeletLogs,
    Logs,
    Object,
    Paging,
    Patching,
    Reading,
    Side,
)
from tests.cluster import objects
from tests.cluster.client import ClusterClient
from tests.cluster.control_plane import ControlPlane

NUMBERS = itertools.count(1)


def warden(target: RequestTarget, stored: ApiObject, new: ApiObject) -> str:
    """Refuses to cordon what `tests/cluster/autopilot.yaml` refuses, in its words."""
    cordon = stored.get("spec", {}).get("unschedulable") != new.get("spec", {}).get("unschedulable")
    watched = "example.com/autopilot" in new["metadata"].get("labels", {})
    return (
        "ValidatingAdmissionPolicy 'warden' denied request: GKE Warden rejected the request"
        if cordon and watched
        else ""
    )


@pytest.fixture(scope="module")
def simulated() -> Iterator[SimulatedCluster]:
    """One simulated cluster for all tests."""
    with SimulatedCluster(admission=warden) as cluster:
        yield cluster


class OnSimulated:
    """Runs a part of the contract against the simulated API server."""

    @pytest.fixture
    def side(self, simulated: SimulatedCluster) -> Side:
        """A fresh namespace and node of the simulated cluster."""
        admin = ClusterClient(simulated.url, None, simulated.token("admin"))
        namespace, node = f"shop-{next(NUMBERS)}", f"gke-shop-default-pool-{next(NUMBERS)}"
        admin.create(objects.namespace(namespace))
        admin.create(objects.node(node))

        def audit() -> Sequence[Any]:
            return [e for e in simulated.audit if e.user == "responder" and e.namespace in {namespace, ""}]

        return Side(
            url=simulated.url,
            ca_pem=None,
            token=simulated.token,
            admin=admin,
            namespace=namespace,
            node=node,
            audit=audit,
            start_warden=lambda: None,
        )


@pytest.fixture(scope="module")
def real_node(control_plane: ControlPlane) -> Iterator[str]:
    """One node of the test cluster for all tests: each leaves it as it was."""
    name = str(objects.create_node(control_plane.admin)["metadata"]["name"])
    yield name
    control_plane.admin.delete(api_paths.node(name))


class OnReal:
    """Runs a part of the contract against the real API server."""

    @pytest.fixture
    def side(self, control_plane: ControlPlane, namespace: str, real_node: str) -> Side:
        """A fresh namespace of the test cluster."""
        return Side(
            url=control_plane.url,
            ca_pem=control_plane.ca_pem.encode(),
            token=control_plane.token,
            admin=control_plane.admin,
            namespace=namespace,
            node=real_node,
            audit=lambda: control_plane.audit(user="responder", namespace=namespace),
            start_warden=lambda: objects.start_warden(control_plane.admin),
        )


class TestSimulatedReading(OnSimulated, Reading): ...


class TestSimulatedPaging(OnSimulated, Paging): ...


class TestSimulatedPatching(OnSimulated, Patching): ...


class TestSimulatedDeleting(OnSimulated, Deleting): ...


class TestSimulatedEvicting(OnSimulated, Evicting):
    @pytest.fixture
    def simulated(self) -> Iterator[SimulatedCluster]:
        """One whose pods take long enough to stop for two evictions."""
        with SimulatedCluster(admission=warden, stop_seconds=2) as cluster:
            yield cluster


class TestSimulatedInserting(OnSimulated, Inserting): ...


class TestSimulatedCreating(OnSimulated, Creating): ...


class TestSimulatedIdentifying(OnSimulated, Identifying): ...


class TestSimulatedLogs(OnSimulated, KubeletLogs):
    """The simulated cluster plays kubelets too."""

    @pytest.fixture(autouse=True)
    def remember(self, simulated: SimulatedCluster) -> None:
        """Keep the cluster for `write`."""
        self.cluster = simulated

    def write(self, side: Side, pod: Object, content: bytes, *, previous: bool = False) -> None:
        """Let the container write."""
        self.cluster.write_log(pod, "web", content, previous=previous)


class TestRealLogs(OnReal, Logs): ...


class TestRealReading(OnReal, Reading): ...


class TestRealPaging(OnReal, Paging): ...


class TestRealPatching(OnReal, Patching): ...


class TestRealDeleting(OnReal, Deleting): ...


class TestRealEvicting(OnReal, Evicting): ...


class TestRealInserting(OnReal, Inserting): ...


class TestRealCreating(OnReal, Creating): ...


class TestRealIdentifying(OnReal, Identifying): ...
