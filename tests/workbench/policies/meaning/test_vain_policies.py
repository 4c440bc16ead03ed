"""Policies that never do what they say: each is named, and its neighbour that may act is left alone."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.domain.value import resolved
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policies.meaning.vain_policies import NEVER_ACTS, vain_mistakes
from scc_responder.workbench.policy_files.mistakes import Mistake, written
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import SHIPPED

PACK = load_policies(SHIPPED)


def of(
    *, rails: dict[str, Any] | None = None, steps: tuple[str, ...] = ("isolate_pod",), **given: Any
) -> list[Mistake]:
    data = {
        "name": "x",
        "description": "d",
        "owner": "o",
        "mode": "dry_run",
        "when": {"threat": "reverse_shell"},
        "then": [{"action": step} for step in steps],
        **given,
    }
    known = msgspec.convert({"protected": {}, **(rails or {})}, resolved(Guardrails))
    return list(vain_mistakes(msgspec.convert(data, resolved(Policy)), known))


def told(mistakes: list[Mistake]) -> list[str]:
    return [written(mistake.path) for mistake in mistakes]


@pytest.mark.parametrize("policy", PACK.policies, ids=lambda policy: policy.name)
def test_every_shipped_policy_may_act(policy: Policy) -> None:
    """As it is shipped."""
    assert list(vain_mistakes(policy, PACK.guardrails)) == []


VAIN = [
    ({"threat": "reverse_shell"}, {"threat": "reverse_shell"}),
    ({"threat": "reverse_shell"}, {"threat": "*"}),
    ({"threat": "reverse_shell"}, {"threat": "reverse_*"}),
    ({"threat": "reverse_shell"}, {"category": "reverse shell"}),
    ({"threat": "reverse_shell"}, {"severity": "LOW"}),
    ({"threat": "reverse_shell", "severity": "CRITICAL"}, {"severity": "HIGH"}),
    ({"threat": "reverse_shell"}, {"surface": "pod"}),
    ({"threat": "reverse_shell"}, {"kind": "*"}),
    ({"threat": "reverse_shell"}, {"confidence": ["likely", "confirmed"]}),
    ({"threat": "reverse_shell"}, {"namespace": "*"}),
    ({"threat": "reverse_shell", "namespace": ["shop", "shop-eu"]}, {"namespace": "shop*"}),
    ({"threat": "reverse_shell"}, {"workload": "*/*"}),
    ({"threat": "reverse_shell"}, {"cluster": "projects/*/locations/*/clusters/*"}),
    ({"threat": "reverse_shell"}, {"image": "**"}),
    ({"threat": "reverse_shell"}, {"namespace": "?*"}),
    ({"threat": "reverse_shell"}, {"workload": ["?*/*"]}),
    ({"threat": "reverse_shell"}, {"image": ["*", "**/*"]}),
    ({"threat": "reverse_shell", "cluster": "projects/aaa/locations/*/clusters/*"}, {"project": "a*"}),
    ({"threat": "reverse_shell", "cluster": "projects/*/locations/us-east1/clusters/*"}, {"location": "us-*"}),
    ({"threat": "reverse_shell", "project": "aaa"}, {"cluster": "projects/aaa/locations/*/clusters/*"}),
    ({"surface": "cloud_run", "service": "projects/aaa/locations/*/services/*"}, {"project": "aaa"}),
    ({"threat": "reverse_shell", "labels": {"tier": "web"}}, {"labels": {"tier": ["web", "api"]}}),
    ({"threat": "reverse_shell"}, {"service": "checkout"}),
    ({"threat": "cloud_run_reverse_shell"}, {"namespace": "shop"}),
    ({"threat": "cloud_run_reverse_shell"}, {"labels": {"a": "b"}}),
]
USEFUL = [
    ({"threat": ["reverse_shell", "unexpected_child_shell"]}, {"threat": "reverse_shell"}),
    ({"threat": "reverse_shell"}, {"severity": "CRITICAL"}),
    ({"threat": "reverse_shell"}, {"confidence": "confirmed"}),
    ({"threat": "reverse_shell", "namespace": "shop*"}, {"namespace": "shop"}),
    ({"threat": "reverse_shell", "namespace": "s*"}, {"namespace": "s?"}),
    ({"threat": "reverse_shell"}, {"image": "*"}),
    ({"threat": "reverse_shell"}, {"namespace": "??*"}),
    ({"threat": "reverse_shell", "cluster": "projects/a*/locations/*/clusters/*"}, {"project": "aaa"}),
    ({"threat": "reverse_shell", "project": ["aaa", "bbb"]}, {"cluster": "projects/aaa/locations/*/clusters/*"}),
    ({"threat": "reverse_shell", "project": "aaa"}, {"cluster": "projects/aaa/locations/*/clusters/prod-*"}),
    ({"surface": "cloud_run", "service": ["projects/aaa/locations/*/services/*", "web"]}, {"project": "aaa"}),
    ({"threat": "reverse_shell", "labels": {"tier": "web"}}, {"labels": {"tier": "web", "debug": "yes"}}),
    ({"threat": ["reverse_shell", "cloud_run_reverse_shell"]}, {"namespace": "shop"}),
    ({"category": "Something New"}, {"service": "checkout"}),
    ({"threat": "cloud_run_reverse_shell"}, {"service": "checkout"}),
]


@pytest.mark.parametrize(("when", "unless"), VAIN)
def test_an_exception_that_takes_all_back(when: dict[str, Any], unless: dict[str, Any]) -> None:
    """Whatever `when` meets is excepted: the policy never acts."""
    steps = ("capture_evidence",)
    (mistake,) = of(when=when, unless=unless, steps=steps)
    assert (mistake.path[:2], mistake.reason) == (("unless", *unless), NEVER_ACTS)
    assert "the policy never acts" in mistake.text


@pytest.mark.parametrize(("when", "unless"), USEFUL)
def test_an_exception_that_leaves_something(when: dict[str, Any], unless: dict[str, Any]) -> None:
    """It is what exceptions are for."""
    assert of(when=when, unless=unless, steps=("capture_evidence",)) == []


@pytest.mark.parametrize(
    ("when", "steps", "places"),
    [
        ({"threat": "cloud_run_reverse_shell"}, ("capture_evidence", "delete_pod"), ["then[1].action"]),
        ({"threat": "vm_rootkit"}, ("label_pod", "notify"), ["then[0].action"]),
        ({"threat": "reverse_shell"}, ("isolate_pod", "cut_ingress"), ["then[1].action"]),
        ({"threat": "reverse_shell"}, ("isolate_pod", "cordon_node", "notify"), []),
        ({"threat": "cloud_run_reverse_shell"}, ("cut_ingress", "notify"), []),
        ({"surface": "*"}, ("isolate_pod", "cut_ingress"), []),
        ({"threat": "cloud_run_reverse_shell"}, ("capture_cloud_logs", "capture_evidence", "notify"), []),
    ],
)
def test_a_step_that_never_has_a_target(when: dict[str, Any], steps: tuple[str, ...], places: list[str]) -> None:
    """A pod's step where no finding names a pod, and a service's where none is of Cloud Run."""
    assert told(of(when=when, steps=steps)) == places


@pytest.mark.parametrize(
    ("given", "rails", "places"),
    [
        ({"mode": "approve"}, {}, ["mode"]),
        ({"mode": "approve"}, {"approval": {"approvers": ["ann@example.com"]}}, []),
        ({"mode": "approve", "steps": ("notify",)}, {}, []),
        ({"mode": "enforce"}, {}, []),
        ({"mode": "enforce", "when": {"threat": "unknown"}}, {}, ["mode"]),
        ({"mode": "dry_run", "when": {"threat": "unknown"}}, {}, []),
        ({"when": {"namespace": "kube-system"}}, {"protected": {"namespaces": ["kube-*"]}}, ["when.namespace"]),
        ({"when": {"namespace": ["kube-system", "shop"]}}, {"protected": {"namespaces": ["kube-*"]}}, []),
        ({"when": {"namespace": "kube-system"}, "steps": ("notify",)}, {"protected": {"namespaces": ["kube-*"]}}, []),
    ],
)
def test_what_guardrails_never_let_happen(given: dict[str, Any], rails: dict[str, Any], places: list[str]) -> None:
    """Nobody to ask, nothing known, everything protected."""
    assert told(of(rails=rails, **given)) == places


PATH = "projects/aaa/locations/{}/clusters/*"


@pytest.mark.parametrize(
    ("when", "field"),
    [
        ({"cluster": PATH.format("*"), "project": "bbb"}, "project"),
        ({"cluster": PATH.format("europe-west1"), "location": ["us-*", "asia-*"]}, "location"),
        ({"cluster": PATH.format("europe-west1-b"), "location": "europe-west2"}, "location"),
        ({"service": "projects/aaa/locations/*/services/web", "project": "b*"}, "project"),
        ({"cluster": PATH.format("europe-west1"), "location": ["us-*", "europe-*"]}, ""),
        ({"cluster": PATH.format("europe-west1-b"), "location": "europe-west1"}, ""),
        ({"cluster": PATH.format("eu*b"), "location": "europe-west1"}, ""),
        ({"cluster": "projects/**", "project": "bbb"}, ""),
        ({"service": "web", "project": "bbb"}, ""),
        ({"cluster": [PATH.format("*"), PATH.format("*").replace("aaa", "bbb")], "project": "bbb"}, ""),
    ],
)
def test_a_place_that_is_in_no_other_place_is_named(when: dict[str, Any], field: str) -> None:
    """A cluster is in one project and in one location, and a zone in its region."""
    found = of(when={"threat": "*", **when}, steps=("capture_evidence",))
    assert told(found) == ([f"when.{field}"] if field else [])


def test_a_when_that_meets_nothing_is_told_by_itself() -> None:
    """What else is wrong with such a policy helps nobody."""
    assert told(of(when={"threat": "reverse_shell", "surface": "node"}, unless={"threat": "*"})) == ["when.surface"]
