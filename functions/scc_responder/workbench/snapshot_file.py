"""The file of a snapshot: what decisions need from one cluster, and nothing else of it. Pure.

{
  "snapshot": 1,                    version of this format
  "taken_at": "2026-03-02T09:31:12Z",
  "cluster": {"ref": {...}, ...},   the cluster as its provider describes it
  "objects": {"pods": [...], ...},  by collection, sorted by namespace and name; each as the API server sends it
  "missing": {"jobs": "..."}        collections that could not be read, and why
}

Only the fields listed here are kept, so nothing else can leak: no env, argument, command, volume or secret is ever in
the file, and of annotations only those that decisions look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.labels import PREFIX
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import StrictValue, read_json
from scc_responder.domain.wildcards import matcher

VERSION = 1

KeptFields = Mapping[str, Any]
"""Fields to keep: True for all of a field, a mapping for some fields of it (or of each of its items)."""

ANNOTATIONS = (
    "kubernetes.io/config.mirror",
    "container.googleapis.com/instance_id",
    "iam.gke.io/gcp-service-account",
    f"{PREFIX}*",
)
"""Annotations that decisions look at."""

_TIMES = {"startedAt": True, "finishedAt": True}
_STATES = {"running": _TIMES, "terminated": _TIMES}
_CONTAINER = {
    **dict.fromkeys(("name", "image", "imageID", "ready", "restartCount"), True),
    "state": _STATES,
    "lastState": _STATES,
}
_CONDITIONS = {"type": True, "status": True}
_METADATA = {
    **dict.fromkeys(("name", "namespace", "uid", "resourceVersion", "generation", "labels", "finalizers"), True),
    **dict.fromkeys(("creationTimestamp", "deletionTimestamp", "ownerReferences"), True),
}
_WORKLOAD = {
    "spec": dict.fromkeys(("replicas", "selector", "parallelism", "completions", "suspend"), True),
    "status": dict.fromkeys(
        (
            *("observedGeneration", "replicas", "readyReplicas", "availableReplicas", "updatedReplicas"),
            *("desiredNumberScheduled", "numberReady", "numberAvailable", "active", "ready"),
        ),
        True,
    ),
}


class SnapshotCollection(StrictValue, frozen=True, kw_only=True):
    """Objects of one kind: where all of them are listed, and what is kept of each beside its metadata."""

    path: str
    kept: dict[str, Any] = {}


COLLECTIONS = {
    "namespaces": SnapshotCollection(path="/api/v1/namespaces", kept={"status": {"phase": True}}),
    "nodes": SnapshotCollection(
        path="/api/v1/nodes",
        kept={"spec": {"unschedulable": True, "providerID": True}, "status": {"conditions": _CONDITIONS}},
    ),
    "pods": SnapshotCollection(
        path="/api/v1/pods",
        kept={
            "spec": dict.fromkeys(("nodeName", "hostNetwork", "serviceAccountName"), True),
            "status": {
                "phase": True,
                "conditions": _CONDITIONS,
                **dict.fromkeys(
                    ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"), _CONTAINER
                ),
            },
        },
    ),
    "replicationcontrollers": SnapshotCollection(path="/api/v1/replicationcontrollers", kept=_WORKLOAD),
    "replicasets": SnapshotCollection(path="/apis/apps/v1/replicasets", kept=_WORKLOAD),
    "deployments": SnapshotCollection(path="/apis/apps/v1/deployments", kept=_WORKLOAD),
    "statefulsets": SnapshotCollection(path="/apis/apps/v1/statefulsets", kept=_WORKLOAD),
    "daemonsets": SnapshotCollection(path="/apis/apps/v1/daemonsets", kept=_WORKLOAD),
    "jobs": SnapshotCollection(path="/apis/batch/v1/jobs", kept=_WORKLOAD),
    "cronjobs": SnapshotCollection(path="/apis/batch/v1/cronjobs", kept=_WORKLOAD),
    "poddisruptionbudgets": SnapshotCollection(
        path="/apis/policy/v1/poddisruptionbudgets",
        kept={
            "spec": dict.fromkeys(("minAvailable", "maxUnavailable", "selector"), True),
            "status": dict.fromkeys(
                ("observedGeneration", "disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"), True
            ),
        },
    ),
    "networkpolicies": SnapshotCollection(
        path="/apis/networking.k8s.io/v1/networkpolicies",
        kept={"spec": dict.fromkeys(("podSelector", "policyTypes", "ingress", "egress"), True)},
    ),
}
"""Everything that a snapshot holds, by the name of its collection."""
SERVICE_ACCOUNTS = {"serviceaccounts": SnapshotCollection(path="/api/v1/serviceaccounts")}
"""The same, only where somebody asks for it: of each its name, labels and identity in Google Cloud, and no secret's."""
EVERY_COLLECTION = COLLECTIONS | SERVICE_ACCOUNTS


class SnapshotFile(StrictValue, frozen=True, kw_only=True):
    """The content of a snapshot file. See the module."""

    snapshot: int = VERSION
    taken_at: datetime
    cluster: Cluster
    objects: dict[str, list[ApiObject]]
    missing: dict[str, str] = {}


def reduced(item: Mapping[str, Any], collection: SnapshotCollection, annotations: Iterable[str] = ()) -> ApiObject:
    """What is kept of an object. `annotations` are patterns of further keys to keep."""
    kept = _only(item, {"metadata": _METADATA, **collection.kept})
    wanted = matcher((*ANNOTATIONS, *annotations))
    found = {key: value for key, value in (item["metadata"].get("annotations") or {}).items() if wanted(key)}
    return {**kept, "metadata": {**kept["metadata"], **({"annotations": found} if found else {})}}


def _only(item: Any, kept: KeptFields | bool) -> Any:
    if isinstance(item, list):
        return [_only(entry, kept) for entry in item]
    if kept is True or not isinstance(item, Mapping) or not isinstance(kept, Mapping):
        return item if kept is True else None
    return {name: _only(item[name], part) for name, part in kept.items() if name in item}


def ordered(items: Iterable[ApiObject]) -> list[ApiObject]:
    """The objects in the order of their file: by namespace and name."""
    return sorted(items, key=lambda item: (item["metadata"].get("namespace", ""), item["metadata"]["name"]))


def list_path(collection: SnapshotCollection, namespace: str) -> str:
    """Where the API server lists the objects of a namespace, or those that have none."""
    prefix, _, plural = collection.path.rpartition("/")
    return f"{prefix}/namespaces/{namespace}/{plural}" if namespace else collection.path


def collection_of(path: str) -> str | None:
    """The name of the collection that a path is of, whether it names one object or lists some; None if of none.

    >>> collection_of("/api/v1/namespaces/shop/pods/web-1"), collection_of("/api/v1/namespaces/shop")
    ('pods', 'namespaces')
    """
    wide = _SPACE.sub("", path)
    return _BY_PATH.get(wide) or _BY_PATH.get(wide.rpartition("/")[0])


def encode_snapshot(file: SnapshotFile) -> bytes:
    """The file's bytes: the same for the same objects, one line for each field so that differences can be read."""
    return msgspec.json.format(msgspec.json.encode(file, order="sorted"), indent=1) + b"\n"


def decode_snapshot(content: bytes, name: str) -> SnapshotFile:
    """The content of a snapshot file. Raises SettingsError `unusable_snapshot`."""
    try:
        version = read_json(content, _Version).snapshot
        if version == VERSION:
            return read_json(content, SnapshotFile)
    except msgspec.DecodeError as error:
        raise SettingsError("unusable_snapshot", f"{name}: no snapshot: {error}; take one with: {_TAKE}") from error
    raise SettingsError(
        "unusable_snapshot",
        f"{name}: snapshot: version {version} is not read here, {VERSION} is; take it anew: {_TAKE}",
    )


class _Version(msgspec.Struct):
    snapshot: int


_TAKE = "scc-responder snapshot --cluster NAME --output FILE"
_SPACE = re.compile(r"/namespaces/[^/]+(?=/)")
_BY_PATH = {collection.path: name for name, collection in EVERY_COLLECTION.items()}
