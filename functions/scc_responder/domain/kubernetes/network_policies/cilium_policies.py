"""CiliumNetworkPolicy and CiliumClusterwideNetworkPolicy: what they allow adds up with NetworkPolicies. Pure.

Source: Cilium, "Layer 3 Policies", "Kubernetes Constructs In Policy"; cilium.io/v2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.certainty import (
    Certainty,
    all_of,
    any_of,
    certain,
    matches_labels,
)
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject

_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
_CLUSTER = "io.cilium.k8s.policy.cluster"
_SOURCES = ("k8s:", "any:")


def judge_cilium(policy: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    """Whether a policy of either kind lets the pod's traffic through."""
    specs = [*([policy["spec"]] if "spec" in policy else []), *(policy.get("specs") or ())]
    return any_of(all_of((_selects(spec, subject), _allows(spec))) for spec in specs)


def _selects(spec: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    if "nodeSelector" in spec and "endpointSelector" not in spec:
        return Certainty.NO  # it is about nodes
    labels = {
        **subject.labels,
        **{f"{_NAMESPACE_LABELS}{key}": value for key, value in subject.known_namespace_labels.items()},
        "io.kubernetes.pod.namespace": subject.namespace,
        "io.cilium.k8s.policy.serviceaccount": subject.service_account,
    }
    spelled = {f"{source}{key}": value for source in ("", *_SOURCES) for key, value in labels.items()}

    def is_open(key: str) -> bool:
        bare = key.removeprefix(_SOURCES[0]).removeprefix(_SOURCES[1])
        unread = bare.startswith(_NAMESPACE_LABELS) and subject.may_be_in_namespace(bare)
        # Labels of another source, such as `reserved:`, are Cilium's own: no object shows them.
        return unread or bare == _CLUSTER or ":" in bare

    return matches_labels(spec["endpointSelector"], spelled, is_open)


def _allows(spec: Mapping[str, Any]) -> Certainty:
    """A rule without a peer or port allows nothing: it is how Cilium spells that all is denied."""
    rules = [*(spec.get("ingress") or ()), *(spec.get("egress") or ())]
    return certain(any(value for rule in rules for value in rule.values()))
