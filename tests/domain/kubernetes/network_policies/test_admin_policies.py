"""ClusterNetworkPolicy and AdminNetworkPolicy."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.network_policies.admin_policies import judge_admin_policy, judge_cluster_policy
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject
from tests.domain.kubernetes.network_policies.subjects import POD, UNREAD, having

HERE = {"namespaces": {"matchLabels": {"team": "shop"}}}
ELSEWHERE = {"namespaces": {"matchLabels": {"team": "pay"}}}
WEB = {"pods": {"namespaceSelector": HERE["namespaces"], "podSelector": {"matchLabels": {"app": "web"}}}}
DB = {"pods": {"namespaceSelector": HERE["namespaces"], "podSelector": {"matchLabels": {"app": "db"}}}}


def rules(*actions: str) -> list[dict[str, Any]]:
    return [{"action": action, "to": [{"namespaces": {}}]} for action in actions]


JUDGED = [
    pytest.param(POD, having(subject=HERE, egress=rules("Allow")), "yes", id="allows"),
    pytest.param(POD, having(subject=HERE, ingress=rules("Deny", "Allow")), "yes", id="allows-some"),
    pytest.param(POD, having(subject=HERE, egress=rules("Deny", "Pass")), "no", id="denies-and-passes-on"),
    pytest.param(POD, having(subject=HERE, egress=rules("Permit")), "unknown", id="newer-action"),
    pytest.param(POD, having(subject=HERE), "no", id="no-rule"),
    pytest.param(POD, having(subject=ELSEWHERE, egress=rules("Allow")), "no", id="other-namespaces"),
    pytest.param(POD, having(subject=WEB, egress=rules("Allow")), "yes", id="the-pod"),
    pytest.param(POD, having(subject=DB, egress=rules("Allow")), "no", id="other-pods"),
    pytest.param(UNREAD, having(subject=HERE, egress=rules("Allow")), "unknown", id="namespace-unread"),
    pytest.param(UNREAD, having(subject=DB, egress=rules("Allow")), "no", id="namespace-unread-other-pods"),
    pytest.param(UNREAD, having(subject={"namespaces": {}}, egress=rules("Allow")), "yes", id="every-namespace"),
]


@pytest.mark.parametrize(("subject", "policy", "answer"), JUDGED)
def test_an_administrator_decides_first(subject: PolicySubject, policy: dict[str, Any], answer: str) -> None:
    """What an administrator allows is allowed; what is denied or passed on changes nothing."""
    assert judge_admin_policy(policy, subject) == answer


TIERS = [
    pytest.param({"tier": "Admin"}, "yes", id="before-network-policies"),
    pytest.param({"tier": "Baseline"}, "no", id="after-network-policies"),
    pytest.param({"tier": "Middle"}, "unknown", id="newer-tier"),
    pytest.param({}, "unknown", id="no-tier"),
]


@pytest.mark.parametrize(("tier", "answer"), TIERS)
def test_only_the_tier_before_network_policies_counts(tier: dict[str, str], answer: str) -> None:
    """The Baseline tier is never reached by a pod that a NetworkPolicy selects."""
    assert judge_cluster_policy(having(subject=HERE, egress=rules("Accept"), **tier), POD) == answer
