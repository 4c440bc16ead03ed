"""A plain finding of each threat, and a target as its finding tells of it: to try policies without a cluster.

The findings are synthetic: `example-project`, namespace `shop`, a Deployment `web`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from msgspec.structs import replace

from scc_responder.domain.asked_facts import WorkloadObject
from scc_responder.domain.context import (
    Cluster,
    ContainerStatus,
    LiveLook,
    Namespace,
    Node,
    NodePool,
    Owner,
    Pod,
    Workload,
    Zone,
)
from scc_responder.domain.finding import AgentTarget, CloudRunTarget, ClusterRef, Finding, FindingContainer, PodRef
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName
from scc_responder.intake.threats import DETECTORS, Row, catalogue
from scc_responder.workbench.explanation import ContextFacts
from scc_responder.workbench.sample_services import run_facts_as_told

EVENT_TIME = datetime(2026, 3, 2, 9, 38, 12, tzinfo=UTC)
STARTED = EVENT_TIME - timedelta(hours=1)
SAMPLE_CLUSTER = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
POD = PodRef(namespace="shop", name="web-6d5f9c7b4-x2x9q")
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"
POOL = NodePool(name="pool-1", zones={"europe-west1-b": Zone(nodes=4, schedulable=4)})
_GENERATED = re.compile(r"([a-z0-9.-]{1,240})-([a-z0-9]{6,10})-([a-z0-9]{5})", re.ASCII)
INSTANCE = f"projects/example-project/zones/europe-west1-b/instances/{NODE}"
CONTAINER = FindingContainer(
    name="app",
    image="europe-docker.pkg.dev/example-project/shop/web:1.4.2",
    image_id=f"sha256:{'0d' * 32}",
    create_time=STARTED,
)
GOOGLE_IDENTITY = "web@example-project.iam.gserviceaccount.com"
PRINCIPAL = "deployer@example-project.iam.gserviceaccount.com"
SAMPLE_SERVICE = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="web")
SAMPLE_AGENT = AgentTarget(project="example-project", location="europe-west1", name="7770001112223334445")
SAMPLE_JOB = replace(SAMPLE_SERVICE, kind="job", name="nightly-import")


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
    if row.surface == "agent":
        return {"agent": SAMPLE_AGENT}
    if row.surface == "cloud_run":
        named = SAMPLE_JOB if "_jobs_" in row.name else SAMPLE_SERVICE
        return {"cloud_run": named, "containers": (CONTAINER,), **called}
    in_node = row.detector == "container_threat_detection"
    node = {"node": NODE, "instance": INSTANCE} if in_node else {}
    if row.surface == "node" and not in_node and not called:
        return {"node": NODE, "instance": INSTANCE}
    pod = (
        {"pods": (POD,), "containers": (CONTAINER,)} if row.surface == "pod" or "kubernetes.pods" in row.fields else {}
    )
    return {"cluster": SAMPLE_CLUSTER, **node, **pod, **called}


def unknown_finding() -> Finding:
    """What a detector would publish that is newer than the catalogue: its threat is unknown."""
    plain = sample_finding(catalogue()[0])
    return replace(plain, category="Execution: Newer Than This Catalogue", rule="NEWER_THAN_THIS_CATALOGUE")


def facts_as_told(finding: Finding, *, looked_around: bool = True) -> ContextFacts:
    """What would be read about the finding's target if all there is were there, in agreement with the finding.

    What the finding does not tell is made up: a pod that is named like a Deployment's has one, a service has a safe
    revision. `looked_around`: there
    are no findings near it, else that is not known.
    """
    related = () if looked_around else None
    if finding.cluster is None:
        return ContextFacts(related=related, **run_facts_as_told(finding))
    pod = finding.pod
    node = Node(
        name=finding.node or NODE,
        uid=_uid("Node", f"{finding.cluster.path}/{finding.node or NODE}"),
        resource_version="1",
        ready=True,
        node_pool=POOL.name,
        zone=next(iter(POOL.zones)),
    )
    known = _pod(finding, pod) if pod else None
    return ContextFacts(
        cluster=Cluster(ref=finding.cluster, autopilot=False, enforces_network_policy=True),
        pod=known,
        namespace=Namespace(name=pod.namespace, uid=_uid("Namespace", pod.namespace)) if pod else None,
        node=node if finding.node or pod else None,
        related=related,
        workload_object=_workload_object(known),
        google_identity=GOOGLE_IDENTITY if known else None,
        live=LiveLook(workload=_workload(known), unshared=(), budgets=() if pod else None, node_pool=POOL),
        missing={} if pod else {"pod": Reason.SEVERAL_PODS if finding.pods else Reason.POD_NOT_NAMED},
    )


def _pod(finding: Finding, named: PodRef) -> Pod:
    cluster = finding.cluster_path
    told = [finding.event_time, *(item.create_time for item in finding.containers if item.create_time)]
    statuses = (
        ContainerStatus(name=item.name, image=item.image, image_id=item.image_id, started_at=item.create_time)
        for item in finding.containers
    )
    owners = _owners(named)
    return Pod(
        namespace=named.namespace,
        name=named.name,
        uid=_uid("Pod", f"{cluster}/{named.namespace}/{named.name}"),
        resource_version="1",
        creation_time=min(told) - timedelta(seconds=3),
        node_name=finding.node or NODE,
        phase="Running",
        ready=True,
        labels={"app": owners[-1].name} if owners else {},
        owners=owners,
        containers=tuple(statuses),
    )


def _workload(pod: Pod | None) -> Workload | None:
    """A workload that can spare a pod."""
    owner = pod.workload if pod else None
    return Workload(kind=owner.kind, name=owner.name, replicas=4, ready=4) if owner else None


def _workload_object(pod: Pod | None) -> WorkloadObject | None:
    owner = pod.workload if pod else None
    return WorkloadObject(kind=owner.kind, name=owner.name, labels=pod.labels) if owner and pod else None


def _owners(pod: PodRef) -> tuple[Owner, ...]:
    match = _GENERATED.fullmatch(pod.name)
    if match is None:
        return ()
    chain = (("ReplicaSet", f"{match[1]}-{match[2]}", ("app",)), ("Deployment", match[1], ()))
    return tuple(
        Owner(
            kind=kind,
            name=name,
            uid=_uid(kind, f"{pod.namespace}/{name}"),
            api_version="apps/v1",
            selected_by=selected_by,
        )
        for kind, name, selected_by in chain
    )


@cache
def _uid(kind: str, name: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"{kind} {name}"))
