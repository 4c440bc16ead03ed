"""Pods on the real node that the product contains: what it said, beside what was true."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.domain.value import Value
from tests.cluster import objects
from tests.cluster.client import object_path
from tests.cluster.polling import wait_until
from tests.kits.responder import Deployment, finding_about, policy, write_policies
from tests.node import images, launch
from tests.node.real_node import Node
from tests.node.truth import Ends, PodWatch, container_processes, now

WATCHED_SECONDS = 5.0
"""How long a pod is looked at after the product's last word."""


START_SECONDS = 90.0
ENFORCED_WITHIN = 1000
"""Milliseconds that a policy engine may take to make a policy that the API server holds a rule of the node."""


class Situation(Value, frozen=True, kw_only=True):
    """One kind of pod, and the steps of the policy about it."""

    steps: tuple[str, ...]
    deaf: bool = False
    finalizer: bool = False
    service: bool = False


SITUATIONS = {
    "isolated": Situation(steps=("label_pod", "isolate_pod")),
    "detached": Situation(steps=("isolate_pod", "detach_pod"), service=True),
    "deleted": Situation(steps=("capture_evidence", "delete_pod {grace_period_seconds: 2}")),
    "deleted, deaf to SIGTERM": Situation(
        steps=("capture_evidence", "delete_pod {grace_period_seconds: 2}"), deaf=True
    ),
    "deleted without grace": Situation(steps=("capture_evidence", "delete_pod {grace_period_seconds: 0}"), deaf=True),
    "kept by a finalizer": Situation(
        steps=("capture_evidence", "delete_pod {grace_period_seconds: 2}"), finalizer=True
    ),
}


class Said(Value, frozen=True, kw_only=True):
    """What the product said at the end of its delivery. `at`: milliseconds after the push."""

    at: int
    state: str
    reasons: tuple[str, ...]
    contained_seconds: float | None


class Truth(Value, frozen=True, kw_only=True):
    """What happened, in milliseconds after the push; None is never, as long as it was looked at (`until`).

    `sent_to`: a Service sends to the pod in the end.
    """

    last_new: int | None
    last_beat: int | None
    dead: int | None
    terminated: int | None
    gone: int | None
    until: int
    sent_to: bool = False


class Trial(Value, frozen=True, kw_only=True):
    """What was said of a pod, and what was true of it."""

    said: Said
    true: Truth

    @property
    def false_words(self) -> Sequence[str]:
        """The words that were false at the moment they were said."""
        said, true = self.said, self.true
        alive = true.dead is None or true.dead > said.at
        connected = alive and (true.last_beat or 0) > said.at
        told = {
            "`isolated`, yet new connections come": "isolated" in said.reasons
            and (true.last_new or 0) > said.at + ENFORCED_WITHIN,
            "`contained_seconds`, yet the process is connected": said.contained_seconds is not None and connected,
            "`severed`, yet heartbeats come": "severed" in said.reasons and connected,
            "`detached`, yet a Service sends to the pod": "detached" in said.reasons and true.sent_to,
            "`processes_ended`, yet the process lives": "processes_ended" in said.reasons and alive,
            "`deleted`, yet the process lives": "deleted" in said.reasons and alive,
            "`deleted`, yet the object is there": "deleted" in said.reasons and true.gone is None,
        }
        return [word for word, false in told.items() if false]


def play(node: Node, situation: Situation, folder: Path) -> Trial:
    """Make the pod, let the product answer a finding about it, and look at it until some time after that."""
    pod = infected_pod(node, situation)
    meta = pod["metadata"]
    ends = Ends(container_processes(meta["uid"]))
    assert ends.pids, "the threat's process is not in the process table"
    responder = _responder(node, situation, folder)
    document = finding_about(pod, finding_id=meta["uid"].replace("-", ""))
    responder.list_finding(document)
    with PodWatch(node.admin, node.plane.token("admin"), pod) as watch:
        pushed = now()
        responder.deliver(document)
        said = _said(responder, document, now() - pushed)
        time.sleep(WATCHED_SECONDS)
        true = _true(node, meta, pushed, ends, watch)
    if situation.finalizer:
        objects.release(node.admin, object_path(pod))
    node.admin.delete(f"/api/v1/namespaces/{meta['namespace']}")
    return Trial(said=said, true=true)


def _responder(node: Node, situation: Situation, folder: Path) -> Deployment:
    folder.mkdir(parents=True)
    plane = node.plane
    api = connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("responder"))
    made = Deployment(folder, api, write_policies(folder / "policies", policy(*situation.steps)))
    made.services.wait = time.sleep
    return made


def _said(responder: Deployment, document: dict[str, Any], at: int) -> Said:
    case = responder.case(document)
    return Said(
        at=at,
        state=str(case.state),
        reasons=tuple(str(step.reason) for step in case.steps),
        contained_seconds=responder.line.get("contained_seconds"),
    )


def _true(node: Node, meta: dict[str, Any], pushed: int, ends: Ends, watch: PodWatch) -> Truth:
    def after(moment: int | None) -> int | None:
        return None if moment is None else moment - pushed

    name = meta["name"]
    return Truth(
        last_new=after(max(node.outside.arrivals(name, "new"), default=None)),
        last_beat=after(max(node.outside.arrivals(name, "beat"), default=None)),
        dead=after(ends.last),
        terminated=after(watch.terminated),
        gone=after(watch.gone),
        until=now() - pushed,
        sent_to=name in sent_to(node, meta["namespace"]),
    )


def sent_to(node: Node, namespace: str) -> Sequence[str]:
    """The names of the pods that a Service of the namespace sends to."""
    slices = node.admin.list(f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices")
    endpoints = (endpoint for item in slices for endpoint in item["endpoints"] or ())
    return [endpoint["targetRef"]["name"] for endpoint in endpoints if endpoint["conditions"]["ready"]]


def infected_pod(node: Node, situation: Situation) -> dict[str, Any]:
    """One of a Deployment's two pods, once its heartbeat reaches the outside."""
    namespace = objects.create_namespace(node.admin)
    arguments = ["threat", launch.OUTSIDE, *(["deaf"] if situation.deaf else [])]
    container = {"name": "web", "image": images.WORKLOAD, "command": ["/workload"], "args": arguments}
    # A container that begins within a second of its pod proves no identity.
    first = {"name": "wait", "image": images.WORKLOAD, "command": ["/workload", "wait"]}
    spec = {"containers": [container], "initContainers": [first]}
    node.admin.create(objects.deployment("web", namespace, launch.NODE, replicas=2, **spec))
    pod = objects.running_pods(node.admin, namespace, "web", count=2, seconds=START_SECONDS)[0]
    name = pod["metadata"]["name"]
    if situation.service:
        spec_of_service = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": objects.metadata("web", namespace)}
        node.admin.create({**service, "spec": spec_of_service})
        wait_until(lambda: name in sent_to(node, namespace), what="the Service to have the pod", seconds=START_SECONDS)
    if situation.finalizer:
        path = f"/api/v1/namespaces/{namespace}/pods/{name}"
        pod = node.admin.patch(path, {"metadata": {"finalizers": [objects.FINALIZER]}})
    # Findings are about something that has run for a while.
    wait_until(lambda: len(node.outside.arrivals(name, "beat")) > 2_500 // 20, what="heartbeats", seconds=START_SECONDS)
    return {"apiVersion": "v1", "kind": "Pod", **pod}


def play_all(node: Node, folder: Path) -> dict[str, Trial]:
    """Every situation side by side, each in a namespace of its own."""
    with ThreadPoolExecutor(len(SITUATIONS)) as pool:
        running = {
            name: pool.submit(play, node, situation, folder / str(number))
            for number, (name, situation) in enumerate(SITUATIONS.items())
        }
        return {name: trial.result() for name, trial in running.items()}
