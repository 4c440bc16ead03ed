"""Calico's two kinds."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.network_policies.calico_policies import judge_calico, judge_shown_calico
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject
from tests.domain.kubernetes.network_policies.subjects import POD, UNREAD, having

ALLOW, DENY, PASS = [{"action": "Allow"}], [{"action": "Deny"}], [{"action": "Pass"}]
JUDGED = [
    pytest.param(POD, {"egress": ALLOW}, "yes", id="every-pod"),
    pytest.param(POD, {"egress": ALLOW, "tier": "default", "order": 5000}, "yes", id="whatever-its-order"),
    pytest.param(POD, {"egress": ALLOW, "types": ["Ingress"]}, "no", id="egress-that-is-not-meant"),
    pytest.param(POD, {"egress": ALLOW, "ingress": DENY, "types": ["Ingress", "Egress"]}, "yes", id="one-way"),
    pytest.param(POD, {"egress": DENY, "ingress": [{"action": "Log"}]}, "no", id="denies"),
    pytest.param(POD, {"egress": PASS}, "unknown", id="passes-on-to-the-profile"),
    pytest.param(POD, {"egress": PASS, "tier": "security"}, "no", id="passes-on-to-network-policies"),
    pytest.param(POD, {"egress": ALLOW, "tier": "security"}, "unknown", id="tier-of-unknown-order"),
    pytest.param(POD, {"egress": ALLOW, "tier": "adminnetworkpolicy"}, "yes", id="administrators"),
    pytest.param(POD, {"egress": ALLOW, "tier": "baselineadminnetworkpolicy"}, "no", id="baseline"),
    pytest.param(POD, {"egress": [{"action": "Permit"}]}, "unknown", id="newer-action"),
    pytest.param(POD, {"egress": ALLOW, "selector": "app == 'web'"}, "yes", id="the-pod"),
    pytest.param(POD, {"egress": ALLOW, "selector": "app == 'db'"}, "no", id="other-pods"),
    pytest.param(POD, {"egress": ALLOW, "selector": "app contains 'w'"}, "unknown", id="not-simple"),
    pytest.param(POD, {"egress": DENY, "selector": "app contains 'w'"}, "no", id="not-simple-and-denies"),
    pytest.param(POD, {"egress": ALLOW, "selector": "projectcalico.org/namespace == 'shop'"}, "yes", id="namespace"),
    pytest.param(POD, {"egress": ALLOW, "selector": "pcns.team == 'shop'"}, "yes", id="namespace-label"),
    pytest.param(UNREAD, {"egress": ALLOW, "selector": "pcns.team == 'shop'"}, "unknown", id="namespace-label-unread"),
    pytest.param(POD, {"egress": ALLOW, "selector": "has(pcsa.role)"}, "unknown", id="service-account-label"),
    pytest.param(POD, {"egress": ALLOW, "serviceAccountSelector": "all()"}, "unknown", id="service-accounts"),
    pytest.param(POD, {"egress": ALLOW, "namespaceSelector": "team == 'shop'"}, "yes", id="its-namespace"),
    pytest.param(POD, {"egress": ALLOW, "namespaceSelector": "team == 'pay'"}, "no", id="other-namespaces"),
    pytest.param(POD, {"egress": ALLOW, "namespaceSelector": "projectcalico.org/name == 'shop'"}, "yes", id="by-name"),
    pytest.param(POD, {"egress": ALLOW, "namespaceSelector": "global()"}, "no", id="no-namespace"),
    pytest.param(UNREAD, {"egress": ALLOW, "namespaceSelector": "team == 'shop'"}, "unknown", id="namespace-unread"),
]


@pytest.mark.parametrize(("subject", "spec", "answer"), JUDGED)
def test_what_shares_the_tier_of_network_policies_adds_up(
    subject: PolicySubject, spec: dict[str, Any], answer: str
) -> None:
    """What the default tier allows is allowed; of another tier it is known only where it is one of Calico's own."""
    assert judge_calico(having(**spec), subject) == answer


def test_a_network_policy_that_calico_shows_is_judged_as_one() -> None:
    """Calico's API server shows Kubernetes NetworkPolicies among its own, and so ours; what is stored is Calico's."""
    shown = {"metadata": {"name": "knp.default.scc-responder-1"}, "spec": {"egress": ALLOW}}
    assert (judge_shown_calico(shown, POD), judge_calico(shown, POD)) == ("no", "yes")
    assert judge_shown_calico({**shown, "metadata": {"name": "mine"}}, POD) == "yes"
