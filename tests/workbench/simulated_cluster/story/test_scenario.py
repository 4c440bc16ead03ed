"""The demonstration's story: a cluster that is populated, and what is delivered about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.errors import RejectedMessage
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.scenario import AGENT, NODES, SHOP, Delivery, deliveries, populate


@pytest.fixture(scope="module")
def pods() -> list[dict[str, Any]]:
    """The pods of the populated cluster."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        populate(cluster)
        return cluster.objects("Pod")


@pytest.fixture(scope="module")
def told(pods: list[dict[str, Any]]) -> Sequence[Delivery]:
    """What is delivered."""
    return deliveries(pods, datetime.now(UTC))


def test_the_shop_and_the_agents_run(pods: list[dict[str, Any]]) -> None:
    """As many pods as each Deployment wants, and one agent on each node."""
    running = [(pod["metadata"]["namespace"], pod["metadata"]["labels"]["app"]) for pod in pods]
    assert {name: running.count(("shop", name)) for name in SHOP} == SHOP
    assert running.count(("kube-system", AGENT)) == len(NODES)
    assert {pod["spec"]["nodeName"] for pod in pods} <= set(NODES)


def test_each_finding_is_about_a_running_pod(pods: list[dict[str, Any]], told: Sequence[Delivery]) -> None:
    """Named as its delivery says; one is about a service."""
    names = {f"{pod['metadata']['namespace']}/{pod['metadata']['name']}" for pod in pods}
    for delivery in (item for item in told if item.listed and "service" not in item.target):
        pod = parse_notification(delivery.data).pod
        assert pod is not None
        assert f"{pod.namespace}/{pod.name}" == delivery.target
        assert delivery.target in names


def test_what_is_expected_hangs_together(told: Sequence[Delivery]) -> None:
    """What is deleted was armed; what changes nothing writes nothing."""
    for delivery in told:
        assert ("delete pods" in delivery.writes) is (delivery.fate == "deleted")
        rehearsed = delivery.reason == "dry_run"
        assert bool(delivery.writes) is (rehearsed or delivery.fate != "untouched")
    assert [item.reason for item in told if not item.steps] == ["duplicate", "stale", "not_json"]


def test_junk_is_no_finding(told: Sequence[Delivery]) -> None:
    """Anyone who may publish can send anything."""
    with pytest.raises(RejectedMessage):
        parse_notification(told[-1].data)
