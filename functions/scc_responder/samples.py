"""A plain finding of each threat, and its target with everything known: what policies are tried on without a cluster.

All of it is synthetic: `example-project`, namespace `shop`, a Deployment `web`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from scc_responder.context import Cluster, ContainerStatus, Namespace, Node, Owner, Pod
from scc_responder.explanation import Facts
from scc_responder.finding import CloudRunTarget, ClusterRef, Finding, FindingContainer, PodRef
from scc_responder.resource_names import FindingName
from scc_responder.threats import DETECTORS, Row, catalogue

EVENT_TIME = datetime(2026, 3, 2, 9, 38, 12, tzinfo=UTC)
STARTED = EVENT_TIME - timedelta(hours=1)
CLUSTER = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
POD = PodRef(namespace="shop", name="web-6d5f9c7b4-x2x9q")
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"
INSTANCE = f"projects/example-project/zones/europe-west1-b/instances/{NODE}"
CONTAINER = FindingContainer(
    name="app",
    image="europe-docker.pkg.dev/example-project/shop/web:1.4.2",
    image_id=f"sha256:{'0d' * 32}",
    create_time=STARTED,
)
PRINCIPAL = "deployer@example-project.iam.gserviceaccount.com"
SERVICE = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="web")


def sample_finding(row: Row) -> Finding:
    """What the row's detector would publish, as the product sees it."""
    source = str(DETECTORS.index(row.detector) + 1) * 19
    name = f"organizations/123456789012/sources/{source}/locations/global/findings/{row.name}"
    parsed = FindingName.parse(name)
    return Finding(
        key=parsed.key if parsed else "",
        name=name,
        canonical_name=name,
        source_id=source,
        finding_id=row.name,
        category=row.category,
        detector=row.detector,
        rule=row.rule_id,
        finding_class="THREAT",
        state="ACTIVE",
        severity=row.severity,
        description=row.meaning,
        event_time=EVENT_TIME,
        **_place(row),
    )


def _place(row: Row) -> dict[str, Any]:
    """Where it happened, as far as its detector says: one that looks at a machine does not know of a cluster."""
    called = {"principal": PRINCIPAL} if "access." in row.fields else {}
    if row.surface == "cloud_run":
        return {"cloud_run": SERVICE, "containers": (CONTAINER,), **called}
    in_node = row.detector == "container_threat_detection"
    node = {"node": NODE, "instance": INSTANCE} if in_node else {}
    if row.surface == "node" and not in_node and not called:
        return {"node": NODE, "instance": INSTANCE}
    pod = (
        {"pods": (POD,), "containers": (CONTAINER,)} if row.surface == "pod" or "kubernetes.pods" in row.fields else {}
    )
    return {"cluster": CLUSTER, **node, **pod, **called}


def unknown_finding() -> Finding:
    """What a detector would publish that is newer than the catalogue: its threat is unknown."""
    plain = sample_finding(catalogue()[0])
    return replace(plain, category="Execution: Newer Than This Catalogue", rule="NEWER_THAN_THIS_CATALOGUE")


def sample_facts(finding: Finding) -> Facts:
    """What would be read about the finding's target: all there is, and all of it in agreement with the finding."""
    if finding.cluster is None:
        return Facts(related=())
    node = Node(name=NODE, uid="55555555-5555-4555-8555-555555555555", resource_version="2001", node_pool="pool-1")
    return Facts(
        cluster=Cluster(ref=finding.cluster, autopilot=False, enforces_network_policy=True),
        pod=_pod(finding.pod) if finding.pod else None,
        namespace=Namespace(name=POD.namespace, uid="44444444-4444-4444-8444-444444444444") if finding.pod else None,
        node=node if finding.node or finding.pod else None,
        related=(),
        missing={} if finding.pod else {"pod": "pod_not_named"},
    )


def _pod(named: PodRef) -> Pod:
    workload, _, template = named.name.rpartition("-")[0].rpartition("-")
    replica_set = Owner(
        kind="ReplicaSet",
        name=f"{workload}-{template}",
        uid="22222222-2222-4222-8222-222222222222",
        api_version="apps/v1",
    )
    deployment = Owner(
        kind="Deployment", name=workload, uid="33333333-3333-4333-8333-333333333333", api_version="apps/v1"
    )
    status = ContainerStatus(
        name=CONTAINER.name, image=CONTAINER.image, image_id=CONTAINER.image_id, started_at=CONTAINER.create_time
    )
    return Pod(
        namespace=named.namespace,
        name=named.name,
        uid="11111111-1111-4111-8111-111111111111",
        resource_version="1001",
        creation_time=STARTED - timedelta(seconds=3),
        node_name=NODE,
        phase="Running",
        labels={"app": workload},
        owners=(replica_set, deployment),
        containers=(status,),
    )
