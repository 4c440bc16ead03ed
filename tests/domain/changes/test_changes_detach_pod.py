"""A pod taken out of its workload: what is written, what came of it, and what is said where that is less."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run
from tests.kits.responder import Interposed, api_of

KEPT = "scc-responder/detached"


@contextmanager
def workload(**selectors: str) -> Iterator[tuple[SimulatedCluster, OneCluster, DetachPod]]:
    """A pod of one ReplicaSet, and a Service for each of these selectors (`web="app=web"`)."""
    with one_cluster() as (cluster, means):
        for name, selector in selectors.items():
            key, _, value = selector.partition("=")
            metadata = {"name": name, "namespace": "shop"}
            service = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": {key: value}}}
            cluster.create(service)
        (owner,) = cluster.objects("ReplicaSet", "shop")
        yield (
            cluster,
            means,
            DetachPod(**pod_target(cluster), labels={"app": "web"}, owner_uid=owner["metadata"]["uid"]),
        )


def own_pod(cluster: SimulatedCluster, change: DetachPod) -> dict[str, Any]:
    (pod,) = (pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["uid"] == change.uid)
    return pod


def admin_patch(cluster: SimulatedCluster, change: DetachPod, **metadata: Any) -> None:
    api_of(cluster, "admin").patch(f"/api/v1/namespaces/shop/pods/{change.name}", {"metadata": metadata})


def test_a_pod_leaves_its_workload() -> None:
    """Its labels are kept, a replacement comes, and the pod runs on; done again, it is known for ours."""
    with workload(web="app=web") as (cluster, means, change):
        admin_patch(cluster, change, labels={"scc-responder/isolated-pod": change.uid})
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        detached = change.carry_out(step_run(), means)
        again = [change.carry_out(step_run(intended=intended), means) for intended in (True, False)]
        pod, pods = own_pod(cluster, change), cluster.objects("Pod", "shop")
    (other,) = (item["metadata"]["name"] for item in pods if item["metadata"]["uid"] != change.uid)
    assert (rehearsed.status, rehearsed.reason) == (StepStatus.DRY_RUN, "would_detach")
    assert (detached.status, detached.reason) == (StepStatus.DONE, "detached")
    assert detached.detail == f"no controller has it; replaced by {other}"
    assert [(result.status, result.reason) for result in again] == [("done", "done_before"), ("done", "already")]
    assert "whether a replacement came is not known" in again[0].detail
    assert json.loads(pod["metadata"]["annotations"][KEPT]) == {"app": "web"}
    assert pod["metadata"]["labels"] == {"scc-responder/isolated-pod": change.uid}
    assert (pod["status"]["phase"], pod["metadata"]["ownerReferences"]) == ("Running", [])


def test_what_is_kept_is_what_was_taken() -> None:
    """The values of that moment, bound to the version that was read; a label that the pod has lost is not invented."""
    with workload() as (cluster, means, change):
        admin_patch(cluster, change, labels={"app": "web", "zone": "b"}, annotations={KEPT: '{"forged":"x"}'})
        planned = DetachPod(**pod_target(cluster), labels={"app": "old", "gone": "x"}, owner_uid=change.owner_uid)
        planned.carry_out(step_run("a7"), means)
        (patch,) = (event for event in cluster.audit if event.verb == "patch" and event.user == "responder")
    metadata = patch.request["metadata"]
    assert metadata["labels"] == {"app": None}
    assert metadata["annotations"] == {KEPT: '{"app":"web"}', "scc-responder/action-id": "a7"}
    assert metadata.keys() == {"uid", "resourceVersion", "labels", "annotations"}


def test_a_service_by_other_labels_is_named() -> None:
    """The users' requests that it sends are still swallowed: that is said, and is no success."""
    with workload(web="app=web", front="tier=front") as (cluster, means, change):
        admin_patch(cluster, change, labels={"tier": "front"})
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_EFFECTIVE, "still_sent_to")
    assert "Services that still send to the pod: front;" in result.detail


def test_a_pod_that_is_adopted_again_is_named() -> None:
    """Another workload may select the pod by what is left of its labels."""
    with workload() as (cluster, means, change):
        admin_patch(cluster, change, labels={"tier": "front"})
        selector, template = {"matchLabels": {"tier": "front"}}, {"metadata": {"labels": {"tier": "front"}}}
        template |= {"spec": {"containers": [{"name": "a", "image": "i"}]}}
        spec = {"replicas": 0, "selector": selector, "template": template}
        metadata = {"name": "taker", "namespace": "shop"}
        cluster.create({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata, "spec": spec})
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_EFFECTIVE, "still_owned")
    assert result.detail.startswith("ReplicaSet/taker has it; replaced by web-")


def test_labels_that_come_back_are_named() -> None:
    """An operator of the cluster may set them again right after."""

    def set_again(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            admin_patch(cluster, change, labels={"app": "web"})

    with workload() as (cluster, means, change):
        means.api = Interposed(means.api, after=set_again)
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_EFFECTIVE, "still_owned")


def test_labels_that_come_back_count_before_a_controller_has_the_pod() -> None:
    """It adopts the pod as soon as it looks: until then no reference says so."""

    def set_again(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            for kind in ("Deployment", "ReplicaSet"):
                (owner,) = cluster.objects(kind, "shop")
                path = f"/apis/apps/v1/namespaces/shop/{kind.lower()}s/{owner['metadata']['name']}"
                api_of(cluster, "admin").delete(path, {"propagationPolicy": "Orphan"})
            admin_patch(cluster, change, labels={"app": "web"})

    with workload() as (cluster, means, change):
        means.api = Interposed(means.api, after=set_again)
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_EFFECTIVE, "still_owned")
    assert result.detail.startswith("whoever set its labels again has it")


def test_a_pod_that_is_taken_back_a_moment_later_is_named() -> None:
    """All was well at the first look: only a second one is sure."""
    reads: list[str] = []

    def set_again(_number: int, verb: str, path: str) -> None:
        if verb == "get" and path.endswith(f"/{change.name}"):
            reads.append(path)
            if len(reads) == 2:
                admin_patch(cluster, change, labels={"app": "web"})

    with workload() as (cluster, means, change):
        means.api = Interposed(means.api, after=set_again)
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_EFFECTIVE, "still_owned")
    assert len(reads) > 2


def test_a_replacement_that_ends_at_once_is_none() -> None:
    """A pod on its way out answers nobody for long."""

    def end_it(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            admin = api_of(cluster, "admin")
            (owner,) = cluster.objects("ReplicaSet", "shop")
            named = f"/apis/apps/v1/namespaces/shop/replicasets/{owner['metadata']['name']}"
            admin.patch(named, {"spec": {"replicas": 0}})
            (other,) = (pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["uid"] != change.uid)
            path = f"/api/v1/namespaces/shop/pods/{other['metadata']['name']}"
            admin.patch(path, {"metadata": {"finalizers": ["example.com/hold"]}})
            admin.delete(path, {})

    with workload() as (cluster, means, change):
        means.api = Interposed(means.api, after=end_it)
        result = change.carry_out(step_run(), means)
    assert result.detail == "no controller has it; no replacement was seen for 4 s"


UNREAD = [
    pytest.param("endpointslices", "not_effective", "services_unread", id="services"),
    pytest.param("pods", "done", "detached", id="replicas"),
]


@pytest.mark.parametrize(("resource", "status", "reason"), UNREAD)
def test_what_could_not_be_read_back_is_said(resource: str, status: str, reason: str) -> None:
    """The pod is detached all the same: only what is told of it is less."""

    def refuse(_number: int, verb: str, path: str) -> None:
        if verb == "list" and path.endswith(f"/{resource}"):
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, "HTTP 403", status=403, permission=f"{resource}: list")

    with workload(web="app=web") as (cluster, means, change):
        means.api = Interposed(means.api, before=refuse)
        result = change.carry_out(step_run(), means)
        assert "app" not in own_pod(cluster, change)["metadata"].get("labels", {})
    assert (result.status, result.reason) == (status, reason)
    assert f"missing permission: {resource}: list" in result.detail


def test_a_pod_without_a_replacement_is_detached() -> None:
    """Nobody waits for it for ever: what was not seen is said."""
    with workload() as (cluster, means, change):
        (owner,) = cluster.objects("ReplicaSet", "shop")
        path = f"/apis/apps/v1/namespaces/shop/replicasets/{owner['metadata']['name']}"
        api_of(cluster, "admin").patch(path, {"spec": {"replicas": 0}})
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.DONE, "detached")
    assert result.detail == "no controller has it; no replacement was seen for 4 s"


def test_a_pod_that_changes_meanwhile_is_read_again() -> None:
    """A write in between moves the version: the labels are taken as they are then. Another pod is left alone."""
    changed = []

    def change_it(_number: int, verb: str, _path: str) -> None:
        if verb == "patch" and not changed:
            changed.append(verb)
            admin_patch(cluster, change, labels={"app": "web2"})

    with workload() as (cluster, means, change):
        other = DetachPod(**{**pod_target(cluster), "uid": "another"}, labels={"app": "web"}, owner_uid="o")
        assert other.carry_out(step_run(), means).reason == "target_replaced"
        means.api = Interposed(means.api, before=change_it)
        assert change.carry_out(step_run(), means).reason == "detached"
        assert own_pod(cluster, change)["metadata"]["annotations"][KEPT] == '{"app":"web2"}'


def network_policy(name: str, *expressions: dict[str, Any]) -> dict[str, Any]:
    """One that lets everything out of the pods that it selects."""
    spec = {"podSelector": {"matchExpressions": list(expressions)}, "policyTypes": ["Egress"], "egress": [{}]}
    metadata = {"name": name, "namespace": "shop"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


WITHOUT_APP = {"key": "app", "operator": "DoesNotExist"}
OPENED = [
    pytest.param([network_policy("strays", WITHOUT_APP)], True, "bypassed_by", id="pods-without-the-label"),
    pytest.param([network_policy("strays", WITHOUT_APP)], False, "detached", id="not-isolated"),
    pytest.param([network_policy("all")], True, "detached", id="it-selected-the-pod-before"),
]


@pytest.mark.parametrize(("policies", "isolated", "reason"), OPENED)
def test_a_policy_for_pods_without_labels_is_named(policies: list[Any], isolated: bool, reason: str) -> None:
    """It lets an isolated pod's traffic through from now on: the isolation told of the labels of before."""
    with workload() as (cluster, means, change):
        if isolated:
            admin_patch(cluster, change, labels={"scc-responder/isolated-pod": change.uid})
        for item in policies:
            cluster.create(item)
        result = change.carry_out(step_run(), means)
    assert result.reason == reason
    assert ("bypassed_by strays" in result.detail) is (reason == "bypassed_by")


def test_policies_that_are_not_read_prove_nothing() -> None:
    """Whether the pod is still cut off is not known then."""

    def refuse(_number: int, verb: str, path: str) -> None:
        if verb == "list" and path.endswith("/networkpolicies"):
            raise ApiError(Reason.TIMEOUT)

    with workload() as (cluster, means, change):
        admin_patch(cluster, change, labels={"scc-responder/isolated-pod": change.uid})
        means.api = Interposed(means.api, before=refuse)
        result = change.carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_EFFECTIVE, "enforcement_unknown")
