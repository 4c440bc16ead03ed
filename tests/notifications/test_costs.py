"""What a notification costs the processor, as `make bench` measures it."""

from __future__ import annotations

from scc_responder.domain.reasons import Reason
from tests.bench.__main__ import TARGETS
from tests.bench.parsing import ACTIONS, MANY, MATCHING, POLICIES, decider, many_policies, parsing

MOST_MILLISECONDS = {
    "parsed_milliseconds": 2,
    "decided_milliseconds": 10,
    "thousand_decided_milliseconds": 20,
    "loaded_milliseconds": 1000,
    "deployed_load_milliseconds": 5,
}
TRIES = 3
"""Other tests run beside this one: of several measurements the best counts."""


def test_costs_are_within_their_targets() -> None:
    """A typical notification is opened, parsed and classified in under 2 ms; 200 policies decide in under 10 ms.

    1,000 decide in under 20 ms. They load in under 1 s, and fifty at a start of the deployed function in 5 ms.
    """
    best = dict.fromkeys(MOST_MILLISECONDS, float("inf"))
    for _ in range(TRIES):
        figures = parsing(rounds=25)
        best = {name: min(least, figures[name]["median"]) for name, least in best.items()}
        if all(best[name] < most for name, most in MOST_MILLISECONDS.items()):
            break
    assert {name: milliseconds for name, milliseconds in best.items() if milliseconds >= MOST_MILLISECONDS[name]} == {}


def test_make_bench_holds_them_to_the_same_targets() -> None:
    """The bench fails where one is missed."""
    targets = {name: target for name, target in TARGETS.items() if name.endswith("_milliseconds")}
    assert targets == {
        "parsed_milliseconds": ("at_most", 2.0),
        "decided_milliseconds": ("at_most", 10.0),
        "thousand_decided_milliseconds": ("at_most", 20.0),
        "loaded_milliseconds": ("at_most", 1000.0),
        "deployed_load_milliseconds": ("at_most", 5.0),
    }


def test_the_decision_that_is_measured_is_a_real_one() -> None:
    """Of 1,000 policies ten match and plan every action; the others come to their last condition."""
    policies = decider(POLICIES)().policies
    assert (len(policies), len(many_policies(MANY).policies)) == (POLICIES, MANY)
    matched = [policy for policy in policies if policy.reason == Reason.MATCHED]
    assert len(matched) == MATCHING
    assert {tuple(action.action for action in policy.actions) for policy in matched} == {ACTIONS}
    assert {policy.reason for policy in policies if not policy.matched} == {"when_namespace_differs"}
