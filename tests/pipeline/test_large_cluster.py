"""A large cluster is ordinary: the first delivery does everything, in a bounded memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import CONTAINED, NODE, finding_about

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


@pytest.fixture(scope="module")
def large() -> Iterator[SimulatedCluster]:
    """A cluster of that size, with a compromised pod in it."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.serve("CiliumNetworkPolicy")
        cluster.create_all([objects.namespace(name) for name in ("shop", "crowd", "kube-system")])
        cluster.create_all([objects.node(NODE), *crowd(), objects.deployment("web", "shop", NODE, replicas=2)])
        yield cluster


def delivered(cluster: Any, pod: Object, folder: Path) -> dict[str, Any]:
    """What the program says of one delivery about the pod."""
    (folder / "finding.json").write_text(json.dumps(finding_about(pod)))
    command = [sys.executable, "-m", "tests.pipeline.large_delivery", cluster.url, cluster.token("responder"), folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def test_the_first_delivery_contains_in_a_bounded_memory(large: SimulatedCluster, tmp_path: Path) -> None:
    """1,000 nodes, 10,000 pods, 5,000 policies and sixteen of 1.2 MiB: all is done at once, in little memory."""
    said = delivered(large, large.objects("Pod", "shop")[0], tmp_path)
    print(said["mebibytes"], said["seconds"])

    assert (said["reason"], [*said["steps"]]) == ("done", CONTAINED)
    before, peak = said["mebibytes"]
    assert peak - before <= MOST_MEBIBYTES
