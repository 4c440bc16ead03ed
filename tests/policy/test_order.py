"""The order of all policies' actions, and what a held step takes with it."""

from __future__ import annotations

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.policy.order import in_order


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


def test_what_can_be_undone_goes_first() -> None:
    """No policy's deletion goes before another's evidence, and what is told at the end is told last."""
    decision = decided(
        a=[step("label_pod"), step("delete_pod"), step("notify")],
        b=[step("capture_evidence"), step("delete_pod"), step("capture_evidence"), step("notify")],
    )
    assert [(policy.name, planned.action) for policy, planned in in_order(decision)] == [
        ("a", "label_pod"),
        ("b", "capture_evidence"),
        ("a", "delete_pod"),
        ("b", "delete_pod"),
        ("b", "capture_evidence"),
        ("a", "notify"),
        ("b", "notify"),
    ]


def test_a_policy_that_did_not_match_has_no_steps() -> None:
    """Its actions are not even looked at."""
    unmatched = PolicyDecision(
        name="a", mode=Mode.ENFORCE, matched=False, reason=Reason.WHEN_DIFFERS.of("threat"), actions=(step("notify"),)
    )
    assert list(in_order(Decision(policies=(unmatched,)))) == []
