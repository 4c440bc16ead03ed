"""ClusterNetworkPolicy and AdminNetworkPolicy: an administrator's rules, which come before NetworkPolicies. Pure.

What they allow is allowed, whatever NetworkPolicies say. What they pass on, NetworkPolicies decide.
Source: policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy, v1alpha1 AdminNetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.certainty import Certainty, all_of, any_of
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject

_ALLOWS = {"Accept": Certainty.YES, "Allow": Certainty.YES, "Deny": Certainty.NO, "Pass": Certainty.NO}
_COMES_BEFORE = {"Admin": Certainty.YES, "Baseline": Certainty.NO}


def judge_cluster_policy(policy: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    """Whether a ClusterNetworkPolicy lets the pod's traffic through."""
    tier = _COMES_BEFORE.get(policy["spec"].get("tier"), Certainty.UNKNOWN)
    return all_of((tier, judge_admin_policy(policy, subject)))


def judge_admin_policy(policy: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    """Whether an AdminNetworkPolicy lets the pod's traffic through."""
    spec = policy["spec"]
    rules = [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]
    allows = any_of(_ALLOWS.get(rule.get("action"), Certainty.UNKNOWN) for rule in rules)
    return all_of((allows, _selects(spec["subject"], subject) if allows is not Certainty.NO else allows))


def _selects(wanted: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    if wanted.get("namespaces") is not None:
        return subject.is_in(wanted["namespaces"])
    pods = wanted["pods"]
    return all_of((subject.is_in(pods["namespaceSelector"]), subject.is_selected(pods["podSelector"])))
