"""The kinds of policy, besides NetworkPolicy, that may let a pod's traffic through: one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from scc_responder.domain.kubernetes.network_policies.admin_policies import judge_admin_policy, judge_cluster_policy
from scc_responder.domain.kubernetes.network_policies.calico_policies import judge_calico, judge_shown_calico
from scc_responder.domain.kubernetes.network_policies.certainty import Certainty
from scc_responder.domain.kubernetes.network_policies.cilium_policies import judge_cilium
from scc_responder.domain.kubernetes.network_policies.fqdn_policies import judge_fqdn
from scc_responder.domain.kubernetes.network_policies.policy_subject import PolicySubject
from scc_responder.domain.permissions import Permissions, merged, observes
from scc_responder.domain.value import Value


class PolicyKind(Value, frozen=True, kw_only=True):
    """A kind of policy. `name` is what people read; `version` is the one that `judge` is written for."""

    name: str
    group: str
    version: str
    plural: str
    namespaced: bool
    judge: Callable[[Mapping[str, Any], PolicySubject], Certainty]

    @property
    def resource(self) -> str:
        """The resource with its group, as `kubectl` takes it."""
        return f"{self.plural}.{self.group}"

    def judged(self, policy: Mapping[str, Any], subject: PolicySubject, version: str) -> Certainty:
        """Whether the policy lets the pod's traffic through. What has another form than expected may."""
        try:
            certainty = self.judge(policy, subject)
            is_known = version == self.version or _has_known_form(policy["spec"])
        except (AttributeError, KeyError, TypeError, ValueError):
            return Certainty.UNKNOWN
        return certainty if is_known or certainty is Certainty.YES else Certainty.UNKNOWN


def _has_known_form(spec: Mapping[str, Any]) -> bool:
    """Whether fields that are not there are none that another version may have under other names."""
    return all(any(name in spec for name in names) for names in (_SELECTORS, _DIRECTIONS))


_SELECTORS = ("podSelector", "subject", "endpointSelector", "nodeSelector", "selector")
_DIRECTIONS = ("ingress", "egress", "ingressDeny", "egressDeny")


_ROWS = (
    ("FQDNNetworkPolicy", "networking.gke.io", "v1alpha1", "fqdnnetworkpolicies", True, judge_fqdn),
    ("ClusterNetworkPolicy", "policy.networking.k8s.io", "v1alpha2", "clusternetworkpolicies", False,
     judge_cluster_policy),
    ("AdminNetworkPolicy", "policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", False, judge_admin_policy),
    ("CiliumNetworkPolicy", "cilium.io", "v2", "ciliumnetworkpolicies", True, judge_cilium),
    ("CiliumClusterwideNetworkPolicy", "cilium.io", "v2", "ciliumclusterwidenetworkpolicies", False, judge_cilium),
    ("NetworkPolicy.projectcalico.org", "projectcalico.org", "v3", "networkpolicies", True, judge_shown_calico),
    ("GlobalNetworkPolicy.projectcalico.org", "projectcalico.org", "v3", "globalnetworkpolicies", False,
     judge_shown_calico),
    ("NetworkPolicy.crd.projectcalico.org", "crd.projectcalico.org", "v1", "networkpolicies", True, judge_calico),
    ("GlobalNetworkPolicy.crd.projectcalico.org", "crd.projectcalico.org", "v1", "globalnetworkpolicies", False,
     judge_calico),
)  # fmt: skip
POLICY_KINDS = tuple(
    PolicyKind(name=name, group=group, version=version, plural=plural, namespaced=namespaced, judge=judge)
    for name, group, version, plural, namespaced, judge in _ROWS
)

LISTS_OTHER_POLICIES: Permissions = merged(*(observes(kind.resource, "list") for kind in POLICY_KINDS))
