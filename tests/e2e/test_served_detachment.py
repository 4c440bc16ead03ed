"""Detachment and eviction on the real API server: its own controllers, admission, Services and budgets decide."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from tests.cluster import objects
from tests.cluster.client import object_path
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until
from tests.kits.responder import Deployment, finding_about, policy, write_policies

pytestmark = pytest.mark.timeout(180)


def responder(tmp_path: Path, plane: ControlPlane, *steps: str) -> Deployment:
    """A responder with one enforcing policy of these steps, which really waits."""
    api = connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("responder"))
    made = Deployment(tmp_path, api, write_policies(tmp_path / "policies", policy(*steps)))
    made.services.wait = time.sleep
    return made


def about(pod: dict[str, Any]) -> dict[str, Any]:
    """A finding of its own about this pod."""
    return finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))


def service(plane: ControlPlane, name: str, namespace: str, count: int, **selector: str) -> None:
    """A Service of these pods, once its slices have so many."""
    spec = {"selector": selector, "ports": [{"port": 80}]}
    metadata = objects.metadata(name, namespace)
    plane.admin.create({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})
    wait_until(lambda: len(sent_to(plane, name, namespace)) == count, what=f"{count} endpoints of {name}")


def sent_to(plane: ControlPlane, name: str, namespace: str) -> list[str]:
    """The names of the ready pods behind a Service."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    slices = plane.admin.list(path, labelSelector=f"kubernetes.io/service-name={name}")
    endpoints = (endpoint for item in slices for endpoint in item["endpoints"] or ())
    return [endpoint["targetRef"]["name"] for endpoint in endpoints if endpoint["conditions"]["ready"]]


@pytest.mark.parametrize("kind", ["deployment", "daemon_set"])
def test_a_pod_is_replaced_and_left_for_people(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any], kind: str
) -> None:
    """Its isolation names the Service; then it is out of that and of its workload, which made another, and runs on."""
    more = {"replicas": 2} if kind == "deployment" else {}
    control_plane.admin.create(getattr(objects, kind)("web", namespace, node["metadata"]["name"], **more))
    pod = objects.running_pods(control_plane.admin, namespace, "web", count=more.get("replicas", 1))[0]
    name, before = pod["metadata"]["name"], pod["metadata"]
    service(control_plane, "web", namespace, more.get("replicas", 1), app="web")
    made = responder(tmp_path, control_plane, "isolate_pod", "detach_pod", "notify")

    ending = made.respond_to(about(pod))

    steps = {step.reason: step.detail for step in made.case(about(pod)).steps}
    after = control_plane.admin.get(object_path({"apiVersion": "v1", "kind": "Pod", **pod}))
    assert (ending.reason, list(steps)) == ("done", ["patched", "isolated", "detached", "published"])
    assert "Services that still send to the pod: web" in steps["isolated"]
    assert steps["detached"].startswith("no controller has it; replaced by web-")
    kept = json.loads(after["metadata"]["annotations"]["scc-responder/detached"])
    assert kept.keys() == ({"app", "pod-template-hash"} if kind == "deployment" else {"app"})
    left = {key: value for key, value in before["labels"].items() if key not in kept}
    assert kept | left == before["labels"]
    assert after["metadata"]["labels"] == {**left, "scc-responder/isolated-pod": before["uid"]}
    assert (objects.is_running(after), after["metadata"].get("ownerReferences")) == (True, None)
    assert name not in sent_to(control_plane, "web", namespace)


def test_a_service_by_other_labels_is_no_success(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """It is named by the isolation and by the detachment, which ends as not effective."""
    manifest = objects.deployment("web", namespace, node["metadata"]["name"], replicas=2)
    manifest["spec"]["template"]["metadata"] = {"labels": {"app": "web", "tier": "front"}}
    control_plane.admin.create(manifest)
    pod = objects.running_pods(control_plane.admin, namespace, "web", count=2)[0]
    service(control_plane, "front", namespace, 2, tier="front")
    made = responder(tmp_path, control_plane, "isolate_pod", "detach_pod")

    made.respond_to(about(pod))

    (detached,) = (step for step in made.case(about(pod)).steps if step.action == "detach_pod")
    assert (str(detached.status), detached.reason) == ("not_effective", "still_sent_to")
    assert "Services that still send to the pod: front" in detached.detail


def test_a_claim_for_one_node_holds_it(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """A replacement could not have the volume as long as the pod stays."""
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = objects.metadata("data", namespace)
    control_plane.admin.create(
        {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": claim}
    )
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    control_plane.admin.create(
        objects.deployment("web", namespace, node["metadata"]["name"], replicas=2, volumes=volumes)
    )
    pod = objects.running_pods(control_plane.admin, namespace, "web", count=2)[0]
    made = responder(tmp_path, control_plane, "isolate_pod", "detach_pod")

    made.respond_to(about(pod))

    assert "detach_pod: volume_in_use" in made.outcomes(about(pod))


def test_a_budget_is_asked_again(
    tmp_path: Path, control_plane: ControlPlane, namespace: str, node: dict[str, Any]
) -> None:
    """It holds the eviction by its name, and the case stays open; once it allows one, the pod is evicted."""
    control_plane.admin.create(objects.deployment("web", namespace, node["metadata"]["name"], replicas=2))
    pod = objects.running_pods(control_plane.admin, namespace, "web", count=2)[0]
    budget = control_plane.admin.create(objects.disruption_budget("keeps-all", namespace, "web", minAvailable=2))
    path = object_path(budget)
    wait_until(lambda: control_plane.admin.get(path)["status"].get("currentHealthy") == 2, what="the budget's status")
    made = responder(tmp_path, control_plane, "capture_evidence", "evict_pod", "notify")
    document = about(pod)

    ending = made.respond_to(document)

    held = made.case(document).steps[2]
    assert (ending.status, str(made.case(document).state)) == (204, "open")
    assert (str(held.status), held.reason) == ("held", "budget_awaited")
    assert "The disruption budget keeps-all needs 2 healthy pods and has 2 currently" in held.detail

    control_plane.admin.patch(path, {"spec": {"minAvailable": 1}})
    wait_until(lambda: control_plane.admin.get(path)["status"]["disruptionsAllowed"] == 1, what="the budget to allow")
    made.deliver(document)

    assert [step.reason for step in made.case(document).steps if step.action == "evict_pod"] == [
        "armed",
        "processes_ended",
    ]
    assert str(made.case(document).state) == "done"
