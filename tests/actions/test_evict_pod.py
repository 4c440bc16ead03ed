"""`evict_pod`: arming and eviction of the one pod, held like a deletion."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes.evict_pod import EvictPod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Identity, Owner
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import POD_TARGET, plan

DAEMON = (Owner(kind="DaemonSet", name="d", uid="u", api_version="apps/v1"),)


def test_the_pod_is_armed_and_evicted() -> None:
    """As for a deletion, with its parameters."""
    assert plan("evict_pod", {"grace_period_seconds": 5, "allow_last_replica": True}) == [
        PatchObject(kind="Pod", **POD_TARGET, marker="scc-responder/armed-by", versioned=True),
        EvictPod(**POD_TARGET, grace_period_seconds=5, allow_last_replica=True),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pod": {"mirror": True}}, "pod_static"),
        ({"pod": {"owners": ()}}, "pod_standalone"),
        ({"pod": {"owners": DAEMON}}, "pod_daemonset"),
        ({"identity": Identity(level="likely", reason=Reason.NODE_ABSENT)}, "identity_not_proved:node_absent"),
    ],
)
def test_what_is_not_deleted_is_not_evicted(changes: dict[str, Any], reason: str) -> None:
    """An eviction ends the same pods as a deletion does."""
    assert plan("evict_pod", **changes) == plan("delete_pod", **changes) == Hold(reason=reason)


def test_a_pod_that_is_gone_is_not_evicted() -> None:
    """There is nothing to do; and the API server itself asks the budgets."""
    assert plan("evict_pod", pod=False) == Skip(reason=Reason.TARGET_ABSENT)
    assert (actions()["evict_pod"].asks_budgets, actions()["evict_pod"].reversible) == (True, False)
    assert not actions()["delete_pod"].asks_budgets
