"""Steps are held because one that they need is held."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.workbench.simulation.held_steps import (
    alone,
    hold_denied,
    planned_anew,
    still_waiting,
    without_waiting,
)
from tests.kits.decisions import decided, step

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


def test_only_what_may_be_denied_is_asked_for() -> None:
    """What needs another step is held with it, asked for or not; nothing asks about the rest."""
    asked: list[str] = []

    def denied(_policy: Any, planned: PlannedAction) -> Reason:
        asked.append(planned.action)
        return Reason.STORM_BREAKER

    after = step("cordon_node", needs=("isolate_pod",))
    steps = [step("label_pod"), step("isolate_pod"), after]
    decision = hold_denied(decided(a=steps), denied, lambda item: item.action == "isolate_pod")
    assert [item.reason for item in decision.policies[0].actions] == ["planned", "storm_breaker", "needs_isolate_pod"]
    assert asked == ["isolate_pod"]


def test_policies_that_share_their_steps_share_them_once_held() -> None:
    """So that what follows looks at them once; one that is held for another reason has its own."""
    shared = decided(a=[step("isolate_pod")]).policies[0]
    decision = Decision(policies=tuple(replace(shared, name=name) for name in "abc"))

    def denied(policy: PolicyDecision, _planned: PlannedAction) -> Reason:
        return Reason.WARMING_UP if policy.name == "c" else Reason.STORM_BREAKER

    first, second, third = hold_denied(decision, denied).policies
    assert first.actions is second.actions
    assert [each.actions[0].reason for each in (first, third)] == ["storm_breaker", "warming_up"]


def test_nothing_denied_changes_nothing() -> None:
    """The very same decision comes back."""
    decision = decided(a=[step("label_pod")])
    assert hold_denied(decision) is decision


WAITS = step("delete_pod", "held", Reason.WARMING_UP)
AFTER = step("cordon_node", needs=("delete_pod",))
UNMET = step("cordon_node", "held", Reason.NEEDS.of("delete_pod"), needs=("delete_pod",))


def test_what_needs_a_waiting_step_waits_with_it() -> None:
    """Only in the same policy, and not what was held before for another reason."""
    held = step("notify", "held", Reason.POD_NOT_NAMED)
    before = decided(a=[step("isolate_pod"), step("delete_pod"), AFTER, held], b=[AFTER])
    after = decided(a=[step("isolate_pod"), WAITS, UNMET, held], b=[UNMET])
    waiting = still_waiting(before, after)
    assert waiting == {("a", "delete_pod", ""), ("a", "cordon_node", "")}
    settled = without_waiting(after, waiting)
    assert [[item.action for item in each.actions] for each in settled.policies] == [
        ["isolate_pod", "notify"],
        ["cordon_node"],
    ]


def test_what_waited_is_planned_anew_by_itself() -> None:
    """Each policy in its own time: what another one's wait holds stays as it is."""
    after = decided(a=[step("isolate_pod"), WAITS], b=[WAITS])
    waiting = still_waiting(decided(a=[step("isolate_pod"), step("delete_pod")], b=[step("delete_pod")]), after)
    anew = planned_anew(after, "a", waiting)
    assert [[item.result for item in each.actions] for each in anew.policies] == [["planned", "planned"], ["held"]]
    (only,) = alone(anew, "a", waiting).policies
    assert [item.action for item in only.actions] == ["delete_pod"]
