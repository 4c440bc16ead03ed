"""Contexts for tests of decisions: the added-binary golden and a pod that is its own, changed in one way."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from msgspec.structs import replace

from scc_responder.actions import Planned, actions
from scc_responder.collect.identity import identify
from scc_responder.domain.context import (
    Cluster,
    ContainerStatus,
    Context,
    LiveLook,
    Node,
    NodePool,
    Owner,
    Pod,
    Workload,
    Zone,
)
from scc_responder.domain.finding import ClusterRef, Finding, FindingContainer, PodRef, Threat

EVENT = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
STARTED = datetime(2026, 3, 2, 8, 58, 4, tzinfo=UTC)
DIGEST = "sha256:" + "0d" * 32
IMAGE = "europe-docker.pkg.dev/example-project/shop/web:1.4.2"
REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")

FINDING = Finding(
    key="0a" * 32,
    name="organizations/123456789012/sources/1/locations/global/findings/f1",
    canonical_name="projects/100000000001/sources/1/locations/global/findings/f1",
    source_id="1",
    finding_id="f1",
    category="Reverse Shell",
    detector="container_threat_detection",
    finding_class="THREAT",
    state="ACTIVE",
    severity="CRITICAL",
    event_time=EVENT,
    cluster=REF,
    pods=(PodRef(namespace="shop", name="web-1"),),
    node="node-1",
    containers=(FindingContainer(name="app", image=IMAGE, image_id=DIGEST, create_time=STARTED),),
)
POD = Pod(
    namespace="shop",
    name="web-1",
    uid="11111111-1111-4111-8111-111111111111",
    resource_version="1001",
    creation_time=datetime(2026, 3, 2, 8, 58, 1, tzinfo=UTC),
    node_name="node-1",
    phase="Running",
    ready=True,
    labels={"app": "web"},
    owners=(
        Owner(
            kind="ReplicaSet",
            name="web-6d5f",
            uid="22222222-2222-4222-8222-222222222222",
            api_version="apps/v1",
            selected_by=("app",),
        ),
        Owner(kind="Deployment", name="web", uid="33333333-3333-4333-8333-333333333333", api_version="apps/v1"),
    ),
    containers=(ContainerStatus(name="app", image=IMAGE, image_id=f"repo@{DIGEST}", started_at=STARTED),),
)
NODE = Node(
    name="node-1",
    uid="55555555-5555-4555-8555-555555555555",
    resource_version="2001",
    ready=True,
    node_pool="pool-1",
    zone="europe-west1-b",
)
LIVE = LiveLook(
    workload=Workload(kind="Deployment", name="web", replicas=4, ready=4),
    unshared=(),
    budgets=(),
    node_pool=NodePool(name="pool-1", zones={"europe-west1-b": Zone(nodes=4, schedulable=4)}),
)
"""Nothing stands in the way of a disruption."""
THREAT = Threat(
    name="reverse_shell",
    surface="pod",
    kind="behavioral",
    confidence="likely",
    detector="container_threat_detection",
    severity="CRITICAL",
)


def context(*, finding: dict[str, Any] | None = None, pod: Any = None, **fields: Any) -> Context:
    """A context in which everything is known and agrees, with these fields of its parts changed.

    `finding` and `pod` change fields of theirs; `pod=False` is a pod that is gone. The identity is computed.
    """
    changed = replace(FINDING, **(finding or {}))
    known = None if pod is False else replace(POD, **(pod or {}))
    values: dict[str, Any] = {
        "finding": changed,
        "threat": THREAT,
        "cluster": Cluster(ref=REF, autopilot=False, enforces_network_policy=True),
        "pod": known,
        "node": NODE,
        "related": (),
        "live": LIVE,
        "identity": identify(changed, known),
        "missing": {} if known else {"pod": "target_absent"},
    }
    return Context(**{**values, **fields})


POD_TARGET = {"namespace": "shop", "name": "web-1", "uid": POD.uid}
"""The pod, as the fields of a change name it."""


def plan(action: str, params: dict[str, Any] | None = None, **changes: Any) -> Planned:
    """What an action plans in a context with these changes."""
    known = actions()[action]
    return known.plan(context(**changes), known.params(**(params or {})))
