"""`detach_pod`: which labels are taken away from which pod, and what holds it."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.context import Identity, Owner
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import POD_TARGET, plan

LABELS = {"app": "web", "pod-template-hash": "6d5f", "tier": "front", "scc-responder/isolated-pod": "u"}
DETACHED = {"scc-responder/detached": '{"app":"web"}'}


def owner(kind: str, *selected_by: str, api_version: str = "apps/v1") -> dict[str, Any]:
    """A pod with all of these labels, and this owner."""
    owners = (Owner(kind=kind, name="o", uid="ou", api_version=api_version, selected_by=selected_by),)
    return {"pod": {"owners": owners, "labels": LABELS}}


TAKEN = [
    pytest.param(owner("ReplicaSet", "app", "pod-template-hash"), ["app", "pod-template-hash"], id="replica-set"),
    pytest.param(owner("DaemonSet", "app"), ["app"], id="daemon-set"),
    pytest.param(owner("ReplicaSet", "app", "zone"), ["app"], id="a-key-that-the-pod-has-not"),
    pytest.param(owner("ReplicaSet", "app", "scc-responder/isolated-pod"), ["app"], id="our-own-label-stays"),
]


@pytest.mark.parametrize(("changes", "keys"), TAKEN)
def test_the_owners_labels_are_taken_away(changes: dict[str, Any], keys: list[str]) -> None:
    """Those that it selects the pod by, and no others: what isolates the pod stays."""
    assert plan("detach_pod", {"allow_last_replica": True}, **changes) == [
        DetachPod(**POD_TARGET, labels={key: LABELS[key] for key in keys}, owner_uid="ou", allow_last_replica=True)
    ]


HELD = [
    pytest.param({"pod": {"mirror": True}}, Reason.POD_STATIC, id="static"),
    pytest.param({"pod": {"owners": ()}}, Reason.POD_STANDALONE, id="standalone"),
    pytest.param({"missing": {"owner": "not_found"}}, Reason.POD_STANDALONE, id="no-such-owner"),
    pytest.param({"missing": {"owner": "owner_replaced"}}, Reason.POD_STANDALONE, id="another-owner"),
    pytest.param(owner("StatefulSet", "app"), Reason.POD_STATEFULSET, id="stateful-set"),
    pytest.param(owner("Job", "app", api_version="batch/v1"), Reason.POD_JOB, id="job"),
    pytest.param(owner("ReplicationController", "app", api_version="v1"), Reason.POD_OTHER_OWNER, id="controller"),
    pytest.param(owner("ReplicaSet", "app", api_version="example.com/v1"), Reason.POD_OTHER_OWNER, id="namesake"),
    pytest.param(
        {**owner("Rollout", api_version="example.com/v1"), "missing": {"owner": "unknown_kind"}},
        Reason.POD_OTHER_OWNER,
        id="custom-resource",
    ),
    pytest.param({"missing": {"owner": "deadline"}}, Reason.WORKLOAD_UNREAD, id="owner-not-read"),
    pytest.param(owner("ReplicaSet"), Reason.NO_SELECTOR_LABELS, id="no-labels"),
    pytest.param(owner("ReplicaSet", "zone"), Reason.NO_SELECTOR_LABELS, id="other-labels"),
    pytest.param(owner("ReplicaSet", "scc-responder/isolated-pod"), Reason.NO_SELECTOR_LABELS, id="our-label-alone"),
]


@pytest.mark.parametrize(("changes", "reason"), HELD)
def test_a_pod_that_nothing_replaces_is_held(changes: dict[str, Any], reason: Reason) -> None:
    """Or of which that is not known: each with a reason of its own."""
    assert plan("detach_pod", **changes) == Hold(reason=reason)


def test_a_detached_pod_is_left_alone() -> None:
    """A later finding on it has nothing to do. The annotation alone proves nothing while a workload has the pod."""
    assert plan("detach_pod", pod={"owners": (), "annotations": DETACHED}) == Skip(reason=Reason.ALREADY_DETACHED)
    assert isinstance(plan("detach_pod", pod={"annotations": DETACHED}), list)
    assert plan("detach_pod", pod=False) == Skip(reason=Reason.TARGET_ABSENT)


def test_an_unproved_pod_may_be_detached() -> None:
    """It can be undone; what is needed is that nothing refutes the pod, which the guard asks."""
    action = actions()["detach_pod"]
    assert (action.needs_identity, action.reversible, action.ends_pod, action.takes_replica) == (
        True,
        True,
        False,
        True,
    )
    likely = Identity(level="likely", reason=Reason.NODE_ABSENT)
    assert isinstance(plan("detach_pod", identity=likely), list)
