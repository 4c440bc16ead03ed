"""Notifications about what runs in the simulated cluster, as Security Command Center would publish them. Synthetic."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import Value

PROJECT = "projects/example-project"
STORY_CLUSTER = f"{PROJECT}/locations/europe-west1/clusters/prod-1"
CHECKOUT_SERVICE = f"{PROJECT}/locations/europe-west1/services/checkout"
COMPROMISED_DIGEST = f"sha256:{'b' * 64}"
"""The image of what serves in Cloud Run when it is attacked."""

ZONE = "europe-west1-b"
CONTAINER_SOURCE = "1111111111111111111"
CLOUD_RUN_SOURCE = "2222222222222222222"
SUBSCRIPTION = f"{PROJECT}/subscriptions/scc-responder"

_ORGANIZATION = "organizations/123456789012"


class Detection(Value, frozen=True, kw_only=True):
    """What a detector saw: one category, and the process that it is about."""

    category: str
    severity: str
    description: str
    command: tuple[str, ...]
    source: str = CONTAINER_SOURCE


MALICIOUS_LIBRARY = Detection(
    category="Execution: Modified Malicious Library Loaded",
    severity="CRITICAL",
    description="A library of the image was modified at run time, and threat intelligence knows it as malicious.",
    command=("/usr/local/bin/python3.12", "/app/server.py"),
)
ADDED_BINARY = Detection(
    category="Added Binary Executed",
    severity="LOW",
    description="A binary that is not part of the image was executed.",
    command=("/app/.cache/kworkerd", "--config=/app/.cache/c"),
)
COMPILER = Detection(
    category="Defense Evasion: Launch Code Compiler Tool In Container",
    severity="LOW",
    description="A compiler was started inside a container.",
    command=("/usr/bin/gcc", "-o", "/app/x", "/app/x.c"),
)
CONTAINER_ESCAPE = Detection(
    category="Execution: Container Escape",
    severity="HIGH",
    description="A tool for escaping from containers was executed in Cloud Run.",
    command=("/app/.cache/cdk", "evaluate", "--full"),
    source=CLOUD_RUN_SOURCE,
)
REVERSE_SHELL = Detection(
    category="Reverse Shell",
    severity="CRITICAL",
    description="A shell was connected to a remote address.",
    command=("/bin/bash", "-i"),
)


def about_pod(detection: Detection, pod: Mapping[str, Any], event_time: datetime) -> ApiObject:
    """The notification of a detection in the first container of a running pod, every field as the pod has it."""
    status = pod["status"]["containerStatuses"][0]
    metadata = pod["metadata"]
    container = {
        "name": status["name"],
        "uri": status["image"],
        "imageId": status["imageID"],
        "createTime": status["state"]["running"]["startedAt"],
    }
    named = {"ns": metadata["namespace"], "name": metadata["name"], "containers": [container]}
    node = f"//compute.googleapis.com/{PROJECT}/zones/{ZONE}/instances/{pod['spec']['nodeName']}"
    return _notification(
        detection,
        event_time,
        f"//container.googleapis.com/{STORY_CLUSTER}",
        f"{metadata['namespace']}/{metadata['name']}",
        {"containers": [container], "kubernetes": {"pods": [named], "nodes": [{"name": node}]}},
    )


def about_service(detection: Detection, event_time: datetime) -> ApiObject:
    """The notification of a detection in the compromised revision of the Cloud Run service."""
    image = "europe-docker.pkg.dev/example-project/shop/checkout"
    container = {"name": "checkout", "uri": f"{image}:2.0.1", "imageId": f"{image}@{COMPROMISED_DIGEST}"}
    resource = f"//run.googleapis.com/{CHECKOUT_SERVICE}"
    return _notification(detection, event_time, resource, "checkout", {"containers": [container]})


def push_body(data: bytes, message_id: str, publish_time: datetime) -> bytes:
    """A published message as the body of a Pub/Sub push."""
    message = {"data": base64.b64encode(data).decode(), "messageId": message_id, "publishTime": _time(publish_time)}
    return json.dumps({"message": message, "subscription": SUBSCRIPTION}).encode()


def _notification(
    detection: Detection, event_time: datetime, resource: str, target: str, parts: ApiObject
) -> ApiObject:
    source = f"sources/{detection.source}/locations/global"
    finding_id = sha256(f"{detection.category} {target}".encode()).hexdigest()[:32]
    finding = {
        "name": f"{_ORGANIZATION}/{source}/findings/{finding_id}",
        "canonicalName": f"projects/100000000001/{source}/findings/{finding_id}",
        "parent": f"{_ORGANIZATION}/{source}",
        "resourceName": resource,
        "state": "ACTIVE",
        "mute": "UNDEFINED",
        "findingClass": "THREAT",
        "category": detection.category,
        "severity": detection.severity,
        "description": detection.description,
        "eventTime": _time(event_time),
        "createTime": _time(event_time),
        "processes": [{"binary": {"path": detection.command[0]}, "args": list(detection.command), "pid": "4711"}],
        **parts,
    }
    configuration = f"{_ORGANIZATION}/locations/global/notificationConfigs/scc-responder"
    return {
        "notificationConfigName": configuration,
        "finding": finding,
        "resource": {"name": resource, "gcpMetadata": {"projectDisplayName": "example-project"}},
    }


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
