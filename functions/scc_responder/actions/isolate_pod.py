"""Action `isolate_pod`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action, without_pod
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.create_network_policy import (
    CREATES_NETWORK_POLICY,
    CreateNetworkPolicy,
    Enforcement,
    Obstacle,
)
from scc_responder.domain.changes.patch_object import PATCHES_POD, PatchObject
from scc_responder.domain.context import Context, Pod
from scc_responder.domain.finding import case_id
from scc_responder.domain.kubernetes.pod_network import OPERATING_SYSTEM, WINDOWS
from scc_responder.domain.labels import isolating_label

_BY_CLUSTER = {True: Enforcement.ENFORCED, False: Enforcement.NOT_ENFORCED, None: Enforcement.UNKNOWN}


@action(
    params=NoParams,
    makes=[PATCHES_POD, CREATES_NETWORK_POLICY],
    needs_identity=True,
    against=Countermeasure.NETWORK_ISOLATION,
)
def isolate_pod(context: Context, _params: NoParams) -> Planned:
    """Stop new connections to and from this one pod with a NetworkPolicy of its own.

    The policy selects a label with the pod's own UID, so its siblings keep working, and no other finding on the same
    pod can take the label away. The outcome says what holds: `not_enforced` where the cluster has no enforcing
    dataplane, `host_network`, `windows_node` or `further_interfaces` where the pod's packets go another way,
    `bypassed_by` where another policy still allows traffic, `enforcement_unknown` where that could not be told.
    Connections that are established already may go on, so `isolated` does not count as contained. The detail names the
    Services that still send requests to the pod, which stays ready: `detach_pod` ends that. Looked at are
    NetworkPolicies, FQDNNetworkPolicies, ClusterNetworkPolicies, AdminNetworkPolicies, and the policies of Cilium and
    Calico.

        then:
          - action: isolate_pod
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    policy = isolation(context, pod)
    label = PatchObject(kind="Pod", namespace=pod.namespace, name=pod.name, uid=pod.uid, labels=policy.selector)
    return [label, policy]


def isolation(context: Context, pod: Pod) -> CreateNetworkPolicy:
    """The policy that isolates the pod for this finding, with what the cluster can make of it."""
    effective, obstacle = _effective(context, pod)
    return CreateNetworkPolicy(
        namespace=pod.namespace,
        name=f"scc-responder-{case_id(context.finding.key)}-{pod.uid[:8]}",
        pod_name=pod.name,
        pod_uid=pod.uid,
        selector=isolating_label(pod.uid),
        effective=effective,
        obstacle=obstacle,
    )


def _effective(context: Context, pod: Pod) -> tuple[Enforcement, Obstacle | None]:
    """What the cluster can make of it, and why that is less than it can do elsewhere."""
    by_cluster = _BY_CLUSTER[context.cluster.enforces_network_policy if context.cluster else None]
    if pod.host_network:
        return Enforcement.NOT_ENFORCED, Obstacle.HOST_NETWORK
    # A case of an earlier version kept the node's labels alone.
    node = {context.node.operating_system, context.node.labels.get(OPERATING_SYSTEM)} if context.node else set()
    if WINDOWS in {pod.operating_system, *node}:
        return Enforcement.NOT_ENFORCED, Obstacle.WINDOWS_NODE
    if pod.further_interfaces and by_cluster is not Enforcement.NOT_ENFORCED:
        return Enforcement.UNKNOWN, Obstacle.FURTHER_INTERFACES
    return by_cluster, None
