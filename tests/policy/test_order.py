"""The order of all policies' actions, and what a held step takes with it."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import Decision, PolicyDecision
from scc_responder.policy.order import in_order
from tests.kits.decisions import decided, step


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


def test_the_furthest_mode_goes_first() -> None:
    """What is done goes before what waits for a person, and that before what is rehearsed, whatever the names are."""
    modes = {"a": Mode.DRY_RUN, "b": Mode.APPROVE, "c": Mode.ENFORCE, "d": Mode.ENFORCE}
    steps = {name: [step("label_pod"), step("delete_pod"), step("notify")] for name in modes}
    policies = tuple(replace(policy, mode=modes[policy.name]) for policy in decided(**steps).policies)
    for given in (policies, policies[::-1]):
        order = [(policy.mode, planned.action) for policy, planned in in_order(Decision(policies=given))]
        assert order == [
            (mode, action)
            for action in ("label_pod", "delete_pod", "notify")
            for mode in (Mode.ENFORCE, Mode.ENFORCE, Mode.APPROVE, Mode.DRY_RUN)
        ]
