"""GKE's FQDNNetworkPolicy: allows egress to names. It adds up with NetworkPolicies. Pure.

Source: GKE, "Control Pod egress traffic using FQDN network policies".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.certainty import Certainty, all_of, certain
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject


def judge_fqdn(policy: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    """Whether a policy of the pod's namespace lets its traffic through."""
    spec = policy["spec"]
    return all_of((subject.is_selected(spec.get("podSelector", {})), certain(spec.get("egress"))))
