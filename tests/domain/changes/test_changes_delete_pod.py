"""A deletion: armed before, on condition of the very pod, and seen gone."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.status import StepStatus
from tests.kits.one_change import one_cluster, pod_target, step_run


def test_an_armed_pod_is_deleted() -> None:
    """And is seen gone; a second attempt of the same action knows that it may have been its own."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        change = DeletePod(**target, grace_period_seconds=0)
        unarmed = change.carry_out(step_run(), means)
        PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True).carry_out(step_run(), means)
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        deleted = change.carry_out(step_run(), means)
        again = [change.carry_out(step_run(intended=intended), means) for intended in (True, False)]
        left = {pod["metadata"]["uid"] for pod in cluster.objects("Pod", "shop")}
    assert (unarmed.status, unarmed.reason) == (StepStatus.FAILED, "not_armed")
    assert (rehearsed.status, rehearsed.reason) == (StepStatus.DRY_RUN, "would_delete")
    assert (deleted.status, deleted.reason) == (StepStatus.DONE, "deleted")
    assert [result.reason for result in again] == ["gone_after_intent", "gone_by_other"]
    assert target["uid"] not in left


def pod(**metadata: Any) -> dict[str, Any]:
    return {"metadata": {"uid": "u", "resourceVersion": "7", **metadata}}


CHANGE = DeletePod(namespace="shop", name="web-1", uid="u", grace_period_seconds=30)
ARMED = {"labels": {ARMED_BY: "a1"}}
ARMED_BEFORE = {"annotations": {ARMED_BY: "a1"}}
"""As version 0.1.0 armed pods."""

PROBES: list[Any] = [
    (pod(**ARMED), {}, None),
    (pod(**ARMED_BEFORE), {}, None),
    (pod(labels={ARMED_BY: "another"}, annotations={ARMED_BY: "another"}), {}, "not_armed"),
    (pod(), {}, "not_armed"),
    (pod(deletionTimestamp="t", **ARMED), {}, "terminating"),
    (pod(deletionTimestamp="t", deletionGracePeriodSeconds=31, **ARMED), {}, None),
    (None, {"answered": True}, "deleted"),
    (None, {"sent": True}, "gone_after_intent"),
    (None, {}, "gone_by_other"),
    (pod(uid="other"), {}, "target_replaced"),
]


@pytest.mark.parametrize(("read", "known", "reason"), PROBES)
def test_a_probe_says_what_is_left_to_do(read: Any, known: dict[str, bool], reason: str | None) -> None:
    """Nothing, where the pod is gone or on its way out as fast as we ask for."""
    result = CHANGE.probe(step_run(), read, **{"sent": False, "answered": False, **known})
    assert (result and result.reason) == reason


def test_the_request_is_conditional() -> None:
    """On UID and version; a dry run was not armed, so that its version is not known."""
    assert CHANGE.options(step_run(), pod()) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u", "resourceVersion": "7"},
        "gracePeriodSeconds": 30,
    }
    assert CHANGE.options(step_run(dry_run=True), pod())["preconditions"] == {"uid": "u"}


def test_a_finalizer_keeps_it_terminating() -> None:
    """What keeps the pod is told."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        patch = {"metadata": {"finalizers": ["example.com/keep"], "labels": {ARMED_BY: "a1"}}}
        means.api.patch(f"/api/v1/namespaces/shop/pods/{target['name']}", patch)
        result = DeletePod(**target, grace_period_seconds=0).carry_out(step_run(), means)
    assert (result.status, result.detail) == (StepStatus.TERMINATING, "kept by example.com/keep")
