"""Steps are held because one that they need is held."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.workbench.simulation.held_steps import hold_denied


def step(
    action: str, result: str = "planned", reason: str = "planned", *, needs: tuple[str, ...] = ()
) -> PlannedAction:
    changes: tuple[Change, ...] = (PublishDecision(),) if action == "notify" else ()
    return PlannedAction(action=action, result=result, reason=reason, changes=changes, needs=needs)


def decided(**policies: list[PlannedAction]) -> Decision:
    return Decision(
        policies=tuple(
            PolicyDecision(name=name, mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=tuple(actions))
            for name, actions in policies.items()
        )
    )


NEEDY = step("delete_pod", needs=("capture_evidence",))


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ([step("capture_evidence")], "planned"),
        ([step("capture_evidence", "skipped", Reason.ALREADY_LABELED)], "planned"),
        ([step("capture_evidence", "skipped", Reason.NODE_ABSENT)], "needs_capture_evidence"),
        ([step("capture_evidence", "held", Reason.POD_NOT_NAMED)], "needs_capture_evidence"),
        ([], "needs_capture_evidence"),
    ],
)
def test_a_step_needs_proven_ones(evidence: list[PlannedAction], expected: str) -> None:
    """What it needs must be planned, or so already."""
    decision = hold_denied(decided(a=[*evidence, NEEDY]))
    assert decision.policies[0].actions[-1].reason == expected


def test_a_denied_step_holds_what_needs_it() -> None:
    """The denial is named, and the step that depends on it names what it lacks; other policies go on."""

    def denied(_policy: Any, planned: PlannedAction) -> str:
        return "limit_reached" if planned.action == "capture_evidence" else ""

    decision = hold_denied(decided(a=[step("capture_evidence"), NEEDY], b=[step("label_pod")]), denied)
    assert [item.reason for item in decision.policies[0].actions] == ["limit_reached", "needs_capture_evidence"]
    assert [item.result for item in decision.policies[1].actions] == ["planned"]


def test_nothing_denied_changes_nothing() -> None:
    """The very same decision comes back."""
    decision = decided(a=[step("label_pod")])
    assert hold_denied(decision) is decision
