"""What holds for every action: found by file name, and why it plans nothing where it has no pod."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import AllowedKeys, Hold, Skip, actions
from scc_responder.workbench.policy_files.rule_mistakes import parameter_mistakes
from tests.kits.decision_contexts import plan

ON_PODS = ("label_pod", "annotate_pod", "isolate_pod", "delete_pod")
MISSING: dict[str, type[Skip | Hold]] = {
    "target_absent": Skip,
    "pod_not_named": Hold,
    "several_pods": Hold,
    "pod_unreadable": Hold,
    "cluster_not_named": Hold,
}


@pytest.mark.parametrize("action", ON_PODS)
@pytest.mark.parametrize(("missing", "kind"), MISSING.items())
def test_an_action_without_its_pod_says_why(action: str, missing: str, kind: type[Skip | Hold]) -> None:
    """A pod that is gone leaves nothing to do; where it is not known which one is meant, nothing may be done."""
    assert plan(action, pod=False, missing={"pod": missing}) == kind(reason=missing)


@pytest.mark.parametrize("name", actions())
def test_every_action_accepts_its_defaults(name: str) -> None:
    """Without parameters an action needs no key that guardrails have to list."""
    assert list(parameter_mistakes(actions()[name].params(), AllowedKeys(), ())) == []


def test_a_change_of_parameters_changes_the_plan() -> None:
    """What a policy gives arrives in the change."""
    changes: Any = [plan("delete_pod", {"grace_period_seconds": seconds}) for seconds in (5, 6)]
    assert [change[1].grace_period_seconds for change in changes] == [5, 6]


def test_what_is_done_to_a_pod_needs_its_identity() -> None:
    """Marks and evidence alone are for a pod that is perhaps another's."""
    without = {name for name, each in actions().items() if not each.needs_identity}
    marks = {"annotate_pod", "label_pod"}
    assert without == marks | {name for name, each in actions().items() if each.observes}
