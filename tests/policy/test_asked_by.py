"""Which facts are read before a decision: those that an enabled policy names which would act but for them."""

from __future__ import annotations

import pytest

from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.mode import Mode
from scc_responder.policy.asked_by import asked_by, named_facts
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import ClusterMode, Policy
from tests.kits.decision_contexts import context

LIVE, BUDGETS = AskedFact.LIVE_WORKLOAD, AskedFact.LIVE_BUDGETS
OBJECT, IDENTITY = AskedFact.WORKLOAD_OBJECT, AskedFact.GOOGLE_IDENTITY


@pytest.mark.parametrize(
    ("condition", "facts"),
    [
        ("", set()),
        ("pod.ready", set()),
        ("live.workload.ready > 1", {LIVE}),
        ("live . budgets.all(b, b.disruptions_allowed > 0)", {BUDGETS}),
        ("[live].exists(l, l.workload.ready > 1)", {LIVE, BUDGETS}),
        ("live.budgets.size() == 0 && live.workload.ready > 2", {LIVE, BUDGETS}),
        ('workload_object.labels["tier"] == "3"', {OBJECT}),
        ('google_identity.startsWith("web@") || pod.ready', {IDENTITY}),
        ('pod.labels["alive"] == "oliver" && pod.name == "workload_objects"', set()),
    ],
)
def test_a_fact_is_asked_for_by_its_name(condition: str, facts: set[AskedFact]) -> None:
    """By the whole word, wherever it stands: to read too much is harmless."""
    assert named_facts(condition) == facts


def policy_asking(condition: str, *, mode: Mode = Mode.ENFORCE, **fields: object) -> Policy:
    """A policy about the shop with this condition."""
    values = {"when": Match(namespace="shop"), **fields}
    return Policy(name="p", description="", owner="", mode=mode, condition=condition, then=(), **values)


ASKING = "live.workload.ready > 1"


def test_only_policies_that_would_act_ask() -> None:
    """Not one that is disabled, is about something else, or is taken back by an exception or a fact that is missing."""
    would = context(pod={"namespace": "shop"})
    assert asked_by([policy_asking(ASKING), policy_asking("pod.ready")], would) == {LIVE}
    others = [
        policy_asking(ASKING, mode=Mode.DISABLED),
        policy_asking(ASKING, when=Match(namespace="bank")),
        policy_asking(ASKING, unless=Match(labels={"app": "web"})),
        policy_asking(ASKING, when=Match(principal="*")),
    ]
    for other in others:
        assert asked_by([other], would) == set()


def test_a_policy_that_acts_in_some_clusters_asks() -> None:
    """However far it goes elsewhere."""
    modes = (ClusterMode(mode=Mode.ENFORCE, clusters=("**",)),)
    assert asked_by([policy_asking(ASKING, mode=Mode.DISABLED, modes=modes)], context()) == {LIVE}
