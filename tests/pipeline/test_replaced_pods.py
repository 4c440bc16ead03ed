"""A pod that took its predecessor's name is another pod: it is never marked, isolated or deleted in its place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import (
    ALL,
    NODE,
    SPARE_NODE,
    Deployment,
    Interposed,
    api_of,
    deployed,
    finding_about,
    mutations,
    policy,
)

Object = dict[str, Any]
CALLS = 22
"""Requests of a whole response; `test_a_response_takes_this_many_requests` holds it."""


@pytest.fixture
def stateful(cluster: SimulatedCluster) -> Object:
    """One of the two pods of a StatefulSet that run on any node."""
    manifest = objects.stateful_set("db", "shop", NODE, replicas=2)
    del manifest["spec"]["template"]["spec"]["nodeName"]
    cluster.create(manifest)
    return next(pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["name"] == "db-0")


def replace_pod(cluster: SimulatedCluster) -> None:
    """Let someone else delete the pod: its controller makes another of that name, on another node."""
    if not any(node["metadata"]["name"] == "other-node" for node in cluster.objects("Node")):
        cluster.create(objects.node("other-node"))
    admin = api_of(cluster, "admin")
    for node in (NODE, SPARE_NODE):
        admin.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    admin.delete("/api/v1/namespaces/shop/pods/db-0", {"gracePeriodSeconds": 0})
    for node in (NODE, SPARE_NODE):
        admin.patch(f"/api/v1/nodes/{node}", {"spec": {"unschedulable": None}})


def current(cluster: SimulatedCluster) -> Object:
    return next(pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["name"] == "db-0")


def assert_untouched(cluster: SimulatedCluster, old_uid: str) -> None:
    """The pod that is there now carries no mark of ours, no policy selects it, and its node takes pods."""
    pod = current(cluster)
    assert pod["metadata"]["uid"] != old_uid
    assert [key for key in pod["metadata"]["labels"] if key.startswith("scc-responder/")] == []
    assert pod["metadata"].get("annotations", {}) == {}
    assert "deletionTimestamp" not in pod["metadata"]
    assert pod["spec"]["nodeName"] == "other-node"
    other = next(node for node in cluster.objects("Node") if node["metadata"]["name"] == "other-node")
    assert not other["spec"].get("unschedulable")
    selectors = [item["spec"]["podSelector"]["matchLabels"] for item in cluster.objects("NetworkPolicy", "shop")]
    assert not any(selector.items() <= pod["metadata"]["labels"].items() for selector in selectors)


def test_replaced_before_the_read(tmp_path: Path, cluster: SimulatedCluster, stateful: Object) -> None:
    """A pod replaced before anything was read is found out by its age, and everything is held."""
    document = finding_about(stateful)
    # The replacement is made within the same second here; a real one comes after the container that was seen.
    early = "2026-03-02T08:58:03Z"
    for place in (document["finding"], *document["finding"]["kubernetes"]["pods"]):
        place["containers"] = [{**place["containers"][0], "createTime": early}]
    replace_pod(cluster)
    deployment = deployed(tmp_path, cluster, policy(*ALL))

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document)[:3] == [
        "label_pod: pod_replaced",
        "annotate_pod: pod_replaced",
        "isolate_pod: pod_replaced",
    ]
    assert (ending.status, ending.reason) == (204, "pod_replaced")
    assert_untouched(cluster, stateful["metadata"]["uid"])


@pytest.mark.parametrize("drop", [(), ("createTime",), ("createTime", "imageId")], ids=["all", "no-start", "no-image"])
def test_no_replacement_is_proved(
    tmp_path: Path, cluster: SimulatedCluster, stateful: Object, drop: tuple[str, ...]
) -> None:
    """A pod that was replaced at once, on the same node and from the same image, is not deleted in its place."""
    document = finding_about(stateful)
    for place in (document["finding"], *document["finding"]["kubernetes"]["pods"]):
        place["containers"] = [{name: text for name, text in place["containers"][0].items() if name not in drop}]
    admin = api_of(cluster, "admin")
    others = [node["metadata"]["name"] for node in cluster.objects("Node") if node["metadata"]["name"] != NODE]
    for name in others:
        admin.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
    document["finding"]["kubernetes"].pop("nodes", None)
    admin.delete("/api/v1/namespaces/shop/pods/db-0", {"gracePeriodSeconds": 0})
    assert current(cluster)["metadata"]["uid"] != stateful["metadata"]["uid"]
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "delete_pod {allow_last_replica: true}"))

    deployment.respond_to(document)

    assert deployment.case(document).decision["identity"]["level"] != "proved"
    assert "deletionTimestamp" not in current(cluster)["metadata"]


@pytest.fixture
def spot(tmp_path: Path) -> Iterator[tuple[SimulatedCluster, list[datetime]]]:
    """A cluster that was made ten minutes ago, and the clock by which it tells the time."""
    times = [datetime.now(UTC) - timedelta(minutes=10)]
    with SimulatedCluster(stop_seconds=0, clock=lambda: times[-1]) as running:
        running.create(objects.namespace("shop"))
        for name in (NODE, SPARE_NODE, "node-c", "node-d", "node-e"):
            running.create(objects.node(name))
        running.create(objects.deployment("web", "shop", NODE, replicas=4))
        yield running, times


def come_back(cluster: SimulatedCluster, times: list[datetime]) -> None:
    """Let the node be another machine of the same name, made five minutes ago."""
    times.append(times[0] + timedelta(minutes=5))
    api_of(cluster, "admin").delete(f"/api/v1/nodes/{NODE}", {})
    cluster.create(objects.node(NODE))


def test_a_node_that_came_back(tmp_path: Path, spot: tuple[SimulatedCluster, list[datetime]]) -> None:
    """A node that is younger than the event is not cordoned for what happened on the one before it."""
    cluster, times = spot
    document = finding_about(cluster.objects("Pod", "shop")[0])
    come_back(cluster, times)
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "cordon_node"))

    deployment.respond_to(document)

    assert deployment.outcomes(document)[1:3] == ["isolate_pod: isolated", "cordon_node: node_replaced"]
    assert mutations(cluster.audit).count("patch nodes") == 0


def test_a_case_keeps_its_node(tmp_path: Path, spot: tuple[SimulatedCluster, list[datetime]]) -> None:
    """A case that cordoned one node cordons no other of that name, even where nothing tells their ages apart."""
    cluster, _ = spot
    document = finding_about(cluster.objects("Pod", "shop")[0])
    deployment = deployed(tmp_path, cluster, policy("cordon_node", "notify"))
    api = deployment.clusters.api

    def crash(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            api_of(cluster, "admin").delete(f"/api/v1/nodes/{NODE}", {})
            cluster.create(objects.node(NODE))
            raise RuntimeError("a crash of ours")

    deployment.clusters.api = Interposed(api, before=crash)
    first = deployment.respond_to(document)
    deployment.clusters.api = api

    deployment.deliver(document)

    assert first.status == 503
    assert not any(node["spec"].get("unschedulable") for node in cluster.objects("Node"))
    assert [step.status for step in deployment.case(document).steps if step.action == "cordon_node"] != ["done"]
    answers = deployment.case(document).decision["policies"][0]["actions"]
    assert [item["reason"] for item in answers if item["action"] == "cordon_node"] == ["node_replaced"]


def test_a_response_takes_this_many_requests(tmp_path: Path, cluster: SimulatedCluster, stateful: Object) -> None:
    """The whole response takes this many requests: the tests below go through all of them."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    deployment.clusters.api = interposed = Interposed(deployment.clusters.api)
    deployment.respond_to(finding_about(stateful))
    assert len(interposed.calls) == CALLS


def replaced_at(deployment: Deployment, cluster: SimulatedCluster, number: int, *, after: bool) -> None:
    """Replace the pod right before (or after) the API server gets this call, once."""

    def act(call: int, _verb: str, _path: str) -> None:
        if call == number:
            replace_pod(cluster)

    api = deployment.clusters.api
    deployment.clusters.api = Interposed(api, after=act) if after else Interposed(api, before=act)


@pytest.mark.parametrize("number", range(1, CALLS))
def test_replaced_at_any_call(tmp_path: Path, cluster: SimulatedCluster, stateful: Object, number: int) -> None:
    """Wherever between the first read and the last the pod is replaced, its replacement is left alone."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    replaced_at(deployment, cluster, number, after=False)
    document = finding_about(stateful)

    ending = deployment.respond_to(document)

    assert ending.status == 204
    assert_untouched(cluster, stateful["metadata"]["uid"])
    steps = deployment.case(document).steps
    deleted = [step for step in steps if step.action == "delete_pod" and step.reason == "processes_ended"]
    assert {step.expected_uid for step in deleted} <= {stateful["metadata"]["uid"]}
    assert [step.reason for step in steps if step.status == "failed"] == []


@pytest.mark.parametrize("number", range(5, CALLS))
def test_replaced_and_resumed(tmp_path: Path, cluster: SimulatedCluster, stateful: Object, number: int) -> None:
    """A delivery that resumes a case holds to the pod the case is about, however alike the one that is there now."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    api = deployment.clusters.api

    def crash(call: int, _verb: str, _path: str) -> None:
        if call == number:
            replace_pod(cluster)
            raise RuntimeError("a crash of ours")

    deployment.clusters.api = Interposed(api, before=crash)
    document = finding_about(stateful)
    first = deployment.respond_to(document)
    deployment.clusters.api = api

    second = deployment.deliver(document)

    assert (first.status, second.status) == (503, 204)
    if deployment.case(document).target_uids:
        assert_untouched(cluster, stateful["metadata"]["uid"])
