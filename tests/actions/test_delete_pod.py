"""`delete_pod`: arming and deletion of the one pod, and what holds it."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Identity, Owner
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import POD_TARGET, plan

DAEMON = (Owner(kind="DaemonSet", name="d", uid="u", api_version="apps/v1"),)
LIKELY = Identity(level="likely", reason=Reason.NODE_ABSENT)


def test_the_pod_is_armed_and_deleted() -> None:
    """Both changes are bound to the UID that was read, the first to the version too."""
    assert plan("delete_pod", {"grace_period_seconds": 5}) == [
        PatchObject(kind="Pod", **POD_TARGET, marker="scc-responder/armed-by", versioned=True),
        DeletePod(**POD_TARGET, grace_period_seconds=5),
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pod": {"mirror": True}}, "pod_static"),
        ({"pod": {"owners": ()}}, "pod_standalone"),
        ({"pod": {"owners": DAEMON}}, "pod_daemonset"),
        ({"pod": {"owners": DAEMON}, "missing": {"owner": "deadline"}}, "pod_daemonset"),
        ({"identity": LIKELY}, "identity_not_proved:node_absent"),
    ],
)
def test_a_special_pod_is_held(changes: dict[str, Any], reason: str) -> None:
    """What its deletion would not end, or what is perhaps another pod, is not deleted unasked."""
    assert plan("delete_pod", **changes) == Hold(reason=reason)


@pytest.mark.parametrize(
    ("params", "changes"),
    [
        ({"allow_standalone": True}, {"pod": {"owners": ()}}),
        ({"allow_daemonset": True}, {"pod": {"owners": DAEMON}}),
        ({"identity": "likely"}, {"identity": LIKELY}),
        ({}, {"pod": {"owners": DAEMON}, "missing": {"owner": "not_found"}}),
        ({}, {"pod": {"owners": DAEMON}, "missing": {"owner": "owner_replaced"}}),
    ],
    ids=["standalone", "daemonset", "likely", "no-such-owner", "another-owner"],
)
def test_what_a_policy_allows_is_deleted(params: dict[str, Any], changes: dict[str, Any]) -> None:
    """A policy can allow each but the static pod; an owner that is proved not to be one holds nothing."""
    planned: Any = plan("delete_pod", params, **changes)
    assert [type(change) for change in planned] == [PatchObject, DeletePod]
