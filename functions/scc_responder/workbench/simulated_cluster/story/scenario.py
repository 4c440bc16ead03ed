"""The story of the demonstration: what runs in the simulated cluster, what is detected, and the expected results."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from scc_responder.domain.ports import ApiObject
from scc_responder.domain.value import Value
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story import notifications
from scc_responder.workbench.simulated_cluster.story.notifications import Detection, about_pod, about_service

NODES = ("gke-prod-1-pool-1-3f2a1b0c-q7wz", "gke-prod-1-pool-1-3f2a1b0c-x8kd")
SHOP = {"web": 2, "checkout": 2, "orders": 1, "cart": 1}
"""Deployments of the namespace `shop`, and how many pods each has."""

FULL = "ledger"
"""A Deployment, in a namespace of its own, whose pod has all the annotations that Kubernetes allows."""

AGENT = "container-watcher"
LETS_OUT = "cart-api"
"""A FQDNNetworkPolicy that goes on letting the pods of `cart` out, whatever NetworkPolicies say."""

_NOTES = "example.com/notes"
_IMAGES = "europe-docker.pkg.dev/example-project/shop"


class Delivery(Value, frozen=True, kw_only=True):
    """One message that is pushed, and what must come of it.

    `target` is the pod (`namespace/name`) or service that it is about. `listed` says that Security Command Center lists
    the finding as it stands in this message. `reason` is how the delivery must end, `steps` are the case's outcomes as
    `action: reason`, `writes` the requests that change the cluster, as `verb resource`, and `fate` is what becomes of
    the pod: `deleted`, `isolated`, `bypassed`, `marked` or `untouched`.
    """

    title: str
    about: str
    target: str = ""
    severity: str = ""
    data: bytes
    listed: bool = False
    reason: str
    steps: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    fate: str = "untouched"


_LABEL = ("label_pod: patched", "annotate_pod: patched")
_ISOLATE = ("isolate_pod: patched", "isolate_pod: isolated")
_KEEP = ("capture_evidence: captured",)
_KEEP_ALL = ("capture_logs: captured", *_KEEP)
_LOOK = ("inspect_container: inspected",)
_STOP = ("sever_connections: severed", "freeze_process: frozen")
_CLOUD_LOGS = ("capture_cloud_logs: no_cloud_logging",)
_TELL = ("notify: no_outcome_topic",)
_HELD = tuple(f"{action}: google_agent_pod" for action in ("label_pod", "annotate_pod", "isolate_pod"))
_ASKED = tuple(f"{action}: waiting_for_approval" for action in ("roll_back_service", "cut_ingress", "scale_to_zero"))
_REHEARSED = ("label_pod: would_patch", "annotate_pod: would_patch")
_PATCHES = ("patch pods", "patch pods")
_ISOLATES = ("patch pods", "create networkpolicies")
_INSERT = "patch pods/ephemeralcontainers"
_INSERTS = (_INSERT, _INSERT)
"""What cuts is put in before the isolation, what looks by a request of its own: these containers may run as root."""


def populate(cluster: SimulatedCluster) -> None:
    """Fill an empty cluster: two nodes, a shop, a ledger, and one of Google's agents on each node."""
    for number, name in enumerate(NODES, start=1):
        cluster.create(_node(name, str(4711000000000000000 + number)))
    for namespace in ("shop", FULL, "kube-system"):
        cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for name, replicas in SHOP.items():
        cluster.create(_workload("Deployment", name, "shop", f"{_IMAGES}/{name}:1.4.2", replicas=replicas))
    full = _workload("Deployment", FULL, FULL, f"{_IMAGES}/{FULL}:2.0.1", replicas=1)
    full["spec"]["template"]["metadata"]["annotations"] = {_NOTES: "x" * (256 * 1024 - len(_NOTES))}
    cluster.create(full)
    cluster.serve("FQDNNetworkPolicy")
    cluster.create(_lets_out("cart"))
    cluster.create(_workload("DaemonSet", AGENT, "kube-system", "gcr.io/gke-release/watcher-daemonset:v20260105"))
    for pod in cluster.objects("Pod"):
        cluster.write_log(pod, "app", b"listening on :8080\nGET / 200\n")


def deliveries(pods: Sequence[Mapping[str, Any]], now: datetime) -> tuple[Delivery, ...]:
    """What is delivered, in order, about these pods, with findings of this moment."""
    found = _runbooks(pods, now)
    library = found[0]
    older = about_pod(notifications.MALICIOUS_LIBRARY, _pod_of(pods, "shop", "checkout"), now - timedelta(minutes=5))
    others = (
        *_reverse_shells(pods, now),
        _about_pod(
            notifications.ADDED_BINARY,
            _pod_of(pods, "kube-system", AGENT),
            now,
            title=f"{notifications.ADDED_BINARY.category}, in Google's own agent",
            about="Google's own agents trip Google's own detectors, so policies do not reach them.",
            reason="google_agent_pod",
            steps=(*_HELD, *_KEEP_ALL, "inspect_container: google_agent_pod", *_TELL),
        ),
        _copy(library, "The first message again", "Pub/Sub may deliver any message more than once.", "duplicate"),
        _copy(library, "An older message, late", "Pub/Sub may deliver messages in any order.", "stale", older),
        Delivery(
            title="No finding at all",
            about="Anyone who may publish to the topic can send anything.",
            data=b"<script>alert(1)</script> \x1b[2J",
            reason="not_json",
        ),
    )
    return found + others


def _reverse_shells(pods: Sequence[Mapping[str, Any]], now: datetime) -> tuple[Delivery, ...]:
    return (
        _about_pod(
            notifications.REVERSE_SHELL,
            _pod_of(pods, "shop", "cart"),
            now,
            about=f"{notifications.REVERSE_SHELL.description} Likely, not confirmed: what is done can be undone. "
            "A policy of another kind goes on letting the pod out: nobody calls it isolated.",
            reason="bypassed_by",
            steps=(
                "isolate_pod: patched",
                "isolate_pod: bypassed_by",
                *_LABEL,
                *_KEEP_ALL,
                "sever_connections: connections_may_return",
                "freeze_process: frozen",
                *_LOOK,
                *_CLOUD_LOGS,
                *_TELL,
            ),
            writes=(*_INSERTS, *_ISOLATES, *_PATCHES),
            fate="bypassed",
        ),
        _about_pod(
            notifications.REVERSE_SHELL,
            _pod_of(pods, FULL, FULL),
            now,
            title=f"{notifications.REVERSE_SHELL.category}, in a pod that takes no annotation",
            about="Whoever made the pod filled its annotations. A mark that fails stops nothing.",
            reason="invalid",
            steps=(
                *_ISOLATE,
                "label_pod: patched",
                "annotate_pod: invalid",
                *_KEEP_ALL,
                *_STOP,
                *_LOOK,
                *_CLOUD_LOGS,
                *_TELL,
            ),
            writes=_INSERTS + _ISOLATES + ("patch pods",) * 4,
            fate="isolated",
        ),
    )


def _runbooks(pods: Sequence[Mapping[str, Any]], now: datetime) -> tuple[Delivery, ...]:
    return (
        _about_pod(
            notifications.MALICIOUS_LIBRARY,
            _pod_of(pods, "shop", "checkout"),
            now,
            reason="done",
            steps=(
                *_ISOLATE,
                *_LABEL,
                *_KEEP_ALL,
                *_STOP,
                "cordon_node: patched",
                *_LOOK,
                "delete_pod: armed",
                "delete_pod: processes_ended",
                *_CLOUD_LOGS,
                *_TELL,
            ),
            writes=(*_INSERTS, *_ISOLATES, *_PATCHES, "patch nodes", "patch pods", "delete pods"),
            fate="deleted",
        ),
        _about_pod(
            notifications.ADDED_BINARY,
            _pod_of(pods, "shop", "web"),
            now,
            reason="done",
            steps=(*_LABEL, *_ISOLATE, *_KEEP_ALL, *_LOOK, *_TELL),
            writes=(*_PATCHES, *_ISOLATES, _INSERT),
            fate="isolated",
        ),
        _about_pod(
            notifications.COMPILER,
            _pod_of(pods, "shop", "orders"),
            now,
            about=f"{notifications.COMPILER.description} In dry run: evidence is kept, changes are rehearsed.",
            reason="dry_run",
            steps=(*_REHEARSED, *_KEEP_ALL, *_TELL),
            writes=_PATCHES,
        ),
        _container_escape(now),
    )


def _container_escape(now: datetime) -> Delivery:
    detection = notifications.CONTAINER_ESCAPE
    return Delivery(
        title=detection.category,
        about=f"{detection.description} What would be felt by its users waits for a person.",
        target="Cloud Run service checkout",
        severity=detection.severity,
        data=_encoded(about_service(detection, now)),
        listed=True,
        reason="waiting_for_approval",
        steps=(*_KEEP, *_CLOUD_LOGS, *_ASKED, *_TELL),
    )


def _about_pod(detection: Detection, pod: Mapping[str, Any], now: datetime, **expected: Any) -> Delivery:
    words = {"title": detection.category, "about": detection.description}
    return Delivery(
        **{**words, **expected},
        target=f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
        severity=detection.severity,
        data=_encoded(about_pod(detection, pod, now)),
        listed=True,
    )


def _copy(first: Delivery, title: str, about: str, reason: str, document: ApiObject | None = None) -> Delivery:
    data = _encoded(document) if document else first.data
    return Delivery(title=title, about=about, target=first.target, data=data, reason=reason)


def _encoded(document: ApiObject) -> bytes:
    return json.dumps(document).encode()


def _pod_of(pods: Sequence[Mapping[str, Any]], namespace: str, app: str) -> Mapping[str, Any]:
    """The first pod of that workload."""
    named = (pod for pod in pods if pod["metadata"]["namespace"] == namespace)
    return next(pod for pod in named if pod["metadata"]["labels"]["app"] == app)


def _lets_out(app: str) -> ApiObject:
    return {
        "apiVersion": "networking.gke.io/v1alpha1",
        "kind": "FQDNNetworkPolicy",
        "metadata": {"name": LETS_OUT, "namespace": "shop"},
        "spec": {
            "podSelector": {"matchLabels": {"app": app}},
            "egress": [{"matches": [{"pattern": "*.example.com"}]}],
        },
    }


def _node(name: str, instance_id: str) -> ApiObject:
    metadata = {
        "name": name,
        "labels": {"cloud.google.com/gke-nodepool": "pool-1", "topology.kubernetes.io/zone": notifications.ZONE},
        "annotations": {"container.googleapis.com/instance_id": instance_id},
    }
    provider_id = f"gce://example-project/{notifications.ZONE}/{name}"
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {"providerID": provider_id}}


def _workload(kind: str, name: str, namespace: str, image: str, **fields: Any) -> ApiObject:
    labels = {"app": name}
    spec = {"containers": [{"name": "app", "image": image}], "terminationGracePeriodSeconds": 30}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {**fields, "selector": {"matchLabels": labels}, "template": template},
    }
