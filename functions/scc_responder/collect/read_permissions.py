"""What the reads of this folder need to be allowed: asked for at the desk, not by the function."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.collect.endpoints import EndpointKind
from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.permissions import Permissions, observes

ENDPOINT_PERMISSIONS: Mapping[EndpointKind, tuple[str, ...]] = {
    EndpointKind.DNS_ENDPOINT: ("container.clusters.connect",),
    EndpointKind.CONNECT_GATEWAY: (
        "gkehub.gateway.delete",
        "gkehub.gateway.get",
        "gkehub.gateway.patch",
        "gkehub.gateway.post",
        "gkehub.memberships.get",
    ),
    EndpointKind.PUBLIC_IP: (),
    EndpointKind.PRIVATE_IP: (),
}
"""The IAM permissions that each way asks for, besides `container.clusters.get`.

Sources: GKE, "Customize your network isolation" (DNS endpoint); Fleet management, "Set up the Connect gateway".
"""


READ_PERMISSIONS = tuple(
    permission
    for resource in (
        "pods",
        "nodes",
        "namespaces",
        "replicationcontrollers",
        "replicasets.apps",
        "deployments.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "jobs.batch",
        "cronjobs.batch",
    )
    for permission in observes(resource, "get")
)
"""What is read of a cluster for every finding: the target, and whatever kind of workload owns it."""

ASKED_PERMISSIONS: Mapping[AskedFact, Permissions] = {
    AskedFact.LIVE_WORKLOAD: (),
    AskedFact.LIVE_BUDGETS: observes("poddisruptionbudgets.policy", "list"),
    AskedFact.WORKLOAD_OBJECT: (),
    AskedFact.GOOGLE_IDENTITY: observes("serviceaccounts", "get"),
}
"""What facts need beyond that, which are read only where a policy asks for them."""
