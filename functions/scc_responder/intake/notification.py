"""Security Command Center's JSON in, one frozen Finding out. Nothing else in the product knows that JSON.

Pure: no input, output, clock or environment. Source: google/cloud/securitycenter v1 and v2 `Finding`, and what real
payloads make of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from itertools import combinations
from typing import Any

import msgspec

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import FindingName, same_project, source_of
from scc_responder.domain.text import LatePattern, visible
from scc_responder.intake.activity import (
    contradicts_process,
    cut_lists,
    parse_files,
    read_connections,
    read_contacts,
    read_indicators,
    read_links,
    read_marks,
    read_processes,
    read_techniques,
)
from scc_responder.intake.agent import read_agent
from scc_responder.intake.cloud_run_resource import read_cloud_run
from scc_responder.intake.envelope import NOTIFICATION_FIELDS, published
from scc_responder.intake.fields import enum, field, link, part, text, timestamp
from scc_responder.intake.json_text import decode_json
from scc_responder.intake.named_objects import (
    affected_names,
    affected_objects,
    read_access_reviews,
    read_node,
    read_objects,
)
from scc_responder.intake.pods import read_containers, read_pods
from scc_responder.intake.shapes import FindingParts, take_apart

_WORDS = LatePattern(r"[a-z0-9]+")
_FORMER = {"agent_engine_threat_detection": "agent_platform_threat_detection"}
"""Detectors by the names that they had before."""


def parse_notification(data: bytes | Mapping[str, Any]) -> Finding:
    """The finding of a notification, of a ListFindings item, of the console's JSON, or bare, with or without envelope.

    Raises RejectedMessage: `not_json`, `too_deep`, `not_a_finding`, `log_entry`, `several_findings`,
    `malformed_finding_name`, `no_event_time`.
    """
    return _finding(take_apart(data if isinstance(data, Mapping) else notification_json(data)))


def notification_json(data: bytes) -> Mapping[str, Any]:
    """The JSON object of a notification, out of its envelope if it has one. Raises as `parse_notification`."""
    document = decode_json(data)
    if not (isinstance(document, Mapping) and NOTIFICATION_FIELDS & document.keys()):
        document = decode_json(published(data))
    if not isinstance(document, Mapping):
        raise RejectedMessage(Reason.NOT_A_FINDING)
    return document


def content_digest(finding: Finding) -> str:
    """SHA-256 over what a finding says, not when: equal digests mean that an update brought nothing new.

    Left out: times, state, mute, marks, process ids, texts, and the order of lists.
    """
    said = (
        (finding.category, finding.detector, finding.rule, finding.severity, finding.finding_class),
        (finding.resource_name if not finding.cluster else "", finding.cluster, _run_said(finding), finding.node),
        (finding.principal, finding.principal_subject, finding.caller_ip, finding.method_name),
        _unordered(finding.pods),
        _unordered((item.name, item.image, item.image_id) for item in finding.containers),
        _unordered((item.binary, item.args, item.sha256, item.script, item.libraries) for item in finding.processes),
        _unordered((item.path, item.sha256, item.operations) for item in finding.files),
        _unordered((item.destination_ip, item.destination_port, item.protocol) for item in finding.connections),
        _unordered(finding.objects),
        _unordered(finding.indicators),
        finding.contradictions,
        *((finding.agent,) if finding.agent else ()),
    )
    return sha256(msgspec.json.encode(said)).hexdigest()


def _run_said(finding: Finding) -> dict[str, str] | None:
    """The Cloud Run resource as it always counted, and a revision or execution that its name does not say."""
    target = finding.cloud_run
    if target is None:
        return None
    said: dict[str, str] = msgspec.to_builtins(target)
    for child in (said.pop("revision"), said.pop("execution")):
        if child and child != target.name and child not in finding.resource_name:
            said["child"] = child
    return said


def _unordered(items: Any) -> list[bytes]:
    return sorted(map(msgspec.json.encode, items))


def _name(finding: Mapping[str, Any]) -> tuple[str, FindingName]:
    name = text(finding, "name") or text(finding, "canonicalName")
    parsed = FindingName.parse(name)
    if parsed is None:
        raise RejectedMessage(Reason.MALFORMED_FINDING_NAME)
    return name, parsed


def _finding(parts: FindingParts) -> Finding:
    finding, source = parts.finding, parts.source
    name, parsed = _name(finding)
    event_time = timestamp(field(finding, "eventTime"))
    if event_time is None:
        raise RejectedMessage(Reason.NO_EVENT_TIME)
    processes, place = read_processes(finding, source), _place(parts)
    faults = [*_disagreeing_names(finding, parsed), *place.pop("contradictions")]
    if contradicts_process(processes, source):
        faults.append("process")
    return Finding(
        key=parsed.key,
        name=name,
        canonical_name=text(finding, "canonicalName") or name,
        source_id=parsed.source_id,
        finding_id=parsed.finding_id,
        event_time=event_time,
        create_time=timestamp(field(finding, "createTime")),
        processes=processes,
        contradictions=tuple(faults),
        truncated=(*place.pop("truncated"), *cut_lists(finding)),
        shape=parts.shape,
        **place,
        **_labels(finding, source),
        **_project(parts.resource),
        **_activity(finding, source),
    )


def _disagreeing_names(finding: Mapping[str, Any], parsed: FindingName) -> list[str]:
    canonical, parent = FindingName.parse(text(finding, "canonicalName")), source_of(text(finding, "parent"))
    faults = []
    if canonical and canonical.key != parsed.key:
        faults.append("finding_name")
    if parent and parent != parsed.source_id:
        faults.append("source")
    return faults


def _labels(finding: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    attack = part(finding, "mitreAttack")
    detector = "_".join(_WORDS.compiled.findall(text(finding, "parentDisplayName").lower()))
    detection = part(source, "detectionCategory")
    rule = "_".join(filter(None, (text(detection, "ruleName"), text(detection, "subRuleName"))))
    return {
        "category": text(finding, "category"),
        "detector": _FORMER.get(detector, detector),
        "rule": visible(rule.upper()),
        "finding_class": enum(finding, "findingClass"),
        "state": enum(finding, "state"),
        "mute": enum(finding, "mute"),
        "mute_initiator": text(finding, "muteInitiator"),
        "marks": read_marks(finding),
        "severity": enum(finding, "severity"),
        "description": text(finding, "description") or text(source, "description"),
        "external_uri": link(field(finding, "externalUri")),
        "links": read_links(finding, source),
        "mitre_tactic": enum(attack, "primaryTactic"),
        "mitre_techniques": read_techniques(attack),
        "contacts": read_contacts(finding),
    }


def _place(parts: FindingParts) -> dict[str, Any]:
    """Where it happened: cluster, pods, node, Cloud Run resource, and what the finding's parts disagree on there."""
    finding, resource, source = parts.finding, parts.resource, parts.source
    affected = affected_names(source)
    objects = affected_objects(affected)
    told = [text(finding, "resourceName"), text(resource, "name"), *affected]
    resource_name = told[0] or told[1]
    cluster, cluster_faults = _cluster(told)
    # What the parts of a pod's finding say of Cloud Run is not looked for.
    run = read_cloud_run(told, {} if cluster else resource, {} if cluster else source)
    pods, containers = read_pods(finding, source, objects), read_containers(finding, source)
    node = read_node(finding, source, resource_name, cluster)
    agent, agent_faults = read_agent(told, finding)
    both = ["resource"] if sum(map(bool, (cluster, run.cloud_run, agent))) > 1 else []
    return {
        "resource_name": resource_name,
        "cluster": cluster,
        "cloud_run": run.cloud_run,
        "agent": agent,
        "pods": pods.pods,
        "containers": containers.containers,
        "node": node.node,
        "instance": node.instance,
        "objects": read_objects(finding, objects),
        "truncated": tuple(name for name, cut in (("pods", pods), ("containers", containers)) if cut.truncated),
        "contradictions": (
            *cluster_faults,
            *agent_faults,
            *both,
            *run.contradictions,
            *pods.contradictions,
            *containers.contradictions,
            *node.contradictions,
        ),
    }


def _cluster(names: list[str]) -> tuple[ClusterRef | None, list[str]]:
    """The first cluster that is named by its project's id, or else its number; `cluster`: another is named as well."""
    found = [ref for ref in map(ClusterRef.parse, names) if ref]
    same = all(
        (ref.location, ref.name) == (one.location, one.name) and same_project(ref.project, one.project)
        for ref, one in combinations(found, 2)
    )
    by_id = (ref for ref in found if not ref.project.isdigit())
    return next(by_id, found[0] if found else None), [] if same else ["cluster"]


def _project(resource: Mapping[str, Any]) -> dict[str, Any]:
    nested = part(resource, "gcpMetadata")
    return {
        "resource_type": text(resource, "type"),
        "project_display_name": text(resource, "projectDisplayName") or text(nested, "projectDisplayName"),
    }


def _activity(finding: Mapping[str, Any], source: Mapping[str, Any]) -> dict[str, Any]:
    access = part(finding, "access")
    return {
        "files": parse_files(field(finding, "files")),
        "connections": read_connections(finding),
        "access_reviews": read_access_reviews(finding),
        "principal": text(access, "principalEmail"),
        "principal_subject": text(access, "principalSubject"),
        "caller_ip": text(access, "callerIp"),
        "user_agent": text(access, "userAgent") or text(access, "userAgentFamily"),
        "service_name": text(access, "serviceName"),
        "method_name": text(access, "methodName"),
        "indicators": read_indicators(finding, source),
    }
