"""Pods that are special, on the real API server: its own admission, garbage collection and finalizers decide."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from tests.cluster import objects
from tests.cluster.client import object_path
from tests.cluster.control_plane import ControlPlane
from tests.e2e.scene import EACH_ONCE, Scene
from tests.kits.responder import Deployment, finding_about, policy, write_policies

DELETE = ("label_pod", "capture_evidence", "delete_pod {allow_standalone: true}", "notify")


def responder(tmp_path: Path, plane: ControlPlane, *steps: str) -> Deployment:
    """A responder with one enforcing policy of these steps, which really waits."""
    api = connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("responder"))
    made = Deployment(tmp_path, api, write_policies(tmp_path / "policies", policy(*steps)))
    made.services.wait = time.sleep
    return made


def about(pod: dict[str, Any]) -> dict[str, Any]:
    """A finding of its own about this pod."""
    return finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))


def test_an_autopilot_cordon_is_not_possible(tmp_path: Path, control_plane: ControlPlane, namespace: str) -> None:
    """A cordon that Autopilot's admission refuses ends as `not_possible_autopilot`, and the later steps go on."""
    objects.start_warden(control_plane.admin)
    node = objects.create_node(control_plane.admin, autopilot=True)["metadata"]["name"]
    objects.wait_refused(control_plane.client("responder"), f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}})
    control_plane.admin.create(objects.deployment("web", namespace, node, replicas=2))
    pod = objects.running_pods(control_plane.admin, namespace, "web", count=2)[0]
    made = responder(tmp_path, control_plane, "cordon_node", "capture_evidence", "delete_pod", "notify")
    document = about(pod)

    ending = made.respond_to(document)

    assert made.outcomes(document) == [
        "cordon_node: not_possible_autopilot",
        "capture_evidence: captured",
        "delete_pod: armed",
        "delete_pod: processes_ended",
        "notify: published",
    ]
    assert ending.reason == "not_possible_autopilot"


def test_a_finalizer_keeps_the_object_alone(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """A pod that a finalizer keeps ends as `processes_ended`, which is the containment, and says who keeps it."""
    manifest = objects.held_pod("web", namespace, node["metadata"]["name"])
    pod = objects.create_running(control_plane.admin, manifest)
    made = responder(tmp_path, control_plane, *DELETE)
    document = about(pod)

    ending = made.respond_to(document)

    deletion = made.case(document).steps[-2]
    objects.release(control_plane.admin, object_path(pod))
    assert (ending.reason, str(made.case(document).state)) == ("done", "done")
    assert (deletion.reason, deletion.detail) == ("processes_ended", f"kept by {objects.FINALIZER}")


def test_a_pod_that_runs_on_is_awaited(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """A pod that does not end within 4 s leaves the case open: an object that goes is not a process that ended."""
    name = node["metadata"]["name"]
    pod = objects.create_running(
        control_plane.admin, objects.pod("web", namespace, name, annotations=objects.SLOW_TO_STOP)
    )
    made = responder(tmp_path, control_plane, *DELETE)
    document = about(pod)

    assert made.respond_to(document).reason == "deletion_awaited"
    assert str(made.case(document).state) == "open"


def test_a_mirror_pod_is_never_deleted(
    tmp_path: Path, control_plane: ControlPlane, node: dict[str, Any], namespace: str
) -> None:
    """A static pod's mirror is never deleted, whatever a policy allows."""
    meta = node["metadata"]
    pod = objects.create_running(control_plane.admin, objects.mirror_pod("etcd", namespace, meta["uid"], meta["name"]))
    made = responder(
        tmp_path, control_plane, "capture_evidence", "delete_pod {allow_standalone: true, allow_daemonset: true}"
    )
    document = about(pod)

    made.respond_to(document)

    assert "delete_pod: pod_static" in made.outcomes(document)


def test_a_daemon_set_pod_is_held(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """A DaemonSet's pod comes back at once on the same node: it is held unless the policy says otherwise."""
    control_plane.admin.create(objects.daemon_set("agent", namespace, node["metadata"]["name"]))
    pod = objects.running_pods(control_plane.admin, namespace, "agent")[0]
    made = responder(tmp_path, control_plane, "capture_evidence", "delete_pod")
    document = about(pod)

    made.respond_to(document)

    assert "delete_pod: pod_daemonset" in made.outcomes(document)


def test_replaced_stateful_pod(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """A StatefulSet's pod that was replaced under its name is left alone, and so is its node."""
    control_plane.admin.create(objects.stateful_set("db", namespace, node["metadata"]["name"]))
    old = objects.running_pods(control_plane.admin, namespace, "db")[0]
    document = finding_about(old, event_time="2026-01-01T00:00:00Z")
    made = responder(
        tmp_path, control_plane, "label_pod", "isolate_pod", "cordon_node", "capture_evidence", "delete_pod"
    )

    made.respond_to(document)

    writes = [e for e in control_plane.audit(namespace=namespace) if e.verb in {"patch", "create", "delete"}]
    assert [event for event in writes if event.namespace == namespace] == []
    assert set(made.outcomes(document)) >= {"isolate_pod: pod_replaced", "cordon_node: pod_replaced"}


@pytest.mark.timeout(120)
def test_two_at_once(tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]) -> None:
    """Of two processes that get one message at once, one acts; the other asks for it again, or finds it done."""
    scene = Scene(control_plane, namespace, node["metadata"]["name"], tmp_path / "scene")

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(lambda _: scene.deliver(), range(2)))

    assert sorted(statuses) in ([204, 204], [204, 503])
    assert scene.writes() == EACH_ONCE
