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
    assert kind.judged(policy, POD) in {"unknown", "no"}


def test_what_raises_is_unknown() -> None:
    """Whatever a judge meets, it is not ruled out."""
    fqdn = POLICY_KINDS[0]
    assert fqdn.judged({"spec": {"podSelector": "?", "egress": [{}]}}, POD) == "unknown"
    assert fqdn.judged({"spec": None}, POD) == "unknown"


def test_each_kind_is_listed_by_permission() -> None:
    """Each row is one permission to list, and no two rows are about one resource or have one name."""
    assert [str(permission) for permission in LISTS_OTHER_POLICIES] == [
        f"{kind.resource}: list" for kind in POLICY_KINDS
    ]
    assert len({kind.name for kind in POLICY_KINDS}) == len(POLICY_KINDS)
