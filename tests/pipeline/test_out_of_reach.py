"""A finding about a cluster that cannot be reached: what is told, and whether it comes again."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.pipeline.services import Services
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.fault_proxy import FaultProxy
from tests.kits.google.clusters import MEMBERSHIP, PRIVATE, PUBLIC, described, ip_endpoints
from tests.kits.google.grpc_servers import ClusterManagerServer
from tests.kits.google.grpc_servers import cluster as in_gke
from tests.kits.responder import CLUSTER, Deployment, deployed, finding_about, policy


@pytest.fixture
def gke() -> Iterator[ClusterManagerServer]:
    """The GKE API."""
    with ClusterManagerServer() as server:
        yield server


@pytest.fixture
def deployment(gke: ClusterManagerServer, tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment that asks the GKE API, as its settings say."""
    token = tmp_path / "token"
    token.write_text(cluster.token("responder"))
    settings = {"gke_endpoint": gke.endpoint, "kubernetes_token_file": str(token)}
    made = deployed(tmp_path, cluster, policy("label_pod"), **settings)
    del made.services.clusters
    return made


def at(address: str, ca_pem: bytes | None = b"x") -> dict[str, Any]:
    """What GKE says of a cluster at this address."""
    return described(ip=ip_endpoints(public=address), ca_pem=ca_pem or b"")


SHUT = [
    pytest.param(
        described(ip=ip_endpoints(private=PRIVATE)), ("cluster_endpoint_private", "no VPC egress"), id="private"
    ),
    pytest.param(
        described(membership=MEMBERSHIP),
        ("connect_gateway_off", "Terraform variable connect_gateway"),
        id="a fleet alone",
    ),
    pytest.param(described(), ("no_reachable_endpoint", "switched off"), id="shut"),
    pytest.param(at(PUBLIC, b""), ("no_cluster_authority", "no certificate authority"), id="no authority"),
]


@pytest.mark.parametrize(("description", "expected"), SHUT)
def test_a_cluster_without_a_way_is_held(
    deployment: Deployment,
    cluster: SimulatedCluster,
    gke: ClusterManagerServer,
    description: dict[str, Any],
    expected: tuple[str, str],
) -> None:
    """Trying again would not help: the finding is held, and what would help is told, once."""
    reason, told = expected
    gke.clusters[CLUSTER] = in_gke(description)
    document = finding_about(cluster.objects("Pod", "shop")[0])
    endings = [deployment.respond_to(document), deployment.deliver(document)]
    assert [(ending.status, ending.reason) for ending in endings] == [(204, reason), (204, "duplicate")]
    assert deployment.case(document).state == "held"
    assert [message["reason"] for message in deployment.published.messages] == [reason]
    assert told in str(deployment.published.messages[0])
    assert told in deployment.lines[0]["error"]
    assert [event for event in cluster.audit if event.user == "responder"] == []


def test_an_unreachable_cluster_is_tried_again_where_gke_says_it_is_now(
    deployment: Deployment, cluster: SimulatedCluster, gke: ClusterManagerServer
) -> None:
    """A dead address costs one delivery, not ten minutes: the next one asks GKE, and contains the pod."""
    document = finding_about(cluster.objects("Pod", "shop")[0])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"127.0.0.1:{listener.getsockname()[1]}"
    with FaultProxy(cluster.url) as front:
        gke.clusters[CLUSTER] = in_gke(at(dead, front.ca_pem))
        first = deployment.respond_to(document)
        gke.clusters[CLUSTER] = in_gke(at(front.url.removeprefix("https://"), front.ca_pem))
        second = deployment.deliver(document)
    assert (first.status, first.reason) == (503, "cluster_unreachable")
    assert (second.status, second.reason) == (204, "done")
    assert "authorised networks" in deployment.lines[0]["error"]
    assert deployment.published.messages[0]["reason"] == "cluster_unreachable"


@pytest.mark.parametrize("said", [False, True])
@pytest.mark.parametrize("name", ["connect_gateway", "vpc_egress"])
def test_ways_are_in_reach_where_settings_say_so(deployment: Deployment, name: str, said: bool) -> None:
    """The setting arrives where ways are chosen."""
    clusters = Services(replace(deployment.services.settings, **{name: said})).clusters
    assert isinstance(clusters, GkeClusters)
    assert getattr(clusters._reach, name) is said
