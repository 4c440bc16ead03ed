"""What NetworkPolicies let through to a pod, as far as they tell by themselves. Pure.

They add up: a connection is allowed if any policy that selects the pod allows it. Source: networking.k8s.io/v1
NetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scc_responder.domain.kubernetes import selectors
from scc_responder.domain.kubernetes.pod_network import POLICY_NETWORK, is_for_another_network, network_of


def bypassing(policies: Iterable[Mapping[str, Any]], labels: Mapping[str, str], own_name: str) -> tuple[str, ...]:
    """Names of the other policies that select a pod of these labels and allow it some traffic."""
    return tuple(
        policy["metadata"]["name"]
        for policy in policies
        if policy["metadata"]["name"] != own_name
        and _allows(policy)
        and not is_for_another_network(policy)
        and selects_pod(policy, labels)
    )


def in_short(policy: Mapping[str, Any], own_name: str) -> dict[str, Any] | None:
    """What `bypassing` needs of a policy, None of one that allows nothing: a namespace may have thousands.

    The policy of one's own is kept whole, to be verified.
    """
    if policy["metadata"]["name"] == own_name:
        return dict(policy)
    if not _allows(policy):
        return None
    spec = policy.get("spec", {})
    rules = {direction: bool(spec.get(direction)) for direction in ("ingress", "egress")}
    kept = {"podSelector": spec.get("podSelector") or {}, "policyTypes": spec.get("policyTypes"), **rules}
    annotations = {POLICY_NETWORK: network_of(policy)}
    return {"metadata": {"name": policy["metadata"]["name"], "annotations": annotations}, "spec": kept}


def _allows(policy: Mapping[str, Any]) -> bool:
    spec = policy.get("spec", {})
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return any(spec.get(direction.lower()) for direction in types)


def selects_pod(policy: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether the policy's `podSelector` matches a pod of these labels."""
    return selectors.selects(policy.get("spec", {}).get("podSelector") or {}, labels)
