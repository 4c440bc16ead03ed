"""The cluster that recorded findings are about, as a snapshot of it: their pods, and all that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from scc_responder.domain.context import Cluster
from scc_responder.domain.finding import ClusterRef
from scc_responder.workbench.snapshot_file import SnapshotFile, encode_snapshot
from tests.findings.recorded import recorded

Object = dict[str, Any]
CREATED = "2026-01-31T22:00:00Z"
TAKEN = datetime(2026, 3, 1, tzinfo=UTC)
REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"
POOL = {"cloud.google.com/gke-nodepool": "pool-1", "topology.kubernetes.io/zone": "europe-west1-b"}
READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def _object(kind: str, name: str, namespace: str = "", owner: Object | None = None, **fields: Any) -> Object:
    meta: Object = {"name": name, "uid": _uid(kind, namespace, name), "resourceVersion": "1"}
    meta |= {"creationTimestamp": CREATED, "labels": fields.pop("labels", {})}
    meta |= {"namespace": namespace} if namespace else {}
    if owner:
        meta["ownerReferences"] = [{**owner, "controller": True}]
    return {"metadata": meta, **fields}


def _container(told: Mapping[str, Any]) -> Object:
    """A container as its kubelet reports it, in agreement with what a finding tells of it."""
    status: Object = {"name": told["name"], "image": told.get("uri", ""), "imageID": told.get("imageId", "")}
    return status | {"state": {"running": {"startedAt": told["createTime"]}}}


def _uid(*words: str) -> str:
    return str(uuid5(NAMESPACE_OID, "/".join(words)))


def _reference(kind: str, name: str, namespace: str) -> Object:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": _uid(kind, namespace, name)}


def cluster_of(findings: Iterable[Mapping[str, Any]], nodes: int = 50) -> SnapshotFile:
    """A snapshot with every pod that the findings name, of a Deployment that can spare some; each on its node."""
    named: dict[tuple[str, str], str] = {}
    containers: dict[tuple[str, str], dict[str, Object]] = {}
    for item in findings:
        found = item["finding"]
        for pod in found.get("kubernetes", {}).get("pods", []):
            key = pod["ns"], pod["name"]
            named[key] = found["kubernetes"].get("nodes", [{"name": NODE}])[0]["name"].rpartition("/")[2]
            containers.setdefault(key, {}).update(
                {one["name"]: _container(one) for one in found.get("containers", []) if "name" in one}
            )
    names = set(named.values()) | {f"node-{number}" for number in range(nodes)}
    sets = sorted({(namespace, name.rpartition("-")[0]) for namespace, name in named})
    apps = sorted({(namespace, name.rpartition("-")[0]) for namespace, name in sets})
    counted = {"spec": {"replicas": 9}, "status": {"replicas": 9, "readyReplicas": 9}}
    objects = {
        "namespaces": [_object("Namespace", name) for name in sorted({namespace for namespace, _ in named})],
        "nodes": [_object("Node", name, labels=POOL, spec={}, status=READY) for name in sorted(names)],
        "pods": [
            _object(
                "Pod",
                name,
                namespace,
                _reference("ReplicaSet", name.rpartition("-")[0], namespace),
                labels={"app": name.split("-")[0]},
                spec={"nodeName": node},
                status={
                    "phase": "Running",
                    **READY,
                    "containerStatuses": list(containers[namespace, name].values()),
                },
            )
            for (namespace, name), node in sorted(named.items())
        ],
        "replicasets": [
            _object("ReplicaSet", name, place, _reference("Deployment", name.rpartition("-")[0], place), **counted)
            for place, name in sets
        ],
        "deployments": [_object("Deployment", name, place, **counted) for place, name in apps],
        "poddisruptionbudgets": [
            _object(
                "PodDisruptionBudget",
                name,
                place,
                spec={"selector": {"matchLabels": {"app": name}}},
                status={"disruptionsAllowed": 2},
            )
            for place, name in apps
        ],
    }
    described = Cluster(ref=REF, autopilot=False, enforces_network_policy=True)
    return SnapshotFile(taken_at=TAKEN, cluster=described, objects=objects)


def write_snapshot(path: Path, count: int, **options: Any) -> Path:
    """The snapshot that belongs to as many recorded findings."""
    path.write_bytes(encode_snapshot(cluster_of(recorded(count, **options))))
    return path
