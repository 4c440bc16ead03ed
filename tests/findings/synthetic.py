"""One synthetic notification for each row of the catalogue: what its detector would publish, by `samples.yaml`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from scc_responder.intake.threats import Row, catalogue
from tests.findings.activity import activity

DETECTORS = {
    "container_threat_detection": ("Container Threat Detection", "1111111111111111111"),
    "cloud_run_threat_detection": ("Cloud Run Threat Detection", "2222222222222222222"),
    "event_threat_detection": ("Event Threat Detection", "3333333333333333333"),
    "virtual_machine_threat_detection": ("Virtual Machine Threat Detection", "5555555555555555555"),
    "agent_platform_threat_detection": ("Agent Platform Threat Detection", "6666666666666666666"),
}
"""Display name and source id of each detector."""

ORGANIZATION, PROJECT = "organizations/123456789012", "projects/100000000001"
CLUSTER = "//container.googleapis.com/projects/example-project/locations/europe-west1/clusters/prod-1"
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"
INSTANCE = f"//compute.googleapis.com/projects/example-project/zones/europe-west1-b/instances/{NODE}"
AGENT = (
    "//aiplatform.googleapis.com/projects/example-project/locations/europe-west1/reasoningEngines/7770001112223334445"
)
RUN = "//run.googleapis.com/projects/example-project/locations/europe-west1"
POD = ("shop", "web-6d5f9c7b4-x2x9q", "europe-docker.pkg.dev/example-project/shop/web:1.4.2")
EVENT_TIME = "2026-03-02T09:38:12.458107Z"

# What is shown of a threat without a sample, by a part of its row's `fields`.
_PLAIN: Mapping[str, dict[str, Any]] = {
    "processes[]": {"run": ["/tmp/unknown"]},
    "libraries[]": {"library": "/tmp/unknown.so"},
    ".script.": {"script": {"path": "/tmp/unknown.sh", "contents": "id\n"}},
    "files[]": {"files": {"/etc/unknown": ["OPEN", "WRITE"]}},
    "envVariables": {"env": {"UNKNOWN": "1"}},
    "connections[]": {"connect": ["203.0.113.66", 443]},
    "indicator.uris": {"uris": ["https://malware.example.com/unknown"]},
    "indicator.domains": {"domains": ["malware.example.com"]},
    "indicator.ipAddresses": {"addresses": ["203.0.113.66"]},
    "indicator.signatures": {"signatures": [{"yaraRuleSignature": {"yaraRule": "UNKNOWN"}}]},
    "kernelRootkit": {"rootkit": {"name": "unknown"}},
    "access.": {"method": "io.k8s.core.v1.unknown.create"},
    "kubernetes.pods": {"pod": ["shop", "web-6d5f9c7b4-x2x9q"]},
    "objects}": {"object": ["Deployment", "shop", "web", "apps"]},
    "kubernetes.objects": {"object": ["Deployment", "shop", "web", "apps"]},
    "bindings": {"bindings": [{"name": "unknown", "role": {"kind": "CLUSTER_ROLE", "name": "cluster-admin"}}]},
    "roles": {"roles": [{"kind": "CLUSTER_ROLE", "name": "unknown"}]},
    "accessReviews": {"reviews": [{"verb": "get", "resource": "secrets", "ns": "shop"}]},
}


@cache
def samples() -> dict[str, dict[str, Any]]:
    """What `samples.yaml` says of each threat."""
    content: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "samples.yaml").read_text())
    return content


def sample_of(row: Row) -> dict[str, Any]:
    """What a notification of the row shows."""
    plain = {key: value for part, shown in _PLAIN.items() if part in row.fields for key, value in shown.items()}
    return samples().get(row.name) or samples().get(twin_of(row)) or plain


def twin_of(row: Row) -> str:
    """The name of the same threat in GKE, for what runs in Cloud Run or on Agent Platform."""
    return row.name.removeprefix("cloud_run_").removeprefix("agent_engine_")


def synthetic(row: Row) -> dict[str, Any]:
    """A notification of the row's threat, what matters first."""
    display, source = DETECTORS[row.detector]
    sample = sample_of(row)
    resource = _resource_name(row, sample)
    finding_id = sha256(f"{row.detector} {row.name}".encode()).hexdigest()[:32]
    path = f"sources/{source}/locations/global"
    finding = {
        "category": row.category,
        "parentDisplayName": display,
        "severity": _severity(row),
        "description": row.meaning,
        **activity(row, sample),
        **_place(row, sample),
        "mitreAttack": _mitre(row),
        "resourceName": resource,
        "state": "ACTIVE",
        "mute": "UNDEFINED",
        "findingClass": "THREAT",
        "eventTime": EVENT_TIME,
        "createTime": "2026-03-02T09:38:14.907Z",
        "name": f"{ORGANIZATION}/{path}/findings/{finding_id}",
        "canonicalName": f"{PROJECT}/{path}/findings/{finding_id}",
        "parent": f"{ORGANIZATION}/{path}",
        "contacts": {"security": {"contacts": [{"email": "security@example.com"}]}},
        "sourceProperties": _source_properties(row, sample, resource),
    }
    finding = {name: value for name, value in finding.items() if value not in ({}, "", [])}
    configuration = f"{ORGANIZATION}/locations/global/notificationConfigs/scc-responder"
    return {"notificationConfigName": configuration, "finding": finding, "resource": _resource(resource)}


def _severity(row: Row) -> str:
    """As published; else as for the same category in GKE; else what goes with the confidence."""
    twins = (other.severity for other in catalogue() if other.name == twin_of(row))
    plain = {"possible": "LOW", "likely": "MEDIUM", "confirmed": "HIGH"}[row.confidence]
    return row.severity or next(filter(None, twins), plain)


def _mitre(row: Row) -> dict[str, Any]:
    names: dict[str, str] = {}
    path = Path(__file__).parents[2] / "functions" / "scc_responder" / "intake" / "mitre.json"
    for name, mitre_id in json.loads(path.read_text()).items():
        names.setdefault(mitre_id, name)
    techniques = {"primaryTechniques": [names[technique] for technique in row.techniques]} if row.techniques else {}
    return {"primaryTactic": names[row.tactic], **techniques} if row.tactic else {}


def _resource_name(row: Row, sample: Mapping[str, Any]) -> str:
    """The instance of what is seen from outside it, the Cloud Run service or job, else the cluster."""
    if row.surface == "agent":
        return AGENT
    if row.surface == "cloud_run":
        return f"{RUN}/jobs/nightly-import" if sample.get("job") else f"{RUN}/services/checkout"
    of_node = row.surface == "node" and row.detector != "container_threat_detection" and "pod" not in sample
    return INSTANCE if of_node else CLUSTER


def _place(row: Row, sample: Mapping[str, Any]) -> dict[str, Any]:
    """Containers and Kubernetes objects. Detectors of files on nodes name no pod."""
    if row.surface == "agent":
        return {"agent": {"id": AGENT.rpartition("/")[2], "displayName": "checkout-agent"}}
    if row.surface == "cloud_run":
        name = "nightly-import" if sample.get("job") else "checkout"
        image = sample.get("image", f"europe-docker.pkg.dev/example-project/shop/{name}:2.0.1")
        return {"containers": [{"name": name, "uri": image, "imageId": f"{image.split(':')[0]}@sha256:{_sha(image)}"}]}
    node = {"nodes": [{"name": INSTANCE}]}
    if row.detector == "container_threat_detection":
        return {"kubernetes": node} if row.surface == "node" else _pod(POD, node, started=True)
    if row.detector == "virtual_machine_threat_detection":
        return {}
    named = {key: sample[key] for key in ("roles", "bindings") if key in sample}
    named |= {"accessReviews": sample["reviews"]} if "reviews" in sample else {}
    named |= {"objects": [_object(*sample["object"])]} if "object" in sample else {}
    if "pod" in sample:
        space, name, *image = sample["pod"]
        return _pod((space, name, image[0] if image else POD[2]), named, started=False)
    return {"kubernetes": named} if named else {}


def _pod(pod: tuple[str, str, str], more: Mapping[str, Any], *, started: bool) -> dict[str, Any]:
    space, name, image = pod
    container = {"name": "app", "uri": image}
    if started:
        running = {"imageId": f"{image.rpartition(':')[0]}@sha256:{_sha(image)}"}
        container |= {**running, "createTime": "2026-03-02T08:58:03.771204518Z"}
    labels = [{"name": "app", "value": name.split("-")[0]}]
    pods = [{"ns": space, "name": name, "labels": labels, "containers": [{"name": "app", "uri": image}]}]
    return {"containers": [container], "kubernetes": {"pods": pods, **more}}


def _object(kind: str, namespace: str, name: str, group: str) -> dict[str, str]:
    parts = {"kind": kind, "ns": namespace, "name": name, "group": group}
    return {key: value for key, value in parts.items() if value}


def _sha(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _source_properties(row: Row, sample: Mapping[str, Any], resource: str) -> dict[str, Any]:
    if row.detector == "container_threat_detection":
        pod = {"Pod_Namespace": POD[0], "Pod_Name": POD[1], "Container_Name": "app"} if row.surface == "pod" else {}
        library = {"Added_Library_Fullpath": sample["library"]} if "library" in sample else {}
        return {**pod, "VM_Instance_Name": NODE, **library}
    if row.detector != "event_threat_detection":
        return {}
    affected = [resource, *([sample["affected"]] if "affected" in sample else [])]
    if "pod" in sample:
        affected.append("//k8s.io/core/v1/namespaces/{}/pods/{}".format(*sample["pod"]))
    rule = row.rule_id.lower()
    control_plane = rule.removeprefix("gke_control_plane_")
    split = {"ruleName": "gke_control_plane", "subRuleName": control_plane} if control_plane != rule else {}
    return {
        "detectionCategory": split or {"ruleName": rule},
        "detectionPriority": _severity(row),
        "affectedResources": [{"gcpResourceName": name} for name in affected],
    }


def _resource(name: str) -> dict[str, Any]:
    service = name.split("/")[2]
    kinds = {"clusters": "google.container.Cluster", "instances": "google.compute.Instance"}
    run = {"services": "google.run.Service", "jobs": "google.run.Job"}
    agents = {"reasoningEngines": "google.aiplatform.ReasoningEngine"}
    return {
        "name": name,
        "displayName": name.rpartition("/")[2],
        "type": {**kinds, **run, **agents}[name.split("/")[-2]],
        "service": service,
        "gcpMetadata": {
            "project": "//cloudresourcemanager.googleapis.com/projects/100000000001",
            "projectDisplayName": "example-project",
            "organization": ORGANIZATION,
        },
    }
