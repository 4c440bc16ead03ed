"""A large cluster is ordinary: the first delivery does everything, in a bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import binaries, objects
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.polling import wait_until
from tests.counts import Cases
from tests.kits.responder import CONTAINED, NODE, finding_about
from tests.requirements import missing

Object = dict[str, Any]
ROOT = Path(__file__).parents[2]
NODES, PODS, POLICIES, HUGE = 1_000, 10_000, 5_000, 16
MOST_MEBIBYTES = 64
"""What a delivery in a large cluster may take more than a process that did nothing yet: docs/operate.md says it."""

ADDRESSES = [f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}/32" for number in range(75_000)]
"""Together 1.2 MiB of JSON."""


def network_policy(name: str, **spec: Any) -> Object:
    meta = objects.metadata(name, "shop")
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta, "spec": spec}


def cilium_policy(name: str, rules: int) -> Object:
    egress = [{"toCIDR": ["10.0.0.0/8"], "toPorts": [{"ports": [{"port": "80"}]}]}] * rules
    spec = {"endpointSelector": {"matchLabels": {"app": "other"}}, "egress": egress}
    return {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": objects.metadata(name, "shop"),
        "spec": spec,
    }


def crowd() -> Iterator[Object]:
    """A pool of nodes, its pods, and policies for none of them, the largest of which etcd would just hold."""
    other = {"podSelector": {"matchLabels": {"app": "other"}}, "policyTypes": ["Ingress"]}
    for number in range(NODES - 1):
        yield objects.node(f"node-{number}")
    for number in range(PODS):
        yield objects.pod(f"crowd-{number}", "crowd", f"node-{number % (NODES - 1)}")
    for number in range(POLICIES):
        yield network_policy(f"crowd-{number}", **other, ingress=[{}])
    for number in range(HUGE):
        ingress = [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ADDRESSES}}]}]
        yield network_policy(f"crowd-{number}-huge", **other, ingress=ingress)
    for number in range(300):
        yield cilium_policy(f"crowd-{number}", rules=15_000 if number % 75 == 0 else 1)


@contextmanager
def simulated() -> Iterator[tuple[Any, Object]]:
    """A simulated cluster of that size, and the compromised pod in it."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.serve("CiliumNetworkPolicy")
        cluster.create_all([objects.namespace(name) for name in ("shop", "crowd", "kube-system")])
        cluster.create_all([objects.node(NODE), *crowd(), objects.deployment("web", "shop", NODE, replicas=2)])
        yield cluster, cluster.objects("Pod", "shop")[0]


@contextmanager
def real() -> Iterator[tuple[Any, Object]]:
    """The same with a real API server, which has no policies of other kinds."""
    try:
        programs = binaries.programs()
    except binaries.BinariesUnavailable as error:
        missing("the test cluster", error.reason, error.remedy)
    with running(programs) as plane:
        for name in ("shop", "crowd"):
            plane.admin.create(objects.namespace(name))
        wait_until(lambda: has_accounts(plane), what="the default service accounts")
        objects.create_settled(plane.admin, objects.node(NODE))
        plane.admin.create(objects.deployment("web", "shop", NODE, replicas=2))
        # Before the crowd, which keeps the kubelets busy for minutes.
        pod, _ = objects.running_pods(plane.admin, "shop", "web", count=2)
        with ThreadPoolExecutor(8) as pool:
            [*pool.map(plane.admin.create, (each for each in crowd() if each["kind"] != "CiliumNetworkPolicy"))]
        yield plane, pod


def has_accounts(plane: ControlPlane) -> bool:
    accounts = (f"/api/v1/namespaces/{name}/serviceaccounts/default" for name in ("shop", "crowd"))
    return all(plane.admin.send("GET", account).status == 200 for account in accounts)


def delivered(cluster: Any, pod: Object, folder: Path) -> dict[str, Any]:
    """What the program says of one delivery about the pod."""
    (folder / "ca.pem").write_text(cluster.ca_pem or "")
    (folder / "finding.json").write_text(json.dumps(finding_about(pod)))
    command = [sys.executable, "-m", "tests.pipeline.large_delivery", cluster.url, cluster.token("responder"), folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


CLUSTERS = Cases("large clusters, one of them with a real API server", few=[simulated], full=[simulated, real])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("large_cluster", CLUSTERS.chosen, ids=lambda made: made.__name__)
def test_the_first_delivery_contains_in_a_bounded_memory(large_cluster: Any, tmp_path: Path) -> None:
    """1,000 nodes, 10,000 pods, 5,000 policies and sixteen of 1.2 MiB: all is done at once, in little memory."""
    with large_cluster() as (cluster, pod):
        said = delivered(cluster, pod, tmp_path)
    before, peak = said["mebibytes"]
    print(f"{before} MiB, at most {peak} MiB, {said['seconds']} s")
    assert (said["reason"], [*said["steps"]]) == ("done", CONTAINED)
    assert peak - before <= MOST_MEBIBYTES
