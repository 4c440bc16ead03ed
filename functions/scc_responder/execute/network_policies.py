"""The NetworkPolicy that isolates one pod, and which others defeat it: pure.

NetworkPolicies add up: a connection is allowed if any policy that selects the pod allows it. Source:
networking.k8s.io/v1 NetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scc_responder.collect import selectors
from scc_responder.domain.changes import CreateNetworkPolicy
from scc_responder.domain.labels import ACTION_ID
from scc_responder.domain.ports import ApiObject


def manifest(change: CreateNetworkPolicy, action_id: str) -> dict[str, Any]:
    """A policy that selects the one pod and allows nothing, in or out. It goes when the pod goes."""
    pod = {"apiVersion": "v1", "kind": "Pod", "name": change.pod_name, "uid": change.pod_uid}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": change.name,
            "namespace": change.namespace,
            "labels": dict(change.selector),
            "annotations": {ACTION_ID: action_id},
            "ownerReferences": [pod],
        },
        "spec": {"podSelector": {"matchLabels": dict(change.selector)}, "policyTypes": ["Ingress", "Egress"]},
    }


def isolates(policy: ApiObject, change: CreateNetworkPolicy) -> bool:
    """Whether the policy, as stored, denies everything to the pods that the change selects."""
    spec = policy.get("spec", {})
    denies = not spec.get("ingress") and not spec.get("egress")
    both = set(spec.get("policyTypes", ())) >= {"Ingress", "Egress"}
    return denies and both and spec.get("podSelector", {}) == {"matchLabels": dict(change.selector)}


def bypassing(policies: Iterable[ApiObject], labels: Mapping[str, str], own_name: str) -> tuple[str, ...]:
    """Names of the other policies that select a pod of these labels and allow it some traffic."""
    return tuple(
        policy["metadata"]["name"]
        for policy in policies
        if policy["metadata"]["name"] != own_name and _allows(policy) and selects(policy, labels)
    )


def _allows(policy: ApiObject) -> bool:
    spec = policy.get("spec", {})
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    return any(spec.get(direction.lower()) for direction in types)


def selects(policy: ApiObject, labels: Mapping[str, str]) -> bool:
    """Whether the policy's `podSelector` matches a pod of these labels."""
    return selectors.selects(policy.get("spec", {}).get("podSelector", {}), labels)
