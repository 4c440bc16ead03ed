"""The test cluster keeps the promises that other tests build on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import objects
from tests.cluster.client import MERGE_PATCH
from tests.cluster.control_plane import ControlPlane
from tests.cluster.polling import wait_until

Object = dict[str, Any]
OTHER_UID = "00000000-0000-0000-0000-000000000000"


def node_name(node: Object) -> str:
    return str(node["metadata"]["name"])


@pytest.mark.parametrize(
    ("identity", "method", "path", "expected"),
    [
        ("responder", "GET", "/api/v1/namespaces/{ns}/pods/none", 404),
        ("responder", "DELETE", "/api/v1/namespaces/{ns}/pods/none", 404),
        ("responder", "GET", "/api/v1/namespaces/{ns}/events", 200),
        ("responder", "GET", "/api/v1/nodes/none", 404),
        ("responder", "GET", "/api/v1/namespaces/{ns}", 200),
        ("responder", "GET", "/apis/apps/v1/namespaces/{ns}/replicasets/none", 404),
        ("responder", "GET", "/apis/apps/v1/namespaces/{ns}/deployments/none", 404),
        ("responder", "GET", "/apis/apps/v1/namespaces/{ns}/statefulsets/none", 404),
        ("responder", "GET", "/apis/apps/v1/namespaces/{ns}/daemonsets/none", 404),
        ("responder", "GET", "/apis/batch/v1/namespaces/{ns}/jobs/none", 404),
        ("responder", "GET", "/apis/batch/v1/namespaces/{ns}/cronjobs/none", 404),
        ("responder", "GET", "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies", 200),
        ("responder", "GET", "/api/v1/namespaces/{ns}/services", 403),
        ("responder", "GET", "/api/v1/namespaces/{ns}/secrets/none", 403),
        ("responder", "GET", "/api/v1/nodes", 200),
        ("responder", "GET", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets", 200),
        ("responder", "GET", "/apis/policy/v1/namespaces/{ns}/poddisruptionbudgets/none", 403),
        ("responder", "DELETE", "/api/v1/nodes/none", 403),
        ("responder", "DELETE", "/api/v1/namespaces/{ns}/pods", 403),
        ("responder", "DELETE", "/apis/networking.k8s.io/v1/namespaces/{ns}/networkpolicies/none", 403),
        ("responder", "PATCH", "/apis/apps/v1/namespaces/{ns}/deployments/none", 403),
        ("reader", "GET", "/api/v1/namespaces/{ns}/pods/none", 404),
        ("reader", "DELETE", "/api/v1/namespaces/{ns}/pods/none", 403),
        ("powerless", "GET", "/api/v1/namespaces/{ns}", 403),
    ],
)
def test_each_identity_may_do_what_its_role_says_and_nothing_else(
    control_plane: ControlPlane, namespace: str, *, identity: str, method: str, path: str, expected: int
) -> None:
    """A permission the responder lacks in production is lacking here too."""
    body: Object | None = {} if method == "PATCH" else None
    target = path.format(ns=namespace)
    answer = control_plane.client(identity).send(method, target, body, content_type=MERGE_PATCH)
    assert expected == answer.status, answer.body


def test_a_token_that_is_not_known_is_refused(control_plane: ControlPlane) -> None:
    """The server authenticates: 401 is what a caller with an expired token sees."""
    client = control_plane.client("powerless")
    answer = client.send("GET", "/api/v1/nodes", headers={"Authorization": "Bearer expired"})
    assert answer.status == 401


def test_the_audit_log_shows_requests_with_both_bodies_as_soon_as_they_are_answered(
    control_plane: ControlPlane, namespace: str, node: Object
) -> None:
    """What reached the server, from whom and with what result is known from the server itself."""
    pod = objects.create_running(control_plane.admin, objects.pod("web-1", namespace, node_name(node)))
    start = datetime.now(UTC)
    path = f"/api/v1/namespaces/{namespace}/pods/web-1"
    patch = {"metadata": {"labels": {"scc-responder/case": "c1"}, "uid": pod["metadata"]["uid"]}}
    responder = control_plane.client("responder")
    responder.patch(path, patch)
    responder.send("PATCH", path, patch, content_type=MERGE_PATCH, dryRun="All")
    responder.send("GET", f"/api/v1/namespaces/{namespace}/secrets/none")

    said = control_plane.audit(since=start, namespace=namespace)
    patched, rehearsed, refused = (event for event in said if event.namespace)  # what is in none may be another test's

    seen = (patched.verb, patched.resource, patched.name, patched.code, patched.dry_run)
    assert seen == ("patch", "pods", "web-1", 200, False)
    assert patched.user == "scc-responder@example-project.iam.gserviceaccount.com"
    assert patched.request == patch
    assert patched.response is not None
    assert patched.response["metadata"]["labels"]["scc-responder/case"] == "c1"
    assert start <= patched.received <= patched.completed <= datetime.now(UTC)
    assert str(rehearsed) == f"patch pods {namespace}/web-1 200 (dry run)"
    assert str(refused) == f"get secrets {namespace}/none 403"


def test_the_audit_log_is_one_for_readers_side_by_side(control_plane: ControlPlane) -> None:
    """Each finds its own request there, however many read at once."""
    client = control_plane.client("responder")

    def found(number: int) -> int:
        start = datetime.now(UTC)
        client.send("GET", f"/api/v1/namespaces/readers-{number}/pods")
        return len(control_plane.audit(since=start, namespace=f"readers-{number}"))

    with ThreadPoolExecutor(8) as pool:
        assert [*pool.map(found, range(64))] == [1] * 64


def test_the_audit_log_tells_identities_apart(control_plane: ControlPlane, namespace: str) -> None:
    """The responder's requests are never mixed with those of the fixtures."""
    control_plane.client("powerless").send("GET", f"/api/v1/namespaces/{namespace}")
    seen = {
        user: [f"{event.verb} {event.code}" for event in control_plane.audit(user=user) if event.namespace == namespace]
        for user in ("powerless", "admin", "responder")
    }
    assert seen["powerless"] == ["get 403"]
    assert "get 200" in seen["admin"]
    assert "get 403" not in seen["admin"]
    assert seen["responder"] == []


def test_a_pod_runs_and_reports_what_a_kubelet_reports(
    control_plane: ControlPlane, namespace: str, node: Object
) -> None:
    """Image digest, container id and start time are there to prove a pod's identity with."""
    pod = objects.create_running(control_plane.admin, objects.pod("web-1", namespace, node_name(node)))
    (container,) = pod["status"]["containerStatuses"]
    assert container["imageID"].startswith("registry.example.com/shop/web@sha256:")
    assert container["containerID"].startswith("containerd://")
    started = datetime.fromisoformat(container["state"]["running"]["startedAt"])
    assert started >= datetime.fromisoformat(pod["metadata"]["creationTimestamp"])


@pytest.mark.parametrize(
    ("image", "digest"),
    [
        ("web", "web@sha256:"),
        ("registry.example.com:5000/shop/web:1.4.2", "registry.example.com:5000/shop/web@sha256:"),
        ("registry.example.com/web@sha256:" + "a" * 64, "registry.example.com/web@sha256:" + "a" * 64),
    ],
    ids=["no tag", "registry with a port", "digest"],
)
def test_the_reported_digest_belongs_to_the_image(
    control_plane: ControlPlane, namespace: str, node: Object, image: str, digest: str
) -> None:
    """Whatever way an image is named, its `imageID` names the same repository."""
    pod = objects.create_running(control_plane.admin, objects.pod("web-1", namespace, node_name(node), image=image))
    assert pod["status"]["containerStatuses"][0]["imageID"].startswith(digest)


def test_a_test_may_say_what_the_kubelet_reports(control_plane: ControlPlane, namespace: str, node: Object) -> None:
    """A container restarted by its kubelet can be played."""
    pod = objects.create_running(control_plane.admin, objects.pod("web-1", namespace, node_name(node)))
    state = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
    changed = objects.set_container_status(control_plane.admin, pod, restartCount=1, state=state)
    assert changed["status"]["containerStatuses"][0]["restartCount"] == 1
    assert changed["status"]["containerStatuses"][0]["state"] == state


def test_a_deleted_deployment_pod_is_replaced(control_plane: ControlPlane, namespace: str, node: Object) -> None:
    """Controllers run: a deleted pod comes back under another name."""
    control_plane.admin.create(objects.deployment("web", namespace, node_name(node), replicas=2))
    first, second = objects.running_pods(control_plane.admin, namespace, "web", count=2)
    control_plane.admin.delete(f"/api/v1/namespaces/{namespace}/pods/{first['metadata']['name']}")

    def replaced() -> bool:
        names = {
            pod["metadata"]["name"] for pod in objects.running_pods(control_plane.admin, namespace, "web", count=2)
        }
        return first["metadata"]["name"] not in names and second["metadata"]["name"] in names

    wait_until(replaced, what="another pod in the place of the deleted one")


def test_a_stateful_set_pod_comes_back_under_its_own_name_with_another_uid(
    control_plane: ControlPlane, namespace: str, node: Object
) -> None:
    """The trap that UID preconditions are for."""
    control_plane.admin.create(objects.stateful_set("db", namespace, node_name(node)))
    (first,) = objects.running_pods(control_plane.admin, namespace, "db")
    control_plane.admin.delete(f"/api/v1/namespaces/{namespace}/pods/db-0")

    def replaced() -> bool:
        (pod,) = objects.running_pods(control_plane.admin, namespace, "db")
        return bool(pod["metadata"]["name"] == "db-0" and pod["metadata"]["uid"] != first["metadata"]["uid"])

    wait_until(replaced, what="db-0 to come back")


@pytest.mark.parametrize("make", [objects.daemon_set, objects.job], ids=["DaemonSet", "Job"])
def test_other_workloads_run_their_pod_on_the_node_they_name(
    control_plane: ControlPlane, namespace: str, node: Object, make: Any
) -> None:
    """Every owner kind that the responder knows can be played."""
    manifest = control_plane.admin.create(make("agent", namespace, node_name(node)))
    (pod,) = objects.running_pods(control_plane.admin, namespace, "agent")
    assert pod["spec"]["nodeName"] == node_name(node)
    assert pod["metadata"]["ownerReferences"][0]["uid"] == manifest["metadata"]["uid"]


def test_a_mirror_pod_can_be_made(control_plane: ControlPlane, namespace: str, node: Object) -> None:
    """Static pods look as their kubelet shows them."""
    manifest = objects.mirror_pod("proxy", namespace, node["metadata"]["uid"], node_name(node))
    pod = objects.create_running(control_plane.admin, manifest)
    assert "kubernetes.io/config.mirror" in pod["metadata"]["annotations"]
    assert pod["metadata"]["ownerReferences"][0]["kind"] == "Node"


@pytest.mark.parametrize(
    "extra",
    [{"finalizers": [objects.FINALIZER]}, {"annotations": objects.SLOW_TO_STOP}],
    ids=["finalizer", "grace period"],
)
def test_a_pod_that_something_keeps_stays_terminating(
    control_plane: ControlPlane, namespace: str, node: Object, extra: Object
) -> None:
    """A deletion that the server accepted is not yet a pod that is gone."""
    objects.create_running(control_plane.admin, objects.pod("held", namespace, node_name(node), **extra))
    objects.create_running(control_plane.admin, objects.pod("free", namespace, node_name(node)))
    path = f"/api/v1/namespaces/{namespace}/pods"
    for name in ("held", "free"):
        control_plane.admin.delete(f"{path}/{name}")
    wait_until(lambda: control_plane.admin.send("GET", f"{path}/free").status == 404, what="the other pod to be gone")
    assert "deletionTimestamp" in control_plane.admin.get(f"{path}/held")["metadata"]

    objects.release(control_plane.admin, f"{path}/held")
    control_plane.admin.send("DELETE", f"{path}/held", {"gracePeriodSeconds": 0})
    wait_until(lambda: control_plane.admin.send("GET", f"{path}/held").status == 404, what="the pod to be gone")


def test_a_delete_with_another_uid_is_a_conflict(control_plane: ControlPlane, namespace: str, node: Object) -> None:
    """The fence that keeps the responder from deleting a pod's successor."""
    objects.create_running(control_plane.admin, objects.pod("web-1", namespace, node_name(node)))
    options = {"preconditions": {"uid": OTHER_UID}}
    path = f"/api/v1/namespaces/{namespace}/pods/web-1"
    answer = control_plane.client("responder").send("DELETE", path, options)
    assert (answer.status, answer.body["reason"]) == (409, "Conflict")
    assert objects.is_running(control_plane.admin.get(path))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"uid": OTHER_UID}, (422, "Invalid")),
        ({"resourceVersion": "1"}, (409, "Conflict")),
        ({"uid": OTHER_UID, "resourceVersion": "1"}, (409, "Conflict")),
    ],
    ids=["uid", "resource version", "both"],
)
@pytest.mark.parametrize("kind", ["Pod", "Node"])
def test_a_merge_patch_with_another_uid_or_resource_version_is_refused(
    control_plane: ControlPlane,
    namespace: str,
    node: Object,
    *,
    kind: str,
    condition: Object,
    expected: tuple[int, str],
) -> None:
    """The fence that keeps the responder from changing a successor. Another UID is invalid, not a conflict."""
    objects.create_running(control_plane.admin, objects.pod("web-1", namespace, node_name(node)))
    path = {"Pod": f"/api/v1/namespaces/{namespace}/pods/web-1", "Node": f"/api/v1/nodes/{node_name(node)}"}[kind]
    body = {"metadata": {**condition, "labels": {"scc-responder/case": "c1"}}}
    answer = control_plane.client("responder").send("PATCH", path, body, content_type=MERGE_PATCH)
    assert (answer.status, answer.body["reason"]) == expected, answer.body
    assert "scc-responder/case" not in control_plane.admin.get(path)["metadata"]["labels"]


def test_autopilots_warden_refuses_to_cordon_its_nodes_and_no_others(control_plane: ControlPlane, node: Object) -> None:
    """A cordon that GKE Autopilot would refuse is refused here, in Google's words; other nodes are left alone."""
    objects.start_warden(control_plane.admin)
    name = f"gk3-{node_name(node)}"
    control_plane.admin.create(objects.node(name, autopilot=True))
    responder = control_plane.client("responder")
    cordon = {"spec": {"unschedulable": True}}
    try:
        answer = objects.wait_refused(responder, f"/api/v1/nodes/{name}", cordon)
        responder.patch(f"/api/v1/nodes/{node_name(node)}", cordon)
        responder.patch(f"/api/v1/nodes/{name}", {"metadata": {"labels": {"scc-responder/case": "c1"}}})
    finally:
        control_plane.admin.delete(f"/api/v1/nodes/{name}")
    assert answer.status == 403
    assert "GKE Warden authz [denied by managed-namespaces-limitation]" in answer.body["message"]


def test_the_kubeconfig_names_a_context_for_each_identity(control_plane: ControlPlane) -> None:
    """`kubectl --context responder` acts with the responder's rights."""
    import yaml

    config = yaml.safe_load(Path(control_plane.kubeconfig).read_text())
    names = {item["name"] for item in config["contexts"]}
    assert names >= {"admin", "responder", "reader", "powerless"}
    tokens = {item["name"]: item["user"].get("token") for item in config["users"]}
    assert tokens["responder"] == control_plane.token("responder")
    assert control_plane.ca_pem.startswith("-----BEGIN CERTIFICATE-----")
