"""Pods on the real node, infected as a situation says."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scc_responder.domain.value import Value
from tests.cluster import objects
from tests.cluster.client import object_path
from tests.cluster.objects import Manifest
from tests.cluster.polling import wait_until
from tests.node import images, launch
from tests.node.real_node import Node
from tests.node.situations import Situation
from tests.node.truth import container_processes

START_SECONDS = 120.0
ADDED = "/tmp/kworkerd"
_MAKERS = {
    "Deployment": objects.deployment,
    "StatefulSet": objects.stateful_set,
    "DaemonSet": objects.daemon_set,
    "Job": objects.job,
}
_ENVIRONMENT = [
    {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "POD", "value": "$(NAMESPACE)/$(NAME)"},
]


class Infected(Value, frozen=True, kw_only=True):
    """A pod as it was when its threat was found, the machine's numbers of the threat's processes, and their program."""

    pod: Manifest
    pids: tuple[int, ...]
    sha256: str = ""
    size: int = 0

    @property
    def name(self) -> str:
        """What its heartbeats say."""
        return f"{self.pod['metadata']['namespace']}/{self.pod['metadata']['name']}"


def infected_pod(node: Node, situation: Situation) -> Infected:
    """One of a workload's pods, once its heartbeats reach the outside. Raises TimeoutError."""
    namespace = objects.create_namespace(node.admin, {"pod-security.kubernetes.io/enforce": situation.level})
    if situation.open:
        node.admin.create(_open_policy(namespace))
    node.admin.create(_service(namespace))
    node.admin.create(_workload(situation, namespace))
    pod = objects.running_pods(node.admin, namespace, "web", count=situation.replicas, seconds=START_SECONDS)[0]
    if situation.finalizer:
        path = object_path({"apiVersion": "v1", "kind": "Pod", **pod})
        pod = node.admin.patch(path, {"metadata": {"finalizers": [objects.FINALIZER]}})
    made = Infected(pod={"apiVersion": "v1", "kind": "Pod", **pod}, pids=())
    log = f"{object_path(made.pod)}/log"
    # A signal before that would end it.
    wait_until(lambda: "serving" in str(node.admin.send("GET", log, container="web").body), what="the service to serve")
    (service,) = wait_until(lambda: container_processes(pod["metadata"]["uid"], "server"), what="the service")
    os.kill(service, signal.SIGUSR1)
    wait_until(lambda: len(node.outside.arrivals(made.name, "beat")) > 25, what="heartbeats", seconds=START_SECONDS)
    wait_until(lambda: is_sent_to(node, made.pod), what="the Service to send to it", seconds=START_SECONDS)
    pids = tuple(container_processes(pod["metadata"]["uid"], ADDED))
    program = Path(f"/proc/{pids[0]}/exe").read_bytes()
    return Infected(pod=made.pod, pids=pids, sha256=hashlib.sha256(program).hexdigest(), size=len(program))


def _workload(situation: Situation, namespace: str) -> Manifest:
    replicas = {"replicas": situation.replicas} if situation.kind in {"Deployment", "StatefulSet"} else {}
    made = _MAKERS[situation.kind]("web", namespace, launch.NODE, **replicas, **_spec(situation))
    made["spec"] |= situation.owner_spec
    return made


def _spec(situation: Situation) -> dict[str, Any]:
    arguments = ["server", launch.OUTSIDE, *situation.threat]
    containers = [_container("web", arguments, env=_ENVIRONMENT)]
    if situation.sidecar:
        containers.append(_container("sidecar", ["idle"]))
    # A container that begins within a second of its pod proves no identity.
    return {"containers": containers, "initContainers": [_container("wait", ["wait"])], **situation.spec}


def _container(name: str, arguments: Sequence[str], **fields: Any) -> dict[str, Any]:
    return {"name": name, "image": images.WORKLOAD, "command": ["/workload"], "args": list(arguments), **fields}


def _service(namespace: str) -> Manifest:
    """What users reach the workload by."""
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": objects.metadata("web", namespace), "spec": spec}


def is_sent_to(node: Node, pod: Manifest) -> bool:
    """Whether users' requests still reach the pod by a Service."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{pod['metadata']['namespace']}/endpointslices"
    ready = (
        address
        for part in node.admin.list(path)
        for endpoint in part["endpoints"] or ()
        if endpoint["conditions"].get("ready")
        for address in endpoint["addresses"]
    )
    return pod["status"]["podIP"] in ready


def _open_policy(namespace: str) -> Manifest:
    """An older policy of somebody else's, which allows all that the pods send."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "allow-egress", "namespace": namespace},
        "spec": {"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]},
    }
