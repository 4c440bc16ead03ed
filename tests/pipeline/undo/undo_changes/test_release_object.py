"""Our marks taken away from a pod, and a node uncordoned: what is ours goes, what others set stays."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.labels import ACTION_ID, ARMED_BY, PRIOR_UNSCHEDULABLE, case_labels
from scc_responder.domain.status import Result, StepStatus
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.pipeline.undo.undo_changes.release_object import ReleaseObject
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import NODE, OneCluster, one_cluster, pod_target, step_run
from tests.kits.responder import Interposed, api_of

CASE = case_labels("0123456789abcdef")
OTHER = case_labels("ba9876543210fedc")
THREAT = {"scc-responder/threat": "suspected"}


def undo(change: PatchObject, means: OneCluster, action_id: str = "a1", **fields: Any) -> Result:
    """Taken back by whoever may do nothing else."""
    means = OneCluster(means.cluster, "undo")
    return replace(inverse_of(change), **fields).carry_out(step_run(action_id), means)


def metadata(cluster: SimulatedCluster) -> dict[str, Any]:
    found = cluster.objects("Pod", "shop")[0]["metadata"]
    return {name: found.get(name) or {} for name in ("labels", "annotations")}


def mark(cluster: SimulatedCluster, **fields: Any) -> PatchObject:
    return PatchObject(kind="Pod", **pod_target(cluster), **fields)


def test_a_pod_is_as_before() -> None:
    """A rehearsal changes nothing; then every mark goes, and a second time there is nothing to do."""
    with one_cluster() as (cluster, means):
        before = metadata(cluster)
        change = mark(cluster, labels=CASE | THREAT, annotations={"scc-responder/finding": "f"})
        change.carry_out(step_run(), means)
        marked = metadata(cluster)
        rehearsed = inverse_of(change).carry_out(step_run(dry_run=True), means)
        kept = metadata(cluster)
        results = [undo(change, means), undo(change, means)]
        after = metadata(cluster)
    assert (rehearsed.status, rehearsed.reason, kept) == (StepStatus.DRY_RUN, "would_undo", marked)
    assert [str(result.reason) for result in results] == ["undone", "already_undone"]
    assert "scc-responder/case-0123456789ab" in results[0].detail
    assert after == before != marked


def test_what_others_set_stays() -> None:
    """Another case's marks, a value that somebody changed, a key that is not ours, and what is kept: each is named."""
    with one_cluster() as (cluster, means):
        change = mark(cluster, labels={**CASE, **THREAT, "team": "shop", "scc-responder/kept": "y"})
        change.carry_out(step_run(), means)
        mark(cluster, labels=OTHER).carry_out(step_run("a2"), means)
        pod = f"/api/v1/namespaces/shop/pods/{change.name}"
        api_of(cluster, "admin").patch(pod, {"metadata": {"labels": {"scc-responder/threat": "refuted"}}})
        result = undo(change, means, kept=("scc-responder/kept",))
        after = metadata(cluster)
    assert result.reason == "undone"
    named = ("scc-responder/threat", "team", "scc-responder/case", "scc-responder/kept")
    assert all(f"{key} stays" in result.detail for key in named)
    assert after["annotations"][ACTION_ID] == "a2"
    own = {"team": "shop", "scc-responder/kept": "y", "scc-responder/threat": "refuted"}
    assert after["labels"].items() >= {**OTHER, **own}.items()
    assert "scc-responder/case-0123456789ab" not in after["labels"]


def test_what_changes_meanwhile_is_read_again() -> None:
    """The version that was read is a condition of the write: a value that somebody sets in between stays."""
    with one_cluster() as (cluster, means):
        change = mark(cluster, labels=THREAT)
        change.carry_out(step_run(), means)
        pod = f"/api/v1/namespaces/shop/pods/{change.name}"
        edits: list[str] = []

        def edit(_number: int, verb: str, _path: str) -> None:
            if verb == "patch" and not edits:
                edits.append(verb)
                api_of(cluster, "admin").patch(pod, {"metadata": {"labels": {"scc-responder/threat": "refuted"}}})

        between = OneCluster(cluster, "undo")
        between.api = Interposed(between.api, edit)
        result = inverse_of(change).carry_out(step_run(), between)
        after = metadata(cluster)["labels"]
    assert (result.reason, after["scc-responder/threat"]) == ("undone", "refuted")
    assert "scc-responder/threat stays" in result.detail


def test_an_armed_pod_is_disarmed() -> None:
    """The label that arms a pod goes where it is the action's own, and no other's."""
    with one_cluster() as (cluster, means):
        change = mark(cluster, marker=ARMED_BY)
        change.carry_out(step_run(), means)
        results = [undo(change, means, "a2"), undo(change, means)]
    assert [str(result.reason) for result in results] == ["already_undone", "undone"]


def cordoned(cluster: SimulatedCluster, means: OneCluster) -> PatchObject:
    uid = cluster.objects("Node")[0]["metadata"]["uid"]
    marks = {PRIOR_UNSCHEDULABLE: "false"}
    change = PatchObject(kind="Node", name=NODE, uid=uid, spec={"unschedulable": True}, annotations=marks)
    change.carry_out(step_run(), means)
    return change


def test_a_node_takes_pods_again() -> None:
    """It is uncordoned, and its annotations are those of before."""
    with one_cluster() as (cluster, means):
        before = cluster.objects("Node")[0]
        result = undo(cordoned(cluster, means), means)
        after = cluster.objects("Node")[0]
    assert (result.reason, result.detail.partition(";")[0]) == ("undone", "uncordoned")
    assert not after["spec"].get("unschedulable")
    assert not after["metadata"].get("annotations") or after["metadata"]["annotations"] == before["metadata"].get(
        "annotations"
    )


NOT_OURS = [
    pytest.param({PRIOR_UNSCHEDULABLE: None}, id="the-state-of-before-is-gone"),
    pytest.param({PRIOR_UNSCHEDULABLE: "true"}, id="it-was-cordoned-before"),
    pytest.param({ACTION_ID: "a9"}, id="another-action-has-it"),
]


@pytest.mark.parametrize("annotations", NOT_OURS)
def test_a_cordon_that_may_be_anothers_stays(annotations: dict[str, str | None]) -> None:
    """Where the node does not say that this action cordoned it, it is refused, and nothing is taken away."""
    with one_cluster() as (cluster, means):
        change = cordoned(cluster, means)
        api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"metadata": {"annotations": annotations}})
        before = cluster.objects("Node")[0]
        result = undo(change, means)
        after = cluster.objects("Node")[0]
    assert (result.status, result.reason) == (StepStatus.HELD, "undo_refused")
    assert PRIOR_UNSCHEDULABLE in result.detail
    assert before == after


def test_a_node_that_somebody_uncordoned_loses_its_marks() -> None:
    """There is nothing to uncordon; what is ours goes."""
    with one_cluster() as (cluster, means):
        change = cordoned(cluster, means)
        api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": None}})
        result = undo(change, means)
        after = cluster.objects("Node")[0]["metadata"].get("annotations") or {}
    assert result.reason == "undone"
    assert not {ACTION_ID, PRIOR_UNSCHEDULABLE} & after.keys()


def test_another_pod_of_the_name_is_left_alone() -> None:
    """One of another UID is not the one that was marked."""
    with one_cluster() as (cluster, means):
        change = ReleaseObject(kind="Pod", **pod_target(cluster) | {"uid": "another"}, labels=CASE)
        result = change.carry_out(step_run(), means)
    assert result.status is StepStatus.TARGET_REPLACED
