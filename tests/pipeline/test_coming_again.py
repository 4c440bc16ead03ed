"""A step that must come again: the rest is done first, and a later delivery does it after all, and tells it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import NODE, Deployment, Interposed, deployed, finding_about, policy

Object = dict[str, Any]
STEPS = ("capture_evidence", "isolate_pod", "cordon_node", "delete_pod", "notify")


def throttled_once(deployment: Deployment, document: Object, verb: str, resource: str) -> None:
    """Deliver while each request of this verb about this resource is throttled."""
    api = deployment.clusters.api

    def throttle(_number: int, called: str, path: str) -> None:
        if called == verb and f"/{resource}" in path:
            raise ApiError(Reason.THROTTLED, "HTTP 429", status=429, retry_after_seconds=600.0)

    deployment.clusters.api = Interposed(api, throttle)
    assert deployment.respond_to(document).reason == Reason.THROTTLED
    deployment.clusters.api = api


def cordoned(cluster: SimulatedCluster) -> bool:
    """Whether the node of the pods takes no new ones."""
    node = next(item for item in cluster.objects("Node") if item["metadata"]["name"] == NODE)
    return bool(node["spec"].get("unschedulable"))


@pytest.mark.parametrize("named", [True, False], ids=["the-finding-names-the-node", "the-pod-alone-names-the-node"])
@pytest.mark.parametrize("kind", ["deployment", "stateful_set"])
def test_a_node_is_cordoned_though_its_pod_was_deleted(
    tmp_path: Path, cluster: SimulatedCluster, kind: str, *, named: bool
) -> None:
    """The case's own deletion does not take away the proof, nor does a replacement of the same name."""
    cluster.create(getattr(objects, kind)("db", "shop", NODE, replicas=2))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"].startswith("db"))
    deployment = deployed(
        tmp_path, cluster, policy(*STEPS).replace("delete_pod", "delete_pod\n    with: {identity: likely}")
    )
    document = finding_about(pod)
    if not named:
        document["finding"]["kubernetes"].pop("nodes")
        document["finding"]["sourceProperties"].pop("VM_Instance_Name")
        assert not parse_notification(document).node
    throttled_once(deployment, document, "patch", "nodes")

    assert deployment.deliver(document).reason == Reason.DONE

    assert cordoned(cluster)
    assert deployment.case(document).state == "done"
    uids = {item["metadata"]["uid"] for item in cluster.objects("Pod")}
    assert pod["metadata"]["uid"] not in uids
    assert [event.name for event in cluster.audit if event.verb == "delete"] == [pod["metadata"]["name"]]


def test_a_pod_that_another_deleted_proves_nothing(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Only the case's own deletion shows that its pod was the finding's."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node"))
    document = finding_about(pod)
    throttled_once(deployment, document, "patch", "nodes")
    deployment.clusters.api.delete(api_paths.pod("shop", pod["metadata"]["name"]), {"gracePeriodSeconds": 0})
    deployment.deliver(document)
    assert not cordoned(cluster)
    assert deployment.outcomes(document)[0] == "cordon_node: held_before_resumed"


def test_the_end_is_told_after_what_came_again(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """The first message says what is left open; the last one, of the delivery that did it, how it ended."""
    deployment = deployed(tmp_path, cluster, policy(*STEPS))
    document = finding_about(pod)
    throttled_once(deployment, document, "patch", "nodes")
    deployment.deliver(document)
    deployment.deliver(document)
    first, passing, last = deployment.published.messages
    assert [step["status"] for step in first["steps"] if step["action"] == "cordon_node"] == ["intent"]
    assert passing["reason"] == Reason.THROTTLED
    assert [step["status"] for step in last["steps"] if step["action"] == "cordon_node"] == ["done"]


def test_nobody_is_told_who_did_not_ask(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Where no policy tells the outcome, only that the finding waited is told."""
    deployment = deployed(tmp_path, cluster, policy(*STEPS[:-1]))
    document = finding_about(pod)
    throttled_once(deployment, document, "patch", "nodes")
    deployment.deliver(document)
    assert [message["reason"] for message in deployment.published.messages] == [Reason.THROTTLED]
