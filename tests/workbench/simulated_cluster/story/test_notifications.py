"""The demonstration's notifications are what Security Command Center publishes, about what really runs there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.collect.identity import identify
from scc_responder.collect.kubernetes_objects import parse_pod
from scc_responder.intake.envelope import open_envelope
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import classify, in_scope
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story import notifications
from scc_responder.workbench.simulated_cluster.story.notifications import Detection, about_pod, about_service, push_body
from scc_responder.workbench.simulated_cluster.story.scenario import NODES, SHOP, deliveries, populate

NOW = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
THREATS = {
    "modified_malicious_library_loaded": notifications.MALICIOUS_LIBRARY,
    "added_binary_executed": notifications.ADDED_BINARY,
    "launch_code_compiler_tool_in_container": notifications.COMPILER,
    "reverse_shell": notifications.REVERSE_SHELL,
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[SimulatedCluster]:
    """The demonstration's cluster as it is at the beginning."""
    with SimulatedCluster() as running:
        populate(running)
        yield running


@pytest.fixture
def pod(cluster: SimulatedCluster) -> dict[str, Any]:
    """A pod of the shop."""
    return cluster.objects("Pod", "shop")[0]


def test_the_cluster_has_shop_and_agents(cluster: SimulatedCluster) -> None:
    """The cluster has two nodes, the shop's pods on both, and one agent on each."""
    shop, agents = cluster.objects("Pod", "shop"), cluster.objects("Pod", "kube-system")
    assert [node["metadata"]["name"] for node in cluster.objects("Node")] == list(NODES)
    assert len(shop) == sum(SHOP.values())
    assert {pod["status"]["phase"] for pod in shop + agents} == {"Running"}
    assert {pod["spec"]["nodeName"] for pod in shop} == set(NODES)
    assert sorted(pod["spec"]["nodeName"] for pod in agents) == list(NODES)


@pytest.mark.parametrize("threat", THREATS)
def test_a_pod_notification_proves_its_pod(threat: str, pod: dict[str, Any]) -> None:
    """A notification about a running pod is a finding of that threat, and proved to be about that pod."""
    finding = parse_notification(about_pod(THREATS[threat], pod, datetime.now(UTC)))
    assert classify(finding, ()).name == threat
    assert finding.contradictions == ()
    assert not in_scope(finding)
    assert identify(finding, parse_pod(pod, ())).level == "proved"


def test_a_service_notification_names_no_pod() -> None:
    """A notification about a Cloud Run service names the service and no pod."""
    finding = parse_notification(about_service(notifications.CONTAINER_ESCAPE, NOW))
    assert classify(finding, ()).name == "cloud_run_container_escape"
    assert finding.cloud_run is not None
    assert finding.cloud_run.name == "checkout"
    assert finding.pods == ()


@pytest.mark.parametrize(
    "other",
    [notifications.ADDED_BINARY, notifications.COMPILER],
    ids=["another-detection", "a-third"],
)
def test_identity_of_findings(other: Detection, cluster: SimulatedCluster) -> None:
    """Each detection on each pod is a finding of its own, and the same one whenever it is told again."""
    first, second = cluster.objects("Pod", "shop")[:2]
    key = parse_notification(about_pod(notifications.REVERSE_SHELL, first, NOW)).key
    assert parse_notification(about_pod(notifications.REVERSE_SHELL, first, datetime.now(UTC))).key == key
    assert parse_notification(about_pod(notifications.REVERSE_SHELL, second, NOW)).key != key
    assert parse_notification(about_pod(other, first, NOW)).key != key


@pytest.mark.parametrize("data", [b"{}", b"\x00\xff junk", b""], ids=["json", "bytes", "nothing"])
def test_a_push_body_holds_published_bytes(data: bytes) -> None:
    """A push body holds the published bytes, as Pub/Sub wraps them."""
    body = push_body(data or b"x", "m-1", NOW)
    message = open_envelope(body, {})
    assert (message.message_id, message.data) == ("m-1", data or b"x")
    assert json.loads(body)["subscription"] == notifications.SUBSCRIPTION


def test_the_story_tells_new_findings(cluster: SimulatedCluster) -> None:
    """The story tells of the plainest attack, runbooks, then what is not acted on: each listed finding is new."""
    story = deliveries(cluster.objects("Pod"), NOW)
    listed = [parse_notification(item.data).key for item in story if item.listed]
    acted = [item for item in story if item.reason in {"done", "bypassed_by", "invalid"}]
    rehearsed = [item for item in story if item.reason == "dry_run"]
    others = [item for item in story if item not in [*acted, *rehearsed]]
    assert (len(acted), len(rehearsed)) == (4, 1)
    assert not any(item.writes for item in others)
    assert {item.fate for item in [*others, *rehearsed]} == {"untouched"}
    assert len(set(listed)) == len(listed) == 7


def test_copies_repeat_or_precede_the_first(cluster: SimulatedCluster) -> None:
    """The duplicate is the first message byte for byte, and the stale one an older state of the same finding."""
    story = {item.reason: item for item in deliveries(cluster.objects("Pod"), NOW)[7:]}
    first = deliveries(cluster.objects("Pod"), NOW)[0]
    older = parse_notification(story["stale"].data)
    newer = parse_notification(first.data)
    assert story["duplicate"].data == first.data
    assert older.key == newer.key
    assert older.event_time < newer.event_time
