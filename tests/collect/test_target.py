"""What is read about a finding's target: side by side, under one deadline, and nothing raises."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.collect.target import Collected, Reads, collect
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Finding
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.findings import data
from tests.kits.responder import NODE, Interposed, OneCluster, api_of, finding_about

POOL = ThreadPoolExecutor(8)


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with one Deployment of one pod."""
    with SimulatedCluster(stop_seconds=0) as running:
        running.create(objects.namespace("shop"))
        running.create(objects.node(NODE))
        running.create(objects.deployment("web", "shop", NODE))
        yield running


def about(running: SimulatedCluster, /, **changes: Any) -> Finding:
    return replace(parse_notification(data(finding_about(running.objects("Pod", "shop")[0]))), **changes)


def collected(folder: Path, finding: Finding, api: Any) -> Collected:
    clusters = api if hasattr(api, "connect") else OneCluster(api)
    return collect(finding, clusters, FindingsFolder(folder, ()), POOL, 5.0)


def test_a_target_is_read_in_full(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Pod with its owners, namespace, node, cluster and related findings; and the identity is proved."""
    found = collected(tmp_path, about(cluster), api_of(cluster))
    context = found.context
    assert context.pod is not None
    assert [owner.kind for owner in context.pod.owners] == ["ReplicaSet", "Deployment"]
    assert (context.namespace and context.namespace.name, context.node and context.node.name) == ("shop", NODE)
    assert (context.identity.level, context.related, context.missing, found.errors) == ("proved", (), {}, {})
    assert {"pod", "namespace", "node"} <= context.objects.keys()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"pods": ()}, "pod_not_named"), ({"cluster": None}, "cluster_not_named")],
)
def test_a_pod_that_is_not_named_is_missing(
    tmp_path: Path, cluster: SimulatedCluster, changes: dict[str, Any], reason: str
) -> None:
    """The reason says what the finding lacks."""
    context = collected(tmp_path, about(cluster, **changes), api_of(cluster)).context
    assert (context.pod, context.missing["pod"]) == (None, reason)


def test_several_pods_are_none(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nobody knows which one is meant."""
    finding = about(cluster)
    context = collected(tmp_path, replace(finding, pods=finding.pods * 2), api_of(cluster)).context
    assert (context.pod, context.missing["pod"]) == (None, "several_pods")


def test_an_absent_pod_is_a_fact(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The API server's own word that it is gone."""
    finding = about(cluster)
    gone = replace(finding, pods=(replace(finding.pods[0], name="gone"),))
    assert collected(tmp_path, gone, api_of(cluster)).context.missing["pod"] == "target_absent"


class Away:
    """A cluster that nobody reaches."""

    def connect(self, ref: object) -> KubernetesApi:
        """Nobody gets there."""
        raise ApiError(Reason.ENDPOINT_FORBIDDEN, "no", permission="container.clusters.connect")

    describe = connect


def test_a_cluster_out_of_reach_is_missing(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """With the permission that is lacking; the error is kept for the caller."""
    found = collected(tmp_path, about(cluster), Away())
    assert found.context.missing["pod"] == "pod_unreadable"
    assert found.context.missing["api"] == "endpoint_forbidden: missing permission: container.clusters.connect"
    assert found.errors["api"].reason == "endpoint_forbidden"
    assert found.api is None


class Denied:
    """An API server that refuses some paths."""

    def __init__(self, api: KubernetesApi, refused: str) -> None:
        self.api, self.refused = api, refused

    def get(self, path: str) -> dict[str, Any]:
        """Read, or refuse."""
        if self.refused in path:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, "no", permission="x: get")
        return self.api.get(path)


@pytest.mark.parametrize(("refused", "fact"), [("/replicasets/", "owner"), ("/nodes/", "node"), ("/pods/", "pod")])
def test_an_unread_fact_says_why(tmp_path: Path, cluster: SimulatedCluster, refused: str, fact: str) -> None:
    """One fact's failure takes no other's."""
    context = collected(tmp_path, about(cluster), Denied(api_of(cluster), refused)).context
    assert context.missing[fact] in {"kubernetes_forbidden: missing permission: x: get", "pod_unreadable"}
    assert (context.pod is None) is (fact == "pod")
    assert context.namespace is not None


def test_an_owner_needs_its_own_uid(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A pod that names a Deployment which is there, with another UID, is not believed to be that Deployment's."""
    manifest = objects.pod("liar", "shop", NODE)
    owner = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": "invented", "controller": True}
    manifest["metadata"]["ownerReferences"] = [owner]
    liar = cluster.create(manifest)

    context = collected(tmp_path, parse_notification(data(finding_about(liar))), api_of(cluster)).context

    assert context.missing == {"owner": "owner_replaced"}
    assert "Deployment" not in context.objects


def test_no_read_outlasts_the_deadline() -> None:
    """What is not read by then is missing."""
    reads = Reads(POOL, 0.05)
    assert reads.result("node", reads.start(time.sleep, 0.5)) is None
    assert (reads.missing, reads.errors["node"].reason) == ({"node": "deadline"}, "deadline")


def test_a_read_whose_turn_comes_too_late_is_not_made() -> None:
    """Nobody waits for it any longer: neither after the deadline nor once the reads were given up."""
    made: list[str] = []
    for give_up in (lambda _: time.sleep(0.15), Reads.give_up):
        with ThreadPoolExecutor(1) as thread:
            reads, over = Reads(thread, 0.1), Event()
            thread.submit(over.wait, 10)
            waiting = [reads.start(made.append, name) for name in ("first", "second")]
            if give_up is not Reads.give_up:
                assert reads.result("first", waiting[0]) is None
                assert waiting[0].cancelled()
            give_up(reads)
            over.set()
        assert isinstance(waiting[1].exception(), ApiError)
    assert made == []


def test_reads_are_given_up_with_what_waits_for_them() -> None:
    """An error that ends the delivery ends its reads."""
    with ThreadPoolExecutor(1) as thread:
        reads, over, made = Reads(thread, 10.0), Event(), list[str]()
        thread.submit(over.wait, 10)
        waiting = reads.start(made.append, "late")
        with pytest.raises(KeyError), reads.wanted():
            raise KeyError("a fault of ours")
        over.set()
    assert (made, type(waiting.exception())) == ([], ApiError)


@pytest.mark.parametrize("fact", ["pod", "namespace", "node"])
def test_an_object_with_an_endless_name_is_none(tmp_path: Path, cluster: SimulatedCluster, fact: str) -> None:
    """No API server makes one: what one such server answers fills no ledger of all clusters."""

    class Odd(Interposed):
        def get(self, path: str) -> dict[str, Any]:
            found = super().get(path)
            endless = {**found, "metadata": {**found["metadata"], "uid": "u" * 90_000}}
            return endless if found["kind"].lower() == fact else found

    found = collected(tmp_path, about(cluster), Odd(api_of(cluster)))
    assert (getattr(found.context, fact), found.errors[fact].reason) == (None, "unusable_answer")
