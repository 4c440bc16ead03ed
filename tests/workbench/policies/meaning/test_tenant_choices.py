"""Names and labels that an attacker can choose: told wherever they keep something from being done."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.domain.value import resolved
from scc_responder.policy.guardrails import Acceptable, Guardrails
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policies.meaning.tenant_choices import (
    chosen_by_tenants,
    protected_by_tenants,
    raised_by_tenants,
)
from scc_responder.workbench.policy_files.mistakes import written
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.kits.responder import SHIPPED


@pytest.mark.parametrize(
    ("exception", "reasons"),
    [
        ({"namespace": ("kube-system", "gke-*")}, [Acceptable.NAMESPACE_WILDCARD]),
        ({"namespace": "team-?"}, [Acceptable.NAMESPACE_WILDCARD]),
        ({"namespace": "kube-system", "workload": "Job/*"}, []),
        ({"service": "check*"}, [Acceptable.SERVICE_WILDCARD]),
        ({"service": "projects/dev/locations/*/jobs/*"}, []),
        ({"labels": {"debug": "yes"}}, [Acceptable.LABEL_OF_THE_POD]),
    ],
)
def test_exceptions_that_can_be_chosen(exception: dict[str, Any], reasons: list[Acceptable]) -> None:
    """Of a policy and of guardrails alike."""
    assert [mistake.reason for mistake in chosen_by_tenants(Match(**exception), ("unless",))] == reasons


def test_protected_namespaces_and_those_of_a_ceiling() -> None:
    """A namespace that is named like them is immune from the moment that it is made."""
    ceiling = {"name": "c", "max_mode": "approve", "namespaces": ["shop", "shop-*"]}
    rails = msgspec.convert({"protected": {"namespaces": ["gke-*"]}, "ceilings": [ceiling]}, resolved(Guardrails))
    assert [(written(item.path), item.reason) for item in protected_by_tenants(rails)] == [
        ("protected.namespaces", Acceptable.NAMESPACE_WILDCARD),
        ("ceilings[0].namespaces", Acceptable.NAMESPACE_WILDCARD),
    ]


def test_a_mode_that_a_label_of_the_namespace_raises() -> None:
    """Whoever may change a namespace lets the policy go further: somebody says who that is."""
    labelled = {"mode": "enforce", "clusters": ["**"], "namespace_labels": {"stage": "canary"}}
    plain = {"mode": "approve", "clusters": ["**"]}
    head = {"name": "p", "description": "", "owner": "", "mode": "dry_run", "when": {"threat": "*"}, "then": []}
    policy = msgspec.convert({**head, "modes": [plain, labelled]}, resolved(Policy))
    assert [(written(item.path), item.reason) for item in raised_by_tenants(policy)] == [
        ("modes[1].namespace_labels", Acceptable.LABEL_OF_THE_NAMESPACE)
    ]


def test_the_shipped_guardrails_name_every_namespace() -> None:
    """Nobody can make a namespace that they protect."""
    assert list(protected_by_tenants(load_policies(SHIPPED).guardrails)) == []
