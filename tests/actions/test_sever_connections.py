"""`sever_connections`: one change, with the policy that keeps new connections away."""

from __future__ import annotations

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.changes.sever_connections import SeverConnections
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import plan


def test_it_plans_one_change_with_the_isolation() -> None:
    """The isolation is the very one that `isolate_pod` plans."""
    assert plan("sever_connections") == [SeverConnections(isolation=plan("isolate_pod")[1])]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pod": {"host_network": True}}, Hold(reason=Reason.HOST_NETWORK)),
        ({"pod": False}, Skip(reason=Reason.TARGET_ABSENT)),
        ({"pod": False, "missing": {"pod": "pod_unreadable"}}, Hold(reason=Reason.POD_UNREADABLE)),
    ],
)
def test_whose_connections_are_left_alone(changes: dict[str, object], expected: Hold | Skip) -> None:
    """Those of a whole node, and of a pod that was not read."""
    assert plan("sever_connections", **changes) == expected


def test_it_counts_as_a_disruption() -> None:
    """It can be undone by nobody's doing: the pod connects again once it may. It counts against limits all the same."""
    action = actions()["sever_connections"]
    assert (action.disrupts, action.reversible, action.observes) == (Disruption.PODS, True, False)
    assert "pods/ephemeralcontainers: patch" in map(str, action.permissions)
