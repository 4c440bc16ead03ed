"""What the demonstration says of the cluster at the end is what the cluster says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from scc_responder.domain.kubernetes import api_paths
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.aftermath import aftermath, aftermath_expectations, fate
from scc_responder.workbench.simulated_cluster.story.scenario import NODES, populate
from tests.kits.responder import api_of

MARK = {"metadata": {"labels": {"scc-responder/case": "c1"}}}


class Shop:
    """A populated cluster, and one pod of each kind of fate."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self.cluster = cluster
        populate(cluster)
        self.before = cluster.objects("Pod")
        self.api = api_of(cluster, "admin")

    def pod(self, app: str) -> dict[str, Any]:
        """The first pod of a workload, as it was at the beginning."""
        return next(pod for pod in self.before if pod["metadata"]["labels"]["app"] == app)

    def name(self, app: str) -> str:
        """Its name with its namespace."""
        metadata = self.pod(app)["metadata"]
        return f"{metadata['namespace']}/{metadata['name']}"

    def path(self, app: str) -> str:
        """Its path in the API."""
        return api_paths.pod("shop", self.pod(app)["metadata"]["name"])

    def delete(self, app: str) -> None:
        """Delete it at once."""
        self.api.delete(self.path(app), {"gracePeriodSeconds": 0})

    def mark(self, app: str) -> None:
        """Give it the label of a case."""
        self.api.patch(self.path(app), MARK)

    def isolate(self, app: str, selector: dict[str, str]) -> None:
        """Create a network policy that selects these labels."""
        manifest = {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"isolate-{app}", "namespace": "shop"},
            "spec": {"podSelector": {"matchLabels": selector}, "policyTypes": ["Ingress", "Egress"]},
        }
        self.api.create(api_paths.network_policies("shop"), manifest)

    def cordon(self, node: str) -> None:
        """Cordon a node."""
        self.api.patch(api_paths.node(node), {"spec": {"unschedulable": True}})

    def contain(self) -> dict[str, str]:
        """Do what the demonstration's policies do, and return what is expected of the pods."""
        self.cordon(self.pod("checkout")["spec"]["nodeName"])
        self.delete("checkout")
        self.mark("web")
        self.isolate("web", MARK["metadata"]["labels"])
        self.api.patch(self.path("orders"), {"metadata": {"labels": {"scc-responder/threat": "compiler"}}})
        return {self.name("checkout"): "deleted", self.name("web"): "isolated", self.name("orders"): "marked"}

    def failed(self, changed: dict[str, str]) -> list[str]:
        """The names of the expectations that do not hold."""
        found = aftermath(self.before, self.cluster)
        return [check.name for check in aftermath_expectations(found, self.before, changed) if not check.held]


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The demonstration's cluster."""
    with SimulatedCluster() as cluster:
        yield Shop(cluster)


def test_untouched_pods_are_expected(shop: Shop) -> None:
    """Where nothing was done, every pod is untouched, and that is what is expected."""
    found = aftermath(shop.before, shop.cluster)
    assert {fate(pod) for pod in found.pods} == {"untouched"}
    assert all(pod.untouched for pod in found.pods)
    assert found.cordoned == ()
    assert shop.failed({}) == []


def test_touched_pods_are_told_apart(shop: Shop) -> None:
    """Deleted, isolated and marked pods are told from untouched ones."""
    changed = shop.contain()
    found = aftermath(shop.before, shop.cluster)
    assert {pod.name: fate(pod) for pod in found.pods if not pod.untouched} == changed
    assert shop.failed(changed) == []


def test_a_successor_is_named_with_its_node(shop: Shop) -> None:
    """The pod that took the place of a deleted one is named with its node, which is not the cordoned one."""
    shop.contain()
    gone = next(pod for pod in aftermath(shop.before, shop.cluster).pods if pod.gone)
    known = {f"shop/{pod['metadata']['name']}" for pod in shop.before}
    assert gone.successor.startswith("shop/checkout-")
    assert gone.successor not in known
    assert {gone.node} == set(NODES) - {shop.pod("checkout")["spec"]["nodeName"]}


def test_a_deleted_sibling_fails(shop: Shop) -> None:
    """A pod that was to be left alone and is gone does not pass."""
    changed = shop.contain()
    shop.delete("cart")
    assert f"{shop.name('cart')} is untouched, not deleted" in shop.failed(changed)


def test_policy_too_wide(shop: Shop) -> None:
    """A network policy that isolates siblings too does not pass."""
    changed = shop.contain()
    shop.isolate("all", {"app": "web"})
    (failed,) = shop.failed(changed)
    assert failed.startswith("shop/web-")
    assert failed.endswith(" is untouched, not isolated")


def test_policy_for_nobody(shop: Shop) -> None:
    """A network policy that selects no pod does not pass."""
    changed = shop.contain()
    shop.isolate("nobody", {"app": "nobody"})
    assert shop.failed(changed) == ["every network policy isolates one pod and no other"]


def test_a_needless_cordon_fails(shop: Shop) -> None:
    """A node that is cordoned without need does not pass."""
    shop.cordon(NODES[0])
    assert len(shop.failed({})) == 1
    assert NODES[0] in shop.failed({})[0]
