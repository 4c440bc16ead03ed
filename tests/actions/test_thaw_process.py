"""`thaw_process`: one change, for the container that `freeze_process` means."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.changes.thaw_process import ThawProcess
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import POD_TARGET, plan


def test_it_means_the_container_that_was_frozen() -> None:
    """What was frozen in it, the case knows once it is carried out."""
    frozen: Any = plan("freeze_process")
    assert plan("thaw_process") == [ThawProcess(**POD_TARGET, container=frozen[0].container)]
    assert actions()["thaw_process"].disrupts is Disruption.NOTHING


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"pod": False}, Skip(reason=Reason.TARGET_ABSENT)),
        ({"pod": False, "missing": {"pod": "pod_unreadable"}}, Hold(reason=Reason.POD_UNREADABLE)),
        ({"pod": {"containers": ()}}, Skip(reason=Reason.CONTAINER_ABSENT)),
    ],
)
def test_without_a_container_nothing_goes_on(changes: dict[str, Any], expected: Hold | Skip) -> None:
    """Nobody guesses which container is meant."""
    assert plan("thaw_process", **changes) == expected
