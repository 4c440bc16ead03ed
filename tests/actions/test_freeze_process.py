"""`freeze_process`: one change, for the processes that the finding means."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.changes.freeze_process import FreezeProcess
from scc_responder.domain.kubernetes.wanted_processes import process_request
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import FINDING, POD, POD_TARGET, plan


@pytest.mark.parametrize("host_network", [False, True])
def test_it_plans_one_change_for_the_container(host_network: bool) -> None:
    """It is told of the node's network, where connections of others are not ended."""
    request = process_request(FINDING, POD, POD.containers[0].name)
    asked = {"container": POD.containers[0].name, "request": request}
    change = FreezeProcess(**POD_TARGET, **asked, host_network=host_network)
    assert plan("freeze_process", pod={"host_network": host_network}) == [change]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pod": False}, Skip(reason=Reason.TARGET_ABSENT)),
        ({"pod": False, "missing": {"pod": "pod_unreadable"}}, Hold(reason=Reason.POD_UNREADABLE)),
        ({"pod": {"containers": ()}}, Skip(reason=Reason.CONTAINER_ABSENT)),
    ],
)
def test_without_a_container_nothing_is_frozen(changes: dict[str, Any], expected: Hold | Skip) -> None:
    """Nobody guesses which container is meant."""
    assert plan("freeze_process", **changes) == expected


def test_it_counts_as_a_disruption() -> None:
    """A process that stands answers nobody; it can go on again."""
    action = actions()["freeze_process"]
    assert (action.disrupts, action.reversible, action.observes) == (Disruption.PODS, True, False)
