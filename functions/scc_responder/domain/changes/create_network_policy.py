"""Kind of change: create the NetworkPolicy that isolates one pod.

NetworkPolicies add up: a connection is allowed if any policy that selects the pod allows it. Source:
networking.k8s.io/v1 NetworkPolicy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, ClassVar

from msgspec.structs import replace

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import NOT_VERIFIED, ClusterSession, Tries
from scc_responder.domain.kubernetes.network_policies.other_policies import Bypasses, OtherPolicies
from scc_responder.domain.kubernetes.network_policies.plain_policies import bypassing, in_short, selects_pod
from scc_responder.domain.kubernetes.network_policies.policy_kinds import LISTS_OTHER_POLICIES
from scc_responder.domain.kubernetes.older_admission import ADVICE, OlderRule, refuses
from scc_responder.domain.kubernetes.pod_network import is_for_another_network
from scc_responder.domain.kubernetes.sending_services import (
    LISTS_ENDPOINT_SLICES,
    NO_SERVICES,
    SendingServices,
    SendingServicesRead,
)
from scc_responder.domain.labels import ACTION_ID, POD_LABEL
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, StepStatus, done, failed, not_the_target
from scc_responder.domain.text import listed
from scc_responder.domain.value import Value

READS_NETWORK_POLICIES = (*observes("networkpolicies.networking.k8s.io", "get", "list"), *LISTS_OTHER_POLICIES)
CREATES_NETWORK_POLICY = ChangeKind(
    permissions=(*acts("networkpolicies.networking.k8s.io", "create"), *READS_NETWORK_POLICIES, *LISTS_ENDPOINT_SLICES),
    disrupts=Disruption.PODS,
)


class Enforcement(StrEnum):
    """Whether a cluster enforces network policies on a pod."""

    ENFORCED = "enforced"
    NOT_ENFORCED = "not_enforced"
    """There is no dataplane that does, or the pod's packets do not go through it."""
    UNKNOWN = "unknown"


class Obstacle(StrEnum):
    """Why a cluster that enforces network policies may not hold this one pod."""

    HOST_NETWORK = "host_network"
    WINDOWS_NODE = "windows_node"
    FURTHER_INTERFACES = "further_interfaces"


_OBSTACLES = {
    Obstacle.HOST_NETWORK: Reason.HOST_NETWORK,
    Obstacle.WINDOWS_NODE: Reason.WINDOWS_NODE,
    Obstacle.FURTHER_INTERFACES: Reason.FURTHER_INTERFACES,
}
_WORTH = {
    Enforcement.ENFORCED: Reason.ISOLATED,
    Enforcement.NOT_ENFORCED: Reason.NOT_ENFORCED,
    Enforcement.UNKNOWN: Reason.ENFORCEMENT_UNKNOWN,
}
"""What a policy that is there is worth, where nothing else is known to let traffic through."""


class _Found(Value, frozen=True, kw_only=True):
    """The pod's labels, the policies that allow anything or are ours, what lets traffic through, and who sends some."""

    labels: dict[str, str]
    policies: Sequence[dict[str, Any]]
    bypasses: Bypasses
    services: SendingServices


class CreateNetworkPolicy(Change, frozen=True, kw_only=True, tag="create_network_policy", omit_defaults=True):
    """Create a deny-all NetworkPolicy for the one pod that carries `selector`.

    `effective` is what the cluster can make of it; `obstacle` says why that is less than the cluster can do elsewhere.
    """

    declares: ClassVar[ChangeKind] = CREATES_NETWORK_POLICY

    namespace: str
    name: str
    pod_name: str
    pod_uid: str
    selector: dict[str, str]
    effective: Enforcement
    obstacle: Obstacle | None = None

    @property
    def target(self) -> ChangedObject:
        """The pod that is isolated."""
        return ChangedObject(kind="Pod", namespace=self.namespace, name=self.pod_name, uid=self.pod_uid)

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Create the policy, and say what it is worth."""
        path = api_paths.network_policy(self.namespace, self.name)
        return means.in_cluster(lambda session: session.until_settled(partial(self._once, session, path, step), path))

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        others = OtherPolicies(session, self.namespace)
        if step.intended and session.read(path) is not None:
            return self._effect(session, step, others)
        step.intend()
        try:
            self._create(session, step, tries, self)
        except ApiError as error:
            if not refuses(error, OlderRule.ISOLATES_BY_POD_UID):
                raise
            older = replace(self, selector=self._older_selector)
            meta = {"uid": self.pod_uid, "labels": older.selector}
            session.api.patch(self._pod_path, {"metadata": meta}, dry_run=step.dry_run)
            self._create(session, step, tries, older)
        return self._effect(session, step, others)

    def _create(self, session: ClusterSession, step: StepRun, tries: Tries, change: CreateNetworkPolicy) -> None:
        body, collection = change.manifest(step.action_id), api_paths.network_policies(self.namespace)
        try:
            tries.send(lambda: session.api.create(collection, body, dry_run=step.dry_run))
        except ApiError as error:
            if error.body_reason != "AlreadyExists":
                raise

    @property
    def _older_selector(self) -> dict[str, str]:
        """What version 0.1.0 selects the pod by, and so does this one where its admission policy is applied."""
        return {POD_LABEL: self.pod_uid}

    def manifest(self, action_id: str) -> dict[str, Any]:
        """A policy that selects the one pod and allows nothing, in or out. It goes when the pod goes."""
        pod = {"apiVersion": "v1", "kind": "Pod", "name": self.pod_name, "uid": self.pod_uid}
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": self.name,
                "namespace": self.namespace,
                "labels": dict(self.selector),
                "annotations": {ACTION_ID: action_id},
                "ownerReferences": [pod],
            },
            "spec": {"podSelector": {"matchLabels": dict(self.selector)}, "policyTypes": ["Ingress", "Egress"]},
        }

    def standing(self, session: ClusterSession) -> Result:
        """What isolates the pod now, by whichever finding's policy, and what that is worth. Raises ApiError."""
        found = self._look(session, OtherPolicies(session, self.namespace), services=False)
        if isinstance(found, Result):
            return found
        ours = (policy["spec"]["podSelector"]["matchLabels"] for policy in found.policies if self.is_isolating(policy))
        if not any(selected.items() <= found.labels.items() for selected in ours):
            return Result(status=StepStatus.NOT_EFFECTIVE, reason=Reason.NOT_ISOLATED)
        return self._valued(found.bypasses, found.services)

    def _effect(self, session: ClusterSession, step: StepRun, others: OtherPolicies) -> Result:
        found = self._look(session, others, services=True)
        if isinstance(found, Result):
            return found
        if step.dry_run:
            worth = self._worth(found.bypasses)
            reason = Reason.WOULD_ISOLATE if worth is Reason.ISOLATED else worth
            return Result(status=StepStatus.DRY_RUN, reason=reason, detail=self._detail(found.bypasses, found.services))
        own = next((policy for policy in found.policies if policy["metadata"]["name"] == self.name), None)
        # Where the policy is not there, the pod may be gone: the cluster takes it away with the pod.
        gone = not_the_target(session.read_anew(self._pod_path), self.pod_uid) if own is None else None
        return gone or self.verified(step, own, found.labels, found.bypasses, found.services)

    def _look(self, session: ClusterSession, others: OtherPolicies, *, services: bool) -> _Found | Result:
        # Read anew: another controller may have taken the label away since it was verified.
        pod_read = session.pool.submit(session.read_anew, self._pod_path)
        others.begin(pod_read.result, self.selector)
        sending = SendingServicesRead(session, self.target, pod_read.result) if services else None
        policies = session.api.gather(api_paths.network_policies(self.namespace), self._in_short)
        pod = pod_read.result()
        lost = not_the_target(pod, self.pod_uid)
        if lost or pod is None:
            return lost or failed(NOT_VERIFIED)
        labels = pod["metadata"].get("labels", {})
        isolated = {**labels, **self.selector}
        bypasses = others.bypassing()
        bypasses = replace(
            bypasses,
            shown=(*bypassing(policies, isolated, self.name), *bypasses.shown),
            unknown=(*self._unproved(policies, isolated), *bypasses.unknown),
        )
        told = sending.result() if sending else NO_SERVICES
        return _Found(labels=labels, policies=policies, bypasses=bypasses, services=told)

    def _in_short(self, policy: Mapping[str, Any]) -> dict[str, Any] | None:
        return dict(policy) if self.is_isolating(policy) else in_short(policy, own_name=self.name)

    def verified(
        self,
        step: StepRun,
        own: Mapping[str, Any] | None,
        labels: Mapping[str, str],
        bypasses: Bypasses,
        services: SendingServices = NO_SERVICES,
    ) -> Result:
        """What the policy, as it was read back, is worth to the pod of these labels, and what still sends to it."""
        if own is None or not self.is_isolating(own):
            return failed(NOT_VERIFIED, f"the NetworkPolicy {self.name} is not there as it was created")
        if own["metadata"].get("annotations", {}).get(ACTION_ID) != step.action_id:
            return failed(Reason.NAME_TAKEN, f"a NetworkPolicy {self.name} of another origin exists")
        selected = own["spec"]["podSelector"]["matchLabels"]
        if not selected.items() <= labels.items():
            return failed(Reason.LABEL_REMOVED, "the pod no longer carries the label that the NetworkPolicy selects")
        return self._valued(bypasses, services, "" if selected == self.selector else f"; {ADVICE}")

    def _valued(self, bypasses: Bypasses, services: SendingServices, advice: str = "") -> Result:
        worth, detail = self._worth(bypasses), self._detail(bypasses, services) + advice
        if worth is Reason.ISOLATED:
            return replace(done(worth, detail), containment=Containment.ISOLATED)
        return Result(status=StepStatus.NOT_EFFECTIVE, reason=worth, detail=detail)

    def _worth(self, bypasses: Bypasses) -> Reason:
        """What holds of the pod's packets, the surest first."""
        if self.effective == Enforcement.ENFORCED and bypasses.shown:
            return Reason.BYPASSED_BY
        if self.effective == Enforcement.ENFORCED and bypasses.unknown:
            return Reason.ENFORCEMENT_UNKNOWN
        return _OBSTACLES[self.obstacle] if self.obstacle else _WORTH[self.effective]

    def is_isolating(self, policy: Mapping[str, Any]) -> bool:
        """Whether the policy, as stored, denies everything to the pods that the change selects."""
        spec = policy.get("spec", {})
        denies = not spec.get("ingress") and not spec.get("egress")
        both = set(spec.get("policyTypes", ())) >= {"Ingress", "Egress"} and not is_for_another_network(policy)
        selectors = [{"matchLabels": dict(labels)} for labels in (self.selector, self._older_selector)]
        return denies and both and spec.get("podSelector", {}) in selectors

    def _unproved(self, policies: Iterable[Mapping[str, Any]], labels: Mapping[str, str]) -> tuple[str, ...]:
        """The policies that are for another network, which only clusters with several of them respect."""
        if self.obstacle is Obstacle.FURTHER_INTERFACES:
            return ()
        elsewhere = filter(is_for_another_network, policies)
        names = (policy["metadata"]["name"] for policy in elsewhere if selects_pod(policy, labels))
        return tuple(f"NetworkPolicy/{name}" for name in names if name != self.name)

    def _detail(self, bypasses: Bypasses, services: SendingServices) -> str:
        """What an isolation is worth, for people."""
        because = f"; {_OBSTACLES[self.obstacle].meaning}" if self.obstacle else ""
        shown = f"; bypassed_by {listed(bypasses.shown)}" if bypasses.shown else ""
        unknown = f"; enforcement_unknown: {listed(bypasses.unknown)}" if bypasses.unknown else ""
        sending = f"; {services}" if str(services) else ""
        return f"{self.effective}{because}{sending}{shown}{unknown}; established connections unknown"

    @property
    def _pod_path(self) -> str:
        return api_paths.pod(self.namespace, self.pod_name)
