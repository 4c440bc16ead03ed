"""What would be read of the target of a golden: the smallest context file that makes its decision plain."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.sample_services import run_facts_as_told

_START = timedelta(seconds=2)


def context_for(content: bytes, **changes: Any) -> dict[str, Any] | None:
    """The context of a golden whose pod, service or job is there and is the one meant; None where nothing is decided.

    `changes` replace whole facts; None takes one away.
    """
    try:
        finding = parse_notification(content)
    except RejectedMessage:
        return None
    told = {name: _written(value) for name, value in run_facts_as_told(finding).items()}
    of_target = _cluster_facts(finding) if finding.cluster else told
    facts: dict[str, Any] = {"related": [], **of_target}
    return {name: value for name, value in {**facts, **changes}.items() if value is not None}


def _written(value: Any) -> Any:
    """The value as JSON data, without what it has by default."""
    if isinstance(value, tuple):
        return [_written(item) for item in value]
    if not isinstance(value, msgspec.Struct):
        return msgspec.to_builtins(value)
    given = {field.name: (getattr(value, field.name), field.default) for field in msgspec.structs.fields(value)}
    return {name: _written(item) for name, (item, default) in given.items() if item not in (default, {})}


def _cluster_facts(finding: Finding) -> dict[str, Any]:
    cluster = finding.cluster
    assert cluster is not None
    ref = {"project": cluster.project, "location": cluster.location, "name": cluster.name}
    facts: dict[str, Any] = {"cluster": {"ref": ref, "autopilot": False, "enforces_network_policy": True}}
    if finding.node or finding.pod:
        facts["node"] = _node(finding.node or "gke-prod-1-pool-1-3f2a1b0c-q7wz")
        facts["live"] = {"node_pool": _NODE_POOL}
    if finding.pod is None:
        reason = "several_pods" if finding.pods else "pod_not_named"
        return {**facts, "missing": {"pod": reason}}
    namespace = {"name": finding.pod.namespace, "uid": "44444444-4444-4444-8444-444444444444"}
    pod = _pod(finding)
    return {**facts, "pod": pod, "namespace": namespace, "live": {**facts["live"], **_live(pod)}}


def _node(name: str) -> Mapping[str, Any]:
    return {
        "name": name,
        "uid": "55555555-5555-4555-8555-555555555555",
        "resource_version": "2001",
        "ready": True,
        "node_pool": "pool-1",
        "zone": "europe-west1-b",
    }


_NODE_POOL = {"name": "pool-1", "zones": {"europe-west1-b": {"nodes": 4, "schedulable": 4}}}


def _live(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is seen right before a disruption: nothing that stands in its way."""
    owners = pod.get("owners")
    workload = {"kind": owners[-1]["kind"], "name": owners[-1]["name"], "replicas": 4, "ready": 4} if owners else None
    return {"workload": workload, "budgets": []} if workload else {"budgets": []}


def _pod(finding: Finding) -> dict[str, Any]:
    """The pod, made when the finding says that it was asked for, or before all that it tells of."""
    pod = finding.pod
    assert pod is not None
    asked_for = finding.method_name.endswith("pods.create")
    told = [finding.event_time, *(item.create_time for item in finding.containers if item.create_time)]
    facts = {
        "namespace": pod.namespace,
        "name": pod.name,
        "uid": "11111111-1111-4111-8111-111111111111",
        "resource_version": "1001",
        "creation_time": (finding.event_time if asked_for else min(told) - _START).isoformat(),
        "node_name": finding.node or "gke-prod-1-pool-1-3f2a1b0c-q7wz",
        "phase": "Running",
        "ready": True,
        "containers": [_container(finding, number) for number in range(len(finding.containers))],
    }
    return {**facts, **_owned(pod.name)}


def _container(finding: Finding, number: int) -> dict[str, Any]:
    told = finding.containers[number]
    started = {"started_at": told.create_time.isoformat()} if told.create_time else {}
    return {"name": told.name, "image": told.image, "image_id": told.image_id, **started}


def _owned(name: str) -> dict[str, Any]:
    """The Deployment of a pod that is named like one's; a static pod is its kubelet's, any other stands alone."""
    if name.startswith("static-"):
        return {"mirror": True}
    workload, _, generated = name.rpartition("-")[0].rpartition("-")
    if not workload or len(generated) < 8:
        return {}
    owners = [("ReplicaSet", f"{workload}-{generated}", "22222222"), ("Deployment", workload, "33333333")]
    return {
        "owners": [
            {"kind": kind, "name": owner, "uid": f"{uid}-0000-4000-8000-000000000000"} for kind, owner, uid in owners
        ]
    }
