"""`freeze_process`: one change, for the processes that the finding means."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.changes.freeze_process import FreezeProcess
from scc_responder.domain.finding import FindingFile, Process
from scc_responder.domain.kubernetes.wanted_processes import look_request
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import FINDING, POD, POD_TARGET, plan


@pytest.mark.parametrize("host_network", [False, True])
def test_it_plans_one_change_for_the_container(host_network: bool) -> None:
    """It is told of the node's network, where connections of others are not ended."""
    request = look_request(FINDING, POD, POD.containers[0].name)
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


def test_it_asks_for_what_a_look_asks_for() -> None:
    """Both read one container: whichever step puts it in, no file of the finding is left out."""
    hashed = FindingFile(path="/tmp/x", sha256="b" * 64, size=9, hashed_size=4)
    told = Process(binary="/tmp/x", binary_file=hashed, libraries=("/tmp/l.so",))
    finding = {"processes": (told,), "files": (FindingFile(path="/tmp/drop"),)}
    (froze,), (looked,) = (plan(action, finding=finding) for action in ("freeze_process", "inspect_container"))
    assert froze.request == looked.request
