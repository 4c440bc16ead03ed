"""A patch of a pod or node: conditional, recognised as our own, and read back."""

from __future__ import annotations

import pytest

from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.status import StepStatus
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import NODE, one_cluster, pod_target, step_run
from tests.kits.responder import api_of


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
    """The arming is an annotation of its own; another action's arming is replaced."""
    with one_cluster() as (cluster, means):
        change = PatchObject(kind="Pod", **pod_target(cluster), marker=ARMED_BY, versioned=True)
        assert [change.carry_out(step_run(name), means).reason for name in ("a1", "a2")] == ["armed", "armed"]
        annotations = cluster.objects("Pod", "shop")[0]["metadata"]["annotations"]
    assert annotations[ARMED_BY] == "a2"


def test_autopilots_refusal_is_not_possible() -> None:
    """Google's nodes are Google's: no later step depends on the cordon."""
    with one_cluster(admission=lambda *_: "GKE Warden rejected the request") as (cluster, means):
        result = cordon(cluster).carry_out(step_run(), means)
    assert (result.status, result.reason) == (StepStatus.NOT_POSSIBLE, "not_possible_autopilot")
