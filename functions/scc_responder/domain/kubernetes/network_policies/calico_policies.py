"""Calico's NetworkPolicy and GlobalNetworkPolicy, as the group of its API server or of its CRDs has them. Pure.

NetworkPolicies are policies of the tier `default`, in which all that one policy allows is allowed, whatever its order.
An earlier tier decides before it and a later one is not reached; which a tier is, only the tiers say, and these are not
read. What a policy of `default` passes on leaves that tier, and a namespace's profile allows it at the end.
Source: Calico, "Network policy", "Tier", "Selectors"; projectcalico.org/v3.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.calico_selectors import selects_expression
from scc_responder.domain.kubernetes.network_policies.certainty import Certainty, all_of, any_of
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject

_SHOWN_NETWORK_POLICY = "knp.default."
"""Starts the name of a Kubernetes NetworkPolicy that Calico shows as one of its own: it is judged as what it is."""

_DENIES = {"Deny": Certainty.NO, "Log": Certainty.NO, "Pass": Certainty.NO}
_TIERS = {
    "default": {**_DENIES, "Allow": Certainty.YES, "Pass": Certainty.UNKNOWN},
    "adminnetworkpolicy": {**_DENIES, "Allow": Certainty.YES},
    "kube-admin": {**_DENIES, "Allow": Certainty.YES},
    "baselineadminnetworkpolicy": {**_DENIES, "Allow": Certainty.NO},
    "kube-baseline": {**_DENIES, "Allow": Certainty.NO},
}
_OWN = "projectcalico.org/"


def judge_shown_calico(policy: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    """As `judge_calico`, of what Calico's API server shows, where no policy of Calico's own may have such a name."""
    is_network_policy = str(policy["metadata"]["name"]).startswith(_SHOWN_NETWORK_POLICY)
    return Certainty.NO if is_network_policy else judge_calico(policy, subject)


def judge_calico(policy: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    """Whether a policy of either kind, as it is stored, lets the pod's traffic through."""
    spec = policy["spec"]
    actions = _TIERS.get(spec.get("tier") or "default", _DENIES)
    allows = any_of(actions.get(str(rule.get("action")), Certainty.UNKNOWN) for rule in _rules(spec))
    return all_of((allows, _selects(spec, subject)))


def _rules(spec: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The rules of the directions that the policy has."""
    for direction in spec.get("types") or ("Ingress", "Egress"):
        yield from spec.get(direction.lower()) or ()


def _selects(spec: Mapping[str, Any], subject: PolicySubject) -> Certainty:
    space = subject.known_namespace_labels
    pod = {
        **subject.labels,
        **{f"pcns.{key}": value for key, value in space.items()},
        f"{_OWN}namespace": subject.namespace,
        f"{_OWN}orchestrator": "k8s",
        f"{_OWN}serviceaccount": subject.service_account,
    }

    def is_open(key: str) -> bool:
        unread = key.startswith("pcns.") and subject.may_be_in_namespace(key)
        return unread or key.startswith(("pcsa.", _OWN))

    named = {**space, f"{_OWN}name": subject.namespace}
    return all_of(
        (
            selects_expression(spec.get("selector") or "all()", pod, is_open),
            selects_expression(spec.get("namespaceSelector") or "all()", named, subject.may_be_in_namespace),
            Certainty.UNKNOWN if spec.get("serviceAccountSelector") else Certainty.YES,
        )
    )
