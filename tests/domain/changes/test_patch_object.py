"""A patch of a pod or node: conditional, recognised as our own, and read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.kubernetes.api_errors import ApiRequest, ApiResponse, kubernetes_failure
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.errors import ApiError
from scc_responder.domain.labels import ACTION_ID, ARMED_BY, case_labels, isolating_label
from scc_responder.domain.status import StepStatus
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import NODE, one_cluster, pod_target, step_run
from tests.kits.responder import Interposed, api_of


def test_a_pod_is_patched_once() -> None:
    """A dry run changes nothing; done again it is recognised, by the one who did it and by others."""
    with one_cluster() as (cluster, means):
        change = PatchObject(kind="Pod", **pod_target(cluster), labels={"a": "b"})
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        labels = cluster.objects("Pod", "shop")[0]["metadata"]["labels"]
        results = [
            change.carry_out(step_run(), means),
            change.carry_out(step_run(intended=True), means),
            change.carry_out(step_run("a2"), means),
        ]
    assert (rehearsed.status, "a" in labels) == (StepStatus.DRY_RUN, False)
    assert [(result.status, result.reason) for result in results] == [
        (StepStatus.DONE, "patched"),
        (StepStatus.DONE, "done_before"),
        (StepStatus.DONE, "already"),
    ]


def test_what_another_undid_is_not_done_again() -> None:
    """The marker says that it was done; a person's hand counts more."""
    with one_cluster() as (cluster, means):
        change = cordon(cluster)
        first = change.carry_out(step_run(), means)
        api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": None}})
        second = change.carry_out(step_run(intended=True), means)
    assert (first.reason, second.status) == ("patched", StepStatus.OVERRIDDEN)


def cordon(cluster: SimulatedCluster) -> PatchObject:
    uid = cluster.objects("Node")[0]["metadata"]["uid"]
    return PatchObject(kind="Node", name=NODE, uid=uid, spec={"unschedulable": True}, versioned=True)


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"uid": "another"}, StepStatus.TARGET_REPLACED), ({"name": "gone"}, StepStatus.TARGET_GONE)],
)
def test_another_object_is_not_patched(changes: dict[str, str], status: StepStatus) -> None:
    """One of another UID, or none."""
    with one_cluster() as (cluster, means):
        change = PatchObject(kind="Pod", **{**pod_target(cluster), **changes}, labels={"a": "b"})
        assert change.carry_out(step_run(), means).status is status


def test_an_armed_pod_carries_the_action() -> None:
    """The arming is a label of its own, and the only one written; another action's arming is replaced."""
    with one_cluster() as (cluster, means):
        change = PatchObject(kind="Pod", **pod_target(cluster), marker=ARMED_BY, versioned=True)
        assert [change.carry_out(step_run(name), means).reason for name in ("a1", "a2")] == ["armed", "armed"]
        meta = cluster.objects("Pod", "shop")[0]["metadata"]
    assert (meta["labels"][ARMED_BY], meta.get("annotations", {})) == ("a2", {})


def test_autopilots_refusal_is_not_possible() -> None:
    """Google's nodes are Google's: no later step depends on the cordon."""
    with one_cluster(admission=lambda *_: "GKE Warden rejected the request") as (cluster, means):
        result = cordon(cluster).carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_POSSIBLE, "not_possible_autopilot")


def full(cluster: SimulatedCluster) -> None:
    """Fill the pod's annotations to the last of the 262,144 bytes that Kubernetes allows, with two-byte letters."""
    notes = {"example.com/notes": "é" * ((256 * 1024 - len("example.com/notes")) // 2) + "x"}
    meta = pod_target(cluster)
    api_of(cluster, "admin").patch(f"/api/v1/namespaces/shop/pods/{meta['name']}", {"metadata": {"annotations": notes}})


def test_full_annotations_keep_no_label_away() -> None:
    """Isolation and arming write one label alone; a mark goes without its annotation; a note fails."""
    with one_cluster() as (cluster, means):
        full(cluster)
        target = pod_target(cluster)
        changes = {
            "isolation": PatchObject(kind="Pod", **target, labels=isolating_label(target["uid"])),
            "arming": PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True),
            "mark": PatchObject(kind="Pod", **target, labels={"a": "b"}),
            "note": PatchObject(kind="Pod", **target, annotations={"a": "b"}),
        }
        results = {name: change.carry_out(step_run(), means).reason for name, change in changes.items()}
        again = changes["isolation"].carry_out(step_run(intended=True), means)
        patches = [event.code for event in cluster.audit if event.verb == "patch" and event.user == "responder"]
        labels = cluster.objects("Pod", "shop")[0]["metadata"]["labels"]
    assert results == {"isolation": "patched", "arming": "armed", "mark": "patched", "note": "invalid"}
    assert again.reason == "done_before"
    assert patches == [200, 200, 422, 200, 422, 422]
    assert labels.items() >= {"a": "b", ARMED_BY: "a1", **isolating_label(target["uid"])}.items()


def test_a_label_that_stands_is_said_for_what_it_is() -> None:
    """A mark that went without its annotation is still the case's own; the label of an isolation isolates nothing."""
    with one_cluster() as (cluster, means):
        full(cluster)
        target = pod_target(cluster)
        mark = PatchObject(kind="Pod", **target, labels=case_labels("ab" * 32))
        isolation = PatchObject(kind="Pod", **target, labels=isolating_label(target["uid"]))
        first = [change.carry_out(step_run(), means).reason for change in (mark, isolation)]
        resumed = mark.carry_out(step_run(intended=True), means).reason
        another = isolation.carry_out(step_run("a2"), means).reason
    assert (first, resumed, another) == (["patched", "patched"], "done_before", "already_labeled")


def test_a_node_of_full_annotations_is_cordoned() -> None:
    """Its other annotations wait as well: what it was before is then in the case alone."""
    with one_cluster() as (cluster, means):
        there = cluster.objects("Node")[0]["metadata"].get("annotations", {})
        size = sum(len(key) + len(value) for key, value in there.items()) + len("example.com/notes")
        notes = {"example.com/notes": "x" * (256 * 1024 - size)}
        api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"metadata": {"annotations": notes}})
        change = replace(cordon(cluster), annotations={"scc-responder/prior-unschedulable": "false"})
        result = change.carry_out(step_run(), means)
        node = cluster.objects("Node")[0]
    assert (result.reason, node["spec"]["unschedulable"]) == ("patched", True)
    assert node["metadata"]["annotations"].keys() == {*there, "example.com/notes"}


def test_isolation_writes_one_label() -> None:
    """And nothing else: the action's id is in the NetworkPolicy."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        before = cluster.objects("Pod", "shop")[0]["metadata"]
        PatchObject(kind="Pod", **target, labels=isolating_label(target["uid"])).carry_out(step_run(), means)
        after = cluster.objects("Pod", "shop")[0]["metadata"]
    assert after["labels"] == {**before.get("labels", {}), "scc-responder/isolated-pod": target["uid"]}
    assert after.get("annotations") == before.get("annotations")


def test_a_pod_that_is_full_is_left_to_a_person() -> None:
    """What etcd cannot store takes no patch: the outcome has a command that deletes this very pod."""

    def too_large() -> ApiError:
        body = b'{"kind": "Status", "message": "etcdserver: request is too large", "code": 500}'
        request = ApiRequest(method="PATCH", path="/api/v1/namespaces/shop/pods/web-1")
        return kubernetes_failure(request, ApiResponse(status=500, body=body))

    def refuse(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            raise too_large()

    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        means.api = Interposed(means.api, before=refuse)
        change = PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True)
        result = change.carry_out(step_run(), means)
        calls = means.api.calls
        means.api = means.api.api
    options = f'{{"apiVersion":"v1","kind":"DeleteOptions","preconditions":{{"uid":"{target["uid"]}"}}}}'
    path = f"/api/v1/namespaces/shop/pods/{target['name']}"
    assert (result.status, result.reason) == (StepStatus.FAILED, "object_full")
    assert result.detail.endswith(f"printf %s '{options}' | kubectl delete --raw {path} -f -")
    assert len([call for call in calls if call.startswith("patch")]) == 1


TWO_CASES = [
    pytest.param({"labels": {"t": "other", **case_labels("ab" * 32)}}, "patched", id="another-case-set-its-own"),
    pytest.param({"labels": {"t": "other"}, "annotations": {ACTION_ID: "a2"}}, "patched", id="another-case-of-0.1.0"),
    pytest.param({"labels": {"t": None, **case_labels("ab" * 32)}}, "not_verified", id="a-key-is-gone"),
    pytest.param({"labels": {"t": "other"}}, "not_verified", id="nobody-of-ours"),
]


@pytest.mark.parametrize(("changed", "reason"), TWO_CASES)
def test_another_case_on_the_same_pod(changed: dict[str, Any], reason: str) -> None:
    """Where another finding of ours marks the pod right after, its values are no stranger's doing."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        admin = api_of(cluster, "admin")

        def mark_too(_number: int, verb: str, path: str) -> None:
            if verb == "patch":
                admin.patch(path, {"metadata": changed})

        means.api = Interposed(means.api, after=mark_too)
        change = PatchObject(kind="Pod", **target, labels={"t": "ours", **case_labels("cd" * 32)})
        result = change.carry_out(step_run(), means)
        means.api = means.api.api
    assert result.reason == reason


def test_another_cases_marks_are_no_arming() -> None:
    """What another finding marked the pod with never says that this action armed it."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        PatchObject(kind="Pod", **target, labels=case_labels("ab" * 32)).carry_out(step_run("a2"), means)
        armed = PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True)
        assert armed.carry_out(step_run(intended=True), means).reason == "armed"


def test_an_answer_about_another_object_is_not_believed() -> None:
    """The answer to an arming or an isolation is believed only where it is about this very pod; else it is read."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        api = means.api
        means.api = Lying(api)
        isolated = PatchObject(kind="Pod", **target, labels=isolating_label(target["uid"]))
        armed = PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True)
        results = [change.carry_out(step_run(), means).reason for change in (isolated, armed)]
        means.api = api
    assert results == ["patched", "armed"]


class Lying(Interposed):
    """An API server that answers each patch with another object, patched alike."""

    def patch(self, path: str, body: Mapping[str, Any], **options: Any) -> dict[str, Any]:
        answer = super().patch(path, body, **options)
        return {**answer, "metadata": {**answer["metadata"], "uid": "another", "name": "another"}}
