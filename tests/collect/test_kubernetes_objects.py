"""Kubernetes objects as API servers send them, reduced to what decisions look at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.collect.kubernetes_objects import (
    budgets_of,
    controller,
    node_pool,
    parse_job,
    parse_namespace,
    parse_node,
    parse_pod,
    parse_workload,
    pool_member,
    selecting_keys,
)
from scc_responder.domain.context import NodePool, Owner, Zone

META = {
    "namespace": "shop",
    "name": "web-1",
    "uid": "u1",
    "resourceVersion": "7",
    "creationTimestamp": "2026-03-02T08:58:01Z",
}


def pod(status: dict[str, Any] | None = None, spec: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    return {"metadata": {**META, **meta}, "spec": spec or {}, "status": status or {}}


def test_a_bare_pod_is_ordinary() -> None:
    """A pod that was only just made has neither status nor node, and that is ordinary."""
    found = parse_pod({"metadata": META})
    assert (found.uid, found.node_name, found.phase, found.owners, found.containers) == ("u1", "", "", (), ())
    assert found.creation_time == datetime(2026, 3, 2, 8, 58, 1, tzinfo=UTC)


def test_special_marks_of_a_pod_are_read() -> None:
    """What makes a pod special is told: networks, system, mirror, finalizers, its deletion."""
    found = parse_pod(
        pod(
            spec={"hostNetwork": True, "nodeName": "n", "serviceAccountName": "sa", "os": {"name": "windows"}},
            annotations={"kubernetes.io/config.mirror": "x", "k8s.v1.cni.cncf.io/networks": "storage"},
            finalizers=["example.com/hold"],
            deletionTimestamp="2026-03-02T09:00:00Z",
        )
    )
    assert (found.host_network, found.mirror, found.finalizers) == (True, True, ("example.com/hold",))
    assert (found.node_name, found.service_account) == ("n", "sa")
    assert (found.operating_system, found.further_interfaces) == ("windows", True)
    assert found.deletion_time == datetime(2026, 3, 2, 9, tzinfo=UTC)


def at(time: str) -> dict[str, str]:
    return {"startedAt": f"2026-03-02T{time}Z"}


STATES = [
    pytest.param({"state": {"running": at("08:00:00")}}, 8, id="running"),
    pytest.param({"state": {"terminated": at("08:00:00")}}, 8, id="terminated"),
    pytest.param({"state": {"waiting": {}}, "lastState": {"terminated": at("07:00:00")}}, 7, id="waiting-to-restart"),
    pytest.param(
        {"state": {"running": at("08:00:00")}, "lastState": {"terminated": at("07:00:00")}}, 8, id="restarted"
    ),
    pytest.param({"lastState": {"terminated": at("07:00:00")}}, 7, id="last-only"),
    pytest.param({"state": {"terminated": {"startedAt": None}}}, None, id="never-started"),
    pytest.param({"state": {"waiting": {"reason": "ImagePullBackOff"}}}, None, id="waiting"),
    pytest.param({}, None, id="nothing"),
]


@pytest.mark.parametrize(("status", "hour"), STATES)
def test_a_container_start_is_its_latest_run(status: dict[str, Any], hour: int | None) -> None:
    """A container's start is that of its present run, or of its last one while it waits."""
    found = parse_pod(pod({"containerStatuses": [{"name": "app", **status}]})).containers[0]
    assert (found.started_at and found.started_at.hour) == hour


def test_every_kind_of_container() -> None:
    """A finding may name an init or an ephemeral container too."""
    fields = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    found = parse_pod(pod({field: [{"name": field}] for field in fields}))
    assert [item.name for item in found.containers] == list(fields)


SPEC: dict[str, Any] = {
    "containers": [{"name": "app", "image": "web:1"}, {"name": "log", "image": "log:1"}],
    "initContainers": [{"name": "proxy", "image": "proxy:1", "restartPolicy": "Always"}],
    "ephemeralContainers": [{"name": "debug", "image": "debug:1"}],
}
REPORTED = [
    pytest.param({}, [], ["app", "log", "proxy", "debug"], id="waits-for-a-node"),
    pytest.param({"containerStatuses": None, "phase": "Failed"}, [], ["app", "log", "proxy", "debug"], id="evicted"),
    pytest.param(
        {"initContainerStatuses": [{"name": "proxy"}], "containerStatuses": [{"name": "log"}]},
        ["log", "proxy"],
        ["app", "debug"],
        id="some",
    ),
]


@pytest.mark.parametrize(("status", "reported", "asked"), REPORTED)
def test_unreported_containers_are_of_the_spec(status: dict[str, Any], reported: list[str], asked: list[str]) -> None:
    """A container that no kubelet reports is known by what the spec asks for: init, sidecar and ephemeral ones too."""
    found = parse_pod(pod(status, SPEC)).containers
    assert [item.name for item in found] == [*reported, *asked]
    assert all(item.image == f"{item.name.replace('app', 'web')}:1" for item in found if item.name in asked)


OWNERS = [
    pytest.param([], None, id="none"),
    pytest.param([{"kind": "ReplicaSet", "name": "a", "uid": "1"}], None, id="no-controller"),
    pytest.param(
        [{"kind": "X", "name": "a", "uid": "1"}, {"kind": "Job", "name": "b", "uid": "2", "controller": True}],
        Owner(kind="Job", name="b", uid="2"),
        id="the-controller",
    ),
]


@pytest.mark.parametrize(("references", "owner"), OWNERS)
def test_a_pod_belongs_to_its_controller(references: list[dict[str, Any]], owner: Owner | None) -> None:
    """A pod belongs to its controller, not to whatever else stands among its owners."""
    item = pod(ownerReferences=references)
    assert controller(item) == owner
    assert parse_pod(item).owners == ((owner,) if owner else ())


def test_a_node_tells_instance_and_pool() -> None:
    """A node tells its instance, its pool, and whether it takes pods."""
    labels, notes = {"cloud.google.com/gke-nodepool": "pool-1"}, {"container.googleapis.com/instance_id": "42"}
    found = parse_node({"metadata": {**META, "labels": labels, "annotations": notes}, "spec": {"unschedulable": True}})
    assert (found.instance_id, found.node_pool, found.unschedulable) == ("42", "pool-1", True)
    assert parse_node({"metadata": META}).unschedulable is False
    assert found.creation_time == datetime(2026, 3, 2, 8, 58, 1, tzinfo=UTC)
    unborn = {key: value for key, value in META.items() if key != "creationTimestamp"}
    assert parse_node({"metadata": unborn}).creation_time is None


def test_a_namespace_has_name_and_uid() -> None:
    """A namespace is known by name and UID."""
    found = parse_namespace({"metadata": {**META, "labels": {"team": "shop"}}})
    assert (found.name, found.uid, found.labels) == ("web-1", "u1", {"team": "shop"})


@pytest.mark.parametrize(
    ("workload", "counts"),
    [
        ({"spec": {"replicas": 3}, "status": {"readyReplicas": 2}}, (3, 2)),
        ({"spec": {"replicas": 0}}, (0, 0)),
        ({}, (1, 0)),
    ],
)
def test_a_workload_counts_its_replicas(workload: dict[str, Any], counts: tuple[int, int]) -> None:
    """Kubernetes' own defaults count where nothing is said."""
    owner = Owner(kind="Deployment", name="web", uid="u", api_version="apps/v1")
    found = parse_workload(workload, owner)
    assert (found.kind, found.name, (found.replicas, found.ready)) == ("Deployment", "web", counts)


RESTARTED = {"containerStatuses": [{"restartCount": 2}]}
INDEX_FAILURES = "batch.kubernetes.io/job-index-failure-count"
JOBS: list[Any] = [
    ({}, {}, {}, False),
    ({"backoffLimit": 0}, {}, {}, True),
    ({"backoffLimit": 1}, {}, {}, False),
    ({"backoffLimit": 1}, {"failed": 1}, {}, True),
    ({"backoffLimit": 1}, {"uncountedTerminatedPods": {"failed": ["u"]}}, {}, True),
    ({}, {"failed": 6}, {}, True),
    ({"backoffLimit": 0}, {"conditions": [{"type": "Complete", "status": "True"}]}, {}, False),
    ({"backoffLimit": 2}, {}, {"spec": {"restartPolicy": "OnFailure"}, "status": RESTARTED}, True),
    ({"backoffLimit": 2}, {}, {"spec": {"restartPolicy": "Never"}, "status": RESTARTED}, False),
    ({"backoffLimitPerIndex": 1}, {"failed": 9}, {}, False),
    ({"backoffLimitPerIndex": 1}, {}, {"metadata": {"annotations": {INDEX_FAILURES: "1"}}}, True),
    ({"backoffLimitPerIndex": 1}, {}, {"metadata": {"annotations": {INDEX_FAILURES: "many"}}}, True),
    ({"backoffLimitPerIndex": 1}, {}, {"metadata": {"annotations": {INDEX_FAILURES: "1" * 5_000}}}, True),
    ({"backoffLimitPerIndex": 1, "backoffLimit": 2}, {"failed": 2}, {}, True),
]


@pytest.mark.parametrize(("spec", "status", "pod", "last"), JOBS)
def test_a_job_without_a_retry_is_known(spec: Any, status: Any, pod: Any, last: bool) -> None:
    """To delete a pod counts as its failure: of the Job, and of an index where each has retries of its own."""
    owner = Owner(kind="Job", name="batch", uid="u", api_version="batch/v1")
    found = parse_job({"spec": spec, "status": status}, owner, pod)
    assert (found.kind, found.replicas, found.has_no_retry) == ("Job", None, last)


def budget(name: str, selector: Any, generation: int = 1, **status: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "generation": generation}, "spec": {"selector": selector}, "status": status}


def test_only_selecting_budgets_count() -> None:
    """One whose status is out of date allows nothing."""
    web = {"matchLabels": {"app": "web"}}
    budgets = [
        budget("fresh", web, observedGeneration=1, disruptionsAllowed=2),
        budget("stale", web, 2, observedGeneration=1, disruptionsAllowed=2),
        budget("unseen", {}),
        budget("other", {"matchLabels": {"app": "db"}}),
        budget("none", None),
    ]
    found = budgets_of({"app": "web"}, budgets)
    assert [(item.name, item.disruptions_allowed) for item in found] == [("fresh", 2), ("stale", 0), ("unseen", 0)]


def test_a_pool_counts_its_nodes_by_zone() -> None:
    """A node that is not ready, cordoned, or has a taint that the pod does not tolerate, takes no pods."""

    def node(zone: str, ready: str = "True", **spec: Any) -> dict[str, Any]:
        labels = {"topology.kubernetes.io/zone": zone}
        status = {"conditions": [{"type": "Ready", "status": ready}]}
        return {"metadata": {**META, "name": "n", "labels": labels}, "spec": spec, "status": status}

    tainted = node("b", taints=[{"key": "gpu", "effect": "NoSchedule"}])
    nodes = [node("a"), node("a", unschedulable=True), node("b", "False"), tainted]
    pool = node_pool("p", map(pool_member, nodes))
    assert pool == NodePool(name="p", zones={"a": Zone(nodes=2, schedulable=1), "b": Zone(nodes=2, schedulable=0)})
    assert pool_member(tainted, tolerations=[{"key": "gpu", "operator": "Exists"}]) == ("b", True)


SELECTORS = [
    pytest.param({"matchLabels": {"b": "1", "a": "2"}}, ("a", "b"), id="labels"),
    pytest.param({"matchExpressions": [{"key": "a", "operator": "In", "values": ["x"]}]}, ("a",), id="one-of"),
    pytest.param({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, ("a",), id="any-value"),
    pytest.param({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["x"]}]}, (), id="none-of"),
    pytest.param({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]}, (), id="absent"),
    pytest.param(
        {"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "a", "operator": "Exists"}]}, ("a",), id="twice"
    ),
    pytest.param({"matchLabels": None, "matchExpressions": None}, (), id="empty"),
    pytest.param(None, (), id="none"),
]


@pytest.mark.parametrize(("selector", "keys"), SELECTORS)
def test_without_these_labels_no_selector_matches(selector: dict[str, Any] | None, keys: tuple[str, ...]) -> None:
    """Only what a pod must have: to take away what it must not have would change nothing."""
    assert selecting_keys({"spec": {"selector": selector}}) == keys
    assert selecting_keys({}) == ()
