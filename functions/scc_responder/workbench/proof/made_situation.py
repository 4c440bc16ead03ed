"""One finding and its target as they would be read, made of words; and the notification that would tell of it. Pure."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.context import Context, Owner, RelatedFinding
from scc_responder.domain.finding import CloudRunTarget, ClusterRef, Finding, FindingContainer, PodRef
from scc_responder.domain.resource_names import region_of
from scc_responder.domain.value import Value
from scc_responder.intake.threats import Row, catalogue, runs_on, title
from scc_responder.workbench.explanation import ContextFacts, context_of
from scc_responder.workbench.proof.enumerated_findings import Beside, EnumeratedFinding
from scc_responder.workbench.proof.possible_targets import (
    USUAL_CLUSTER,
    USUAL_IMAGE,
    USUAL_NODE,
    USUAL_NODE_POOL,
    USUAL_PRINCIPAL,
    USUAL_SERVICE,
    USUAL_WORKLOAD,
)
from scc_responder.workbench.sample_findings import EVENT_TIME, facts_as_told, sample_finding

_API_VERSIONS = {"Job": "batch/v1", "CronJob": "batch/v1"}
_OF_DEPLOYMENT = "-6d5f9c7b4-x2x9q"
_UID = "5b0c1f2e-0000-4000-8000-0000000000ff"


class TargetWords(Value, frozen=True, kw_only=True):
    """What a target is called, part by part; a part that the finding does not have is not looked at.

    `labels` are pairs of key and value, those of the pod, and `namespace_labels` those of its namespace.
    """

    cluster: str = USUAL_CLUSTER
    service: str = USUAL_SERVICE
    workload: str = USUAL_WORKLOAD
    labels: tuple[tuple[str, str], ...] = ()
    namespace_labels: tuple[tuple[str, str], ...] = ()
    images: tuple[str, ...] = (USUAL_IMAGE,)
    node_pool: str = USUAL_NODE_POOL
    principal: str = USUAL_PRINCIPAL
    node: str = USUAL_NODE


class MadeSituation(Value, frozen=True, kw_only=True):
    """A finding, what would be read of its target, and the time at which it arrives.

    `threats` are all those of which findings would be answered in the same way.
    """

    kind: EnumeratedFinding
    target: TargetWords
    now: datetime
    finding: Finding
    facts: ContextFacts
    threats: tuple[str, ...] = ()

    @property
    def context(self) -> Context:
        """What a decision would see."""
        return context_of(self.finding, self.facts, self.now)


def made_situation(
    kind: EnumeratedFinding,
    target: TargetWords,
    now: datetime = EVENT_TIME,
    age: timedelta = timedelta(0),
) -> MadeSituation:
    """The situation of these words, where everything that can be read was read."""
    finding = _finding(kind, target, now - age)
    return MadeSituation(kind=kind, target=target, now=now, finding=finding, facts=_facts(finding, kind, target))


@cache
def _plain(name: str) -> Finding:
    return sample_finding(_rows()[name])


@cache
def _rows() -> dict[str, Row]:
    return {row.name: row for row in catalogue()}


def _finding(kind: EnumeratedFinding, target: TargetWords, event_time: datetime) -> Finding:
    plain = _plain(kind.like)
    changed: dict[str, Any] = {
        "category": kind.category,
        "detector": kind.detector,
        "severity": kind.severity,
        "event_time": event_time,
    }
    if plain.category != kind.category:
        changed["rule"] = ""
    if plain.cluster:
        changed["cluster"] = ClusterRef.parse(target.cluster)
    if plain.cloud_run:
        changed["cloud_run"] = _run_target(target.service)
    if plain.pods:
        namespace, owner, name = target.workload.split("/")
        changed["pods"] = (PodRef(namespace=namespace, name=_pod_name(owner, name)),)
    if plain.containers:
        changed["containers"] = tuple(
            FindingContainer(
                name="app" if place == 0 else f"app-{place}",
                image=image,
                image_id=plain.containers[0].image_id,
                create_time=event_time - timedelta(hours=1),
            )
            for place, image in enumerate(target.images)
        )
    if plain.node and plain.cluster:
        changed |= {"node": target.node, "instance": _instance(changed["cluster"], target.node)}
    if plain.principal:
        changed["principal"] = target.principal
    return replace(plain, **changed)


def _instance(cluster: ClusterRef, node: str) -> str:
    """The machine of a node, in the cluster's zone, or in a zone of its region."""
    place = cluster.location
    zone = place if region_of(place) != place else f"{place}-b"
    return f"projects/{cluster.project}/zones/{zone}/instances/{node}"


def _run_target(path: str) -> CloudRunTarget | None:
    name = RunName.parse(path)
    if name is None:
        return None
    return CloudRunTarget(kind=name.kind, project=name.project, location=name.location, name=name.name)


def _pod_name(owner: str, name: str) -> str:
    return name if owner == "Pod" else f"{name}{_OF_DEPLOYMENT}" if owner == "Deployment" else f"{name}-0"


def _facts(finding: Finding, kind: EnumeratedFinding, target: TargetWords) -> ContextFacts:
    facts = facts_as_told(finding)
    changed: dict[str, Any] = {"related": _related(finding, kind)}
    if facts.pod:
        _, owner, name = target.workload.split("/")
        pod = replace(facts.pod, labels=dict(target.labels))
        if owner != "Deployment":
            of_kind = Owner(kind=owner, name=name, uid=_UID, api_version=_API_VERSIONS.get(owner, "apps/v1"))
            pod = replace(pod, owners=() if owner == "Pod" else (of_kind,))
        changed["pod"] = pod
    if facts.namespace:
        changed["namespace"] = replace(facts.namespace, labels=dict(target.namespace_labels))
    if facts.node:
        changed["node"] = replace(facts.node, node_pool=target.node_pool)
    return replace(facts, **changed)


def _related(finding: Finding, kind: EnumeratedFinding) -> tuple[RelatedFinding, ...] | None:
    if kind.beside is Beside.UNREAD:
        return None
    if kind.beside is Beside.NOTHING:
        return ()
    place = runs_on(_rows()[kind.like].surface)
    other = next(
        row
        for row in catalogue()
        if row.confidence == kind.beside and row.name != kind.like and runs_on(row.surface) == place
    )
    name = f"organizations/123456789012/sources/9999999999999999999/locations/global/findings/{other.name}"
    return (RelatedFinding(name=name, category=other.category, event_time=finding.event_time),)


def notification_of(finding: Finding) -> bytes:
    """The notification that would tell of such a finding, as Security Command Center writes it."""
    named = {"ns": finding.pods[0].namespace, "name": finding.pods[0].name} if finding.pods else {}
    containers = [
        {"name": item.name, "uri": item.image, "imageId": item.image_id, "createTime": _time(item.create_time)}
        for item in finding.containers
    ]
    resource = _resource(finding)
    kubernetes: dict[str, Any] = {"pods": [{**named, "containers": containers}]} if named else {}
    if finding.node and finding.cluster:
        kubernetes["nodes"] = [{"name": f"//compute.googleapis.com/{finding.instance}"}]
    told = {
        "name": finding.name,
        "canonicalName": finding.canonical_name,
        "parentDisplayName": title(finding.detector),
        "resourceName": resource,
        "state": finding.state,
        "findingClass": finding.finding_class,
        "category": finding.category,
        "severity": finding.severity,
        "description": finding.description,
        "eventTime": _time(finding.event_time),
        **({"kubernetes": kubernetes} if kubernetes else {}),
        **({"containers": containers} if containers else {}),
        **({"access": {"principalEmail": finding.principal}} if finding.principal else {}),
    }
    configuration = "organizations/123456789012/locations/global/notificationConfigs/scc-responder"
    document = {"notificationConfigName": configuration, "finding": told, "resource": {"name": resource}}
    return json.dumps(document, indent=2).encode()


def _resource(finding: Finding) -> str:
    if finding.cluster:
        return f"//container.googleapis.com/{finding.cluster.path}"
    if finding.cloud_run:
        run = finding.cloud_run
        return f"//run.googleapis.com/projects/{run.project}/locations/{run.location}/{run.kind}s/{run.name}"
    if finding.agent:
        of, engine = f"projects/{finding.agent.project}/locations/{finding.agent.location}", finding.agent.name
        return f"//aiplatform.googleapis.com/{of}/reasoningEngines/{engine}"
    return f"//compute.googleapis.com/{finding.instance}"


def _time(moment: datetime | None) -> str:
    return moment.isoformat().replace("+00:00", "Z") if moment else ""
