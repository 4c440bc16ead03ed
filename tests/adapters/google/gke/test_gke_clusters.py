from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
import pytest

from scc_responder.adapters.google.gke.gke_clusters import KEPT_SECONDS, GkeClusters
from scc_responder.adapters.kubernetes.kubernetes_api import ErrorTranslator
from scc_responder.collect.endpoints import Endpoint
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import KubernetesApi
from tests.cluster.control_plane import ControlPlane
from tests.kits.google.grpc_servers import ClusterManagerServer, cluster

REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
CA = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
ENCODED_CA = base64.b64encode(CA).decode()
STANDARD = {"endpoint": "192.0.2.10", "masterAuth": {"clusterCaCertificate": ENCODED_CA}}


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Connections:
    """Stands for the way to API servers: keeps what was asked for."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def __call__(self, endpoint: Endpoint, token: Callable[[], str], retell: ErrorTranslator) -> KubernetesApi:
        self.endpoints.append(endpoint)
        return cast("KubernetesApi", (endpoint, token, retell))


@pytest.fixture
def clock() -> Clock:
    """Time that moves when it is told to."""
    return Clock()


@pytest.fixture
def connections() -> Connections:
    """Where API servers would be connected to."""
    return Connections()


@pytest.fixture
def clusters(cluster_manager: ClusterManagerServer, clock: Clock, connections: Connections) -> Iterator[GkeClusters]:
    """The adapter, asking this test's server."""
    adapter = GkeClusters(
        endpoint=cluster_manager.endpoint, token=lambda: "token", clock=clock, connect=connections, timeout_seconds=5.0
    )
    yield adapter
    adapter.close()


@pytest.mark.parametrize(
    ("document", "autopilot", "enforces"),
    [
        pytest.param({}, False, False, id="plain"),
        pytest.param({"autopilot": {"enabled": True}}, True, True, id="autopilot"),
        pytest.param({"networkConfig": {"datapathProvider": "ADVANCED_DATAPATH"}}, False, True, id="dataplane v2"),
        pytest.param({"networkConfig": {"datapathProvider": "LEGACY_DATAPATH"}}, False, False, id="legacy dataplane"),
        pytest.param({"networkPolicy": {"enabled": True, "provider": "CALICO"}}, False, True, id="calico"),
        pytest.param(
            {"networkPolicy": {"enabled": True}, "addonsConfig": {"networkPolicyConfig": {"disabled": True}}},
            False,
            False,
            id="calico with its add-on off",
        ),
        pytest.param({"addonsConfig": {"networkPolicyConfig": {}}}, False, False, id="the add-on alone"),
    ],
)
def test_a_cluster_is_described_as_gke_configures_it(
    document: dict[str, Any],
    autopilot: bool,
    enforces: bool,
    clusters: GkeClusters,
    cluster_manager: ClusterManagerServer,
) -> None:
    """Whether isolation can hold is read from the cluster, not assumed."""
    cluster_manager.clusters[REF.path] = cluster({**document, "resourceLabels": {"env": "prod"}})
    described = clusters.describe(REF)
    assert (described.autopilot, described.enforces_network_policy) == (autopilot, enforces)
    assert (described.ref, described.labels) == (REF, {"env": "prod"})


def test_one_answer_serves_description_and_connection_for_ten_minutes(
    clusters: GkeClusters, cluster_manager: ClusterManagerServer, clock: Clock, connections: Connections
) -> None:
    """A storm of findings in one cluster asks GKE once, and a change of the cluster is seen within ten minutes."""
    cluster_manager.clusters[REF.path] = cluster(STANDARD)
    first = clusters.connect(REF)
    clusters.describe(REF)
    clock.now += KEPT_SECONDS - 1
    assert clusters.connect(REF) is first
    assert cluster_manager.requests == [REF.path]
    cluster_manager.clusters[REF.path] = cluster({**STANDARD, "endpoint": "192.0.2.11"})
    clock.now += 1
    clusters.connect(REF)
    assert cluster_manager.requests == [REF.path, REF.path]
    assert [endpoint.url for endpoint in connections.endpoints] == ["https://192.0.2.10", "https://192.0.2.11"]


def test_an_unchanged_cluster_keeps_its_connection(
    clusters: GkeClusters, cluster_manager: ClusterManagerServer, clock: Clock, connections: Connections
) -> None:
    """Asking again does not cost a new TLS handshake where the answer is the same."""
    cluster_manager.clusters[REF.path] = cluster(STANDARD)
    first = clusters.connect(REF)
    clock.now += KEPT_SECONDS
    assert clusters.connect(REF) is first
    assert len(connections.endpoints) == 1


def test_clusters_are_kept_apart(clusters: GkeClusters, cluster_manager: ClusterManagerServer) -> None:
    """No finding is answered in another cluster than its own."""
    other = ClusterRef(project="example-project", location="europe-west1", name="prod-2")
    cluster_manager.clusters = {
        REF.path: cluster({**STANDARD, "endpoint": "192.0.2.1"}),
        other.path: cluster({**STANDARD, "endpoint": "192.0.2.2"}),
    }
    urls = [cast("Any", clusters.connect(ref))[0].url for ref in (REF, other, REF)]
    assert urls == ["https://192.0.2.1", "https://192.0.2.2", "https://192.0.2.1"]


def test_threads_that_ask_together_share_one_answer(
    clusters: GkeClusters, cluster_manager: ClusterManagerServer
) -> None:
    """Reads run side by side and still cost one request."""
    cluster_manager.clusters[REF.path] = cluster(STANDARD)
    barrier = threading.Barrier(8)

    def ask(number: int) -> object:
        barrier.wait(5)
        return clusters.connect(REF) if number % 2 else clusters.describe(REF)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert cluster_manager.requests == [REF.path]
    assert len({id(answer) for answer in answers[1::2]}) == 1


def test_an_error_is_not_kept(clusters: GkeClusters, cluster_manager: ClusterManagerServer) -> None:
    """The next finding asks again."""
    cluster_manager.clusters[REF.path] = cluster(STANDARD)
    cluster_manager.fail_next(grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(ApiError):
        clusters.describe(REF)
    assert clusters.describe(REF).ref == REF


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, ("gke_permission_denied", 403, "container.clusters.get")),
        (grpc.StatusCode.NOT_FOUND, ("cluster_not_found", 404, "")),
        (grpc.StatusCode.UNAUTHENTICATED, ("gke_unauthenticated", 401, "")),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, ("gke_resource_exhausted", 429, "")),
        (grpc.StatusCode.INTERNAL, ("gke_internal", 500, "")),
        (grpc.StatusCode.UNAVAILABLE, ("gke_unavailable", 503, "")),
        (grpc.StatusCode.DEADLINE_EXCEEDED, ("gke_deadline_exceeded", 504, "")),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_every_refusal_has_its_class(
    code: grpc.StatusCode,
    expected: tuple[str, int, str],
    clusters: GkeClusters,
    cluster_manager: ClusterManagerServer,
) -> None:
    """An error of the GKE API is recorded as what it is, after one request, with the permission that is missing."""
    cluster_manager.fail_next(code)
    with pytest.raises(ApiError) as error:
        clusters.connect(REF)
    assert (error.value.reason, error.value.status, error.value.permission) == expected
    assert len(cluster_manager.requests) == 1


def test_a_cluster_that_gke_does_not_know_is_not_found(clusters: GkeClusters) -> None:
    """A finding may outlive its cluster."""
    with pytest.raises(ApiError) as error:
        clusters.describe(REF)
    assert (error.value.reason, error.value.status) == ("cluster_not_found", 404)


def test_a_stalled_api_is_given_up(cluster_manager: ClusterManagerServer) -> None:
    """A request that gets no answer ends with its time-out."""
    clusters = GkeClusters(endpoint=cluster_manager.endpoint, token=lambda: "", timeout_seconds=0.3)
    cluster_manager.stall_next(5.0)
    with pytest.raises(ApiError) as error:
        clusters.describe(REF)
    clusters.close()
    assert (error.value.reason, error.value.status) == ("gke_deadline_exceeded", 504)


@pytest.mark.parametrize("name", ["prod 1", "prod-1\n", "prod?x=1", "..", "", "\u0440rod", "a" * 64], ids=ascii)
def test_a_hostile_cluster_name_reaches_no_server(
    name: str, clusters: GkeClusters, cluster_manager: ClusterManagerServer
) -> None:
    """A finding's text is not taken for a cluster's name."""
    with pytest.raises(ApiError) as error:
        clusters.describe(ClusterRef(project="example-project", location="europe-west1", name=name))
    assert error.value.reason == "malformed_cluster_name"
    assert cluster_manager.requests == []


def test_the_real_api_server_is_reached_through_what_gke_says(
    control_plane: ControlPlane, cluster_manager: ClusterManagerServer
) -> None:
    """Endpoint and authority of the GKE API are enough to speak to an API server over verified TLS."""
    host = control_plane.url.removeprefix("https://")
    authority = base64.b64encode(control_plane.ca_pem.encode()).decode()
    cluster_manager.clusters[REF.path] = cluster({"endpoint": host, "masterAuth": {"clusterCaCertificate": authority}})
    clusters = GkeClusters(endpoint=cluster_manager.endpoint, token=lambda: control_plane.token("admin"))
    read = clusters.connect(REF).get("/api/v1/namespaces/default")
    clusters.close()
    assert read["metadata"]["name"] == "default"
