"""Hints: the value that decided, beside what the policy wants."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import PodRef
from scc_responder.domain.mode import Mode
from scc_responder.policy.decide import match
from scc_responder.policy.match import FIELDS, Match, Severity
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policies.hints import policy_hint, step_hint
from tests.kits.decision_contexts import EVENT, POD, THREAT, context


def policy_of(when: Match, unless: Match = Match()) -> Policy:  # noqa: B008 - frozen
    """A policy of these conditions."""
    return Policy(name="p", description="", owner="", mode=Mode.ENFORCE, when=when, unless=unless, then=())


HINTS: list[Any] = [
    ({"namespace": "kube-*"}, {}, "namespace is 'shop', policy wants kube-*"),
    ({"namespace": ("a", "b-*")}, {}, "namespace is 'shop', policy wants a or b-*"),
    (
        {"severity": Severity.HIGH},
        {"threat": replace(THREAT, severity="LOW")},
        "severity is 'LOW', policy wants at least HIGH",
    ),
    ({"labels": {"app": "db"}}, {}, "labels is app=web, policy wants app=db"),
    ({"workload": "Deployment/db"}, {}, "workload is 'Deployment/web', policy wants Deployment/db"),
    (
        {"workload": "Deployment/db"},
        {"missing": {"owner": "forbidden"}},
        "workload is not known (forbidden), policy wants Deployment/db",
    ),
    (
        {"node_pool": "x"},
        {"node": None, "missing": {"node": "not_found"}},
        "node_pool is not known (not_found), policy wants x",
    ),
    ({"labels": {"a": "b"}}, {"pod": False}, "labels is not known (target_absent), policy wants a=b"),
    ({"image": "x"}, {}, "image is 'europe-docker.pkg.dev/example-project/shop/web:1.4.2', policy wants x"),
    ({"principal": "x"}, {}, "principal is not known, policy wants x"),
]


@pytest.mark.parametrize(("when", "facts", "told"), HINTS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_met_condition_shows_its_value(when: dict[str, Any], facts: dict[str, Any], told: str) -> None:
    """What a condition met, or that it is not known, stands beside what the policy wants."""
    policy, found = policy_of(Match(**when)), context(**facts)
    assert policy_hint(policy, found, match(found, policy)) == told


@pytest.mark.parametrize("name", FIELDS)
def test_every_condition_has_a_hint(name: str) -> None:
    """No condition is without one, whether it is met or missing."""
    wanted: Any = Severity.CRITICAL if name == "severity" else {"a": "b"} if name == "labels" else "zz"
    policy = policy_of(Match(**{name: wanted}))
    for reason in (f"when_{name}_differs", f"when_{name}_missing"):
        assert policy_hint(policy, context(), reason).startswith(f"{name} is ")


def test_an_exception_names_what_it_excepts() -> None:
    """An exception names what it excepts, and that missing data counts as met."""
    policy = policy_of(Match(threat="*"), Match(namespace=("kube-system", "gke-*")))
    other = context(pod=False, finding={"pods": (PodRef(namespace="gke-x", name="y"),)})
    nothing = context(pod=False, finding={"pods": ()})
    assert match(other, policy) == "unless_namespace"
    assert (
        policy_hint(policy, other, "unless_namespace")
        == "namespace is 'gke-x', and unless excepts kube-system or gke-*"
    )
    told = policy_hint(policy, nothing, match(nothing, policy))
    assert told == "namespace is not known, and unless excepts kube-system or gke-*, and missing data counts as a match"


def test_a_condition_is_shown_on_one_line() -> None:
    """A condition is shown as it is written, on one line."""
    policy = replace(policy_of(Match(threat="*")), condition="pod.labels.size() > 0\n  && true")
    assert policy_hint(policy, context(), "condition_differs") == "condition: pod.labels.size() > 0 && true"


@pytest.mark.parametrize("reason", ["matched", "mode_disabled", "when_nothing_differs", ""])
def test_what_explains_itself_has_no_hint(reason: str) -> None:
    """What says all by itself has no hint."""
    assert policy_hint(policy_of(Match(threat="*")), context(), reason) == ""
    assert step_hint(context(), "pod_standalone", EVENT) == ""


def test_a_held_step_shows_its_cause() -> None:
    """A step is held for what its reason means here: the check that failed, the namespace, the time."""
    younger = context(pod={"creation_time": POD.creation_time + timedelta(days=1)})
    assert step_hint(younger, "pod_replaced", EVENT).startswith("identity is refuted: created: pod created 2026-03-03")
    assert step_hint(younger, "identity_not_proved:pod_replaced", EVENT).startswith("identity is refuted")
    assert step_hint(context(), "namespace_protected", EVENT) == "namespace is 'shop'"
    late = step_hint(context(), "finding_too_old", EVENT + timedelta(minutes=31))
    assert late == "it arrives 0:31:00 after its event time, 2026-03-02T09:31:12+00:00"


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ('pod.labels["example.com/tier"] == "web"', 'example.com/tier"'),
        ("int(pod.name) == 1", "it cannot be answered"),
    ],
)
def test_a_condition_that_cannot_be_answered_says_why(condition: str, told: str) -> None:
    """The key that is missing by its own name, or what CEL says."""
    policy = replace(policy_of(Match(threat="*")), condition=condition)
    hint = policy_hint(policy, context(), match(context(), policy))
    assert hint.startswith(f"condition: {condition}; it cannot be answered: ")
    assert told in hint


def test_a_condition_that_differs_is_shown_alone() -> None:
    """It was answered: nothing is wrong with it."""
    policy = replace(policy_of(Match(threat="*")), condition='pod.namespace == "other"')
    assert policy_hint(policy, context(), match(context(), policy)) == 'condition: pod.namespace == "other"'
