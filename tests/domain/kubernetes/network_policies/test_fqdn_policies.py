"""GKE's FQDNNetworkPolicy."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.network_policies.fqdn_policies import judge_fqdn
from tests.domain.kubernetes.network_policies.subjects import POD, having

EGRESS = [{"matches": [{"pattern": "*.example.com"}], "ports": [{"protocol": "TCP", "port": 443}]}]
POLICIES = [
    pytest.param(having(podSelector={"matchLabels": {"app": "web"}}, egress=EGRESS), "yes", id="lets-out"),
    pytest.param(having(podSelector={}, egress=EGRESS), "yes", id="every-pod"),
    pytest.param(having(podSelector={"matchLabels": {"app": "db"}}, egress=EGRESS), "no", id="other-pods"),
    pytest.param(having(podSelector={}, egress=[]), "no", id="denies"),
    pytest.param(having(podSelector={}), "no", id="denies-by-default"),
]


@pytest.mark.parametrize(("policy", "answer"), POLICIES)
def test_an_fqdn_policy_adds_its_egress(policy: dict[str, Any], answer: str) -> None:
    """What it allows the pods that it selects is allowed beside any NetworkPolicy."""
    assert judge_fqdn(policy, POD) == answer
