"""A detached pod given back to its workload: where case, annotation and selector agree, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.labels import DETACHED
from scc_responder.domain.status import StepStatus
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run
from tests.kits.responder import api_of

OWNER = "/apis/apps/v1/namespaces/shop/replicasets"


@contextmanager
def detached() -> Iterator[tuple[SimulatedCluster, OneCluster, DetachPod]]:
    """A pod of one ReplicaSet that has left it, and its replacement."""
    with one_cluster() as (cluster, means):
        (owner,) = cluster.objects("ReplicaSet", "shop")
        target = pod_target(cluster)
        change = DetachPod(**target, labels={"app": "web"}, owner_uid=owner["metadata"]["uid"])
        assert change.carry_out(step_run(), means).reason == "detached"
        yield cluster, means, change


def own_pod(cluster: SimulatedCluster, change: DetachPod) -> dict[str, Any]:
    return next(pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["uid"] == change.uid)


def patch(cluster: SimulatedCluster, path: str, body: dict[str, Any]) -> None:
    api_of(cluster, "admin").patch(path, body)


def test_a_pod_has_its_labels_back() -> None:
    """A rehearsal says which replica would go, and changes nothing; then the annotation's labels are back."""
    with detached() as (cluster, _means, change):
        rehearsed = inverse_of(change).carry_out(step_run(dry_run=True), OneCluster(cluster, "undo"))
        before = own_pod(cluster, change)["metadata"]["labels"]
        done = inverse_of(change).carry_out(step_run(), OneCluster(cluster, "undo"))
        pods = [pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["uid"] == change.uid]
    assert (rehearsed.status, rehearsed.reason) == (StepStatus.DRY_RUN, "would_undo")
    assert "removes web-" in rehearsed.detail
    assert "app" not in before
    assert done.reason == "undone"
    for pod in pods:
        assert pod["metadata"]["labels"]["app"] == "web"
        assert DETACHED not in pod["metadata"].get("annotations", {})


ADOPTED = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "other", "uid": "u9", "controller": True}]
REFUSED: list[Any] = [
    pytest.param({"ownerReferences": ADOPTED}, {}, "another controller", id="another-controller"),
    pytest.param({"labels": {"app": "mine"}}, {}, "app=mine", id="another-value"),
    pytest.param({"annotations": {DETACHED: '{"app":"other"}'}}, {}, DETACHED, id="the-annotation-differs"),
    pytest.param({"annotations": {DETACHED: None}}, {}, DETACHED, id="the-annotation-is-gone"),
    pytest.param({"annotations": {DETACHED: "no JSON"}}, {}, DETACHED, id="the-annotation-is-no-json"),
    pytest.param({}, {"spec": {"selector": {"matchLabels": {"app": "new"}}}}, "other labels now", id="a-new-selector"),
]


@pytest.mark.parametrize(("metadata", "owner", "said"), REFUSED)
def test_what_does_not_agree_is_refused(metadata: dict[str, Any], owner: dict[str, Any], said: str) -> None:
    """Each of the three that says something else is named, and the pod stays as it is."""
    with detached() as (cluster, _means, change):
        patch(cluster, f"/api/v1/namespaces/shop/pods/{change.name}", {"metadata": metadata})
        if owner:
            (found,) = cluster.objects("ReplicaSet", "shop")
            patch(cluster, f"{OWNER}/{found['metadata']['name']}", owner)
        before = own_pod(cluster, change)
        result = inverse_of(change).carry_out(step_run(), OneCluster(cluster, "undo"))
        assert own_pod(cluster, change) == before
    assert (result.status, result.reason) == (StepStatus.HELD, "undo_refused")
    assert said in result.detail


def test_without_its_workload_it_is_refused() -> None:
    """Nobody would have the pod."""
    with detached() as (cluster, _means, change):
        gone = DetachPod(
            **{name: getattr(change, name) for name in ("namespace", "name", "uid", "labels")}, owner_uid="u"
        )
        result = inverse_of(gone).carry_out(step_run(), OneCluster(cluster, "undo"))
    assert (result.reason, result.detail) == ("undo_refused", "its workload is gone")
