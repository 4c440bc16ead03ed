"""A comparison widens where anything reaches further, whatever kept it from showing."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.mode import Mode
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.edits.policy_edits import PolicyEdit
from scc_responder.workbench.simulation.replay_report import Comparison, RaisedMode

NOTHING = Comparison(counts={}, differences=(), raised=(), guardrails=(), complete=True)
RAISED = RaisedMode(policy="a", before=Mode.DRY_RUN, after=Mode.ENFORCE)


@pytest.mark.parametrize(
    ("changed", "widens"),
    [
        ({}, False),
        ({"counts": {"removed": 3, "lowered": 1, "removed_behind_limits": 1}}, False),
        ({"counts": {"added": 1}}, True),
        ({"counts": {"raised_behind_limits": 1}}, True),
        ({"raised": (RAISED,)}, True),
        ({"guardrails": (Edit(field="max_mode", widens=False),)}, False),
        ({"guardrails": (Edit(field="max_mode", widens=True),)}, True),
        ({"edits": (PolicyEdit(policy="a", field="mode", widens=False),)}, False),
        ({"edits": (PolicyEdit(policy="a", field="condition", widens=True),)}, True),
        ({"scopes": (Edit(field="team/scope.yaml", widens=True),)}, True),
        ({"complete": False}, True),
    ],
    ids=[
        "nothing",
        "less",
        "added",
        "behind-limits",
        "mode",
        "stricter-rails",
        "looser-rails",
        "stricter",
        "looser",
        "scope",
        "too-many",
    ],
)
def test_what_widens_reach(changed: dict[str, Any], *, widens: bool) -> None:
    """New reach, a raised mode, an edit that may let more be done, or too many targets to tell."""
    assert replace(NOTHING, **changed).widens is widens
