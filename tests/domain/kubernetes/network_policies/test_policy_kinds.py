"""The table of kinds."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.network_policies.policy_kinds import LISTS_OTHER_POLICIES, POLICY_KINDS, PolicyKind
from tests.domain.kubernetes.network_policies.subjects import POD

SHAPES: list[Any] = [
    {},
    {"spec": None},
    {"spec": []},
    {"spec": {"podSelector": 1, "endpointSelector": 1, "selector": 1, "subject": 1, "egress": [{"action": []}]}},
    {
        "metadata": {"name": "p"},
        "spec": {"tier": [], "subject": {}, "egress": ["?"], "podSelector": {"matchLabels": 1}},
    },
    {"metadata": [], "spec": {"egress": 7, "podSelector": {"matchExpressions": [{}]}, "endpointSelector": {}}},
]


@pytest.mark.parametrize("policy", SHAPES)
@pytest.mark.parametrize("kind", POLICY_KINDS, ids=lambda kind: kind.resource)
def test_a_form_that_is_not_known_may_let_through(kind: PolicyKind, policy: Any) -> None:
    """A policy of a form that nobody expected is never a failure, and only what is known to be empty is ruled out."""
    assert kind.judged(policy, POD, kind.version) in {"unknown", "no"}
    assert kind.judged(policy, POD, "v9") == "unknown" or "ingress" in str(policy) or "egress" in str(policy)


def test_what_raises_is_unknown() -> None:
    """Whatever a judge meets, it is not ruled out."""
    fqdn = POLICY_KINDS[0]
    assert fqdn.judged({"spec": {"podSelector": "?", "egress": [{}]}}, POD, fqdn.version) == "unknown"
    assert fqdn.judged({"spec": None}, POD, fqdn.version) == "unknown"


FORMS: list[Any] = [
    pytest.param({"podSelector": {}, "egress": [{}]}, "yes", "yes", id="lets-through"),
    pytest.param({"podSelector": {"matchLabels": {"app": "db"}}, "egress": [{}]}, "no", "no", id="other-pods"),
    pytest.param({"podSelector": {}, "egress": []}, "no", "no", id="allows-nothing"),
    pytest.param({"podSelector": {}, "rules": [{"action": "Allow"}]}, "no", "unknown", id="rules-of-another-name"),
    pytest.param({"podSelector": None, "egress": [{}]}, "unknown", "unknown", id="selector-of-no-value"),
]


@pytest.mark.parametrize(("spec", "known", "newer"), FORMS)
def test_a_version_that_is_not_known_is_judged_by_the_fields_that_are(spec: Any, known: str, newer: str) -> None:
    """What is not there may stand under another name."""
    fqdn = POLICY_KINDS[0]
    assert (fqdn.judged({"spec": spec}, POD, fqdn.version), fqdn.judged({"spec": spec}, POD, "v9")) == (known, newer)


def test_each_kind_is_listed_by_permission() -> None:
    """Each row is one permission to list, and no two rows are about one resource or have one name."""
    assert [str(permission) for permission in LISTS_OTHER_POLICIES] == [
        f"{kind.resource}: list" for kind in POLICY_KINDS
    ]
    assert len({kind.name for kind in POLICY_KINDS}) == len(POLICY_KINDS)
