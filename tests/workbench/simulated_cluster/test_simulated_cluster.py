"""The simulated cluster by itself: what the demo needs of it beyond the contract, and how it takes nonsense."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.kubernetes import api_paths
from scc_responder.workbench.simulated_cluster.controllers import digest_of
from scc_responder.workbench.simulated_cluster.server.objects import Objects, kubernetes_time
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RESOURCES, RequestTarget, target_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.cluster.client import ClusterClient, collection_path, object_path
from tests.cluster.polling import wait_until

NODE = "gke-shop-default-pool-1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with a namespace and a node, whose pods stop at once."""
    with SimulatedCluster(stop_seconds=0) as running:
        running.create(objects.namespace("shop"))
        running.create(objects.node(NODE))
        yield running


@pytest.fixture
def admin(cluster: SimulatedCluster) -> ClusterClient:
    """Somebody who may do everything."""
    return ClusterClient(cluster.url, None, cluster.token("admin"))


def test_pods_run_at_once(cluster: SimulatedCluster) -> None:
    """A workload's pods run as soon as it is created, on a node, with an image digest."""
    cluster.create(objects.deployment("web", "shop", NODE, replicas=3))
    pods = cluster.objects("Pod", "shop")
    assert [pod["status"]["phase"] for pod in pods] == ["Running"] * 3
    assert {pod["status"]["containerStatuses"][0]["imageID"] for pod in pods} == {digest_of(objects.IMAGE)}
    assert {pod["metadata"]["labels"]["app"] for pod in pods} == {"web"}


def test_pods_find_a_node(cluster: SimulatedCluster) -> None:
    """A pod that names no node gets one that may be used; where there is none, it waits."""
    pod = objects.pod("web-1", "shop", NODE)
    del pod["spec"]["nodeName"]
    assert cluster.create(pod)["spec"]["nodeName"] == NODE
    cordoned = objects.node("gke-shop-default-pool-2")
    with SimulatedCluster() as other:
        other.create(objects.namespace("shop"))
        other.create({**cordoned, "spec": {"unschedulable": True}})
        assert other.create(pod)["status"] == {"phase": "Pending"}


def test_a_jobs_pod_comes_back(cluster: SimulatedCluster, admin: ClusterClient) -> None:
    """A Job's pod comes back, and a CronJob makes none by itself."""
    cluster.create(objects.job("batch", "shop", NODE))
    cron = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "shop"}}
    assert cluster.create(cron)["metadata"]["name"] == "nightly"
    (old,) = cluster.objects("Pod")
    admin.delete(object_path(old), {"gracePeriodSeconds": 0})
    (new,) = cluster.objects("Pod")
    assert new["metadata"]["uid"] != old["metadata"]["uid"]


def test_waiting_pod_is_deleted_at_once() -> None:
    """A pod that runs nowhere has nothing to stop."""
    pod = objects.pod("web-1", "shop", NODE)
    del pod["spec"]["nodeName"]
    with SimulatedCluster(stop_seconds=60) as cluster:
        cluster.create(objects.namespace("shop"))
        waiting = cluster.create(pod)
        answer = ClusterClient(cluster.url, None, cluster.token("admin")).delete(object_path(waiting), {})
        assert (answer["metadata"]["uid"], cluster.objects("Pod")) == (waiting["metadata"]["uid"], [])


def test_stopping_takes_its_time(cluster: SimulatedCluster) -> None:
    """A running pod is terminating until its kubelet has stopped it."""
    with SimulatedCluster(stop_seconds=60) as slow:
        slow.create(objects.namespace("shop"))
        running = slow.create(objects.pod("web-1", "shop", NODE))
        ClusterClient(slow.url, None, slow.token("admin")).delete(object_path(running), {})
        assert ["deletionTimestamp" in pod["metadata"] for pod in slow.objects("Pod")] == [True]


def test_finalizer_outlives_the_kubelet(cluster: SimulatedCluster, admin: ClusterClient) -> None:
    """A stopped pod stays as long as a finalizer keeps it."""
    held = cluster.create(objects.held_pod("web-1", "shop", NODE))
    admin.delete(object_path(held), {})
    assert [pod["metadata"]["finalizers"] for pod in cluster.objects("Pod")] == [[objects.FINALIZER]]
    objects.release(admin, object_path(held))
    assert cluster.objects("Pod") == []


@pytest.mark.parametrize("kind", ["NetworkPolicy", "Deployment"])
def test_other_kinds_are_deleted_at_once(cluster: SimulatedCluster, admin: ClusterClient, kind: str) -> None:
    """Only pods take time to stop; of other kinds the answer is a Status."""
    manifests = {
        "Deployment": objects.deployment("web", "shop", NODE, replicas=0),
        "NetworkPolicy": {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"podSelector": {}},
        },
    }
    created = cluster.create(manifests[kind])
    answer = admin.delete(object_path(created), {"preconditions": {"uid": created["metadata"]["uid"]}})
    assert (answer["kind"], answer["status"], answer["details"]["uid"]) == (
        "Status",
        "Success",
        created["metadata"]["uid"],
    )
    assert cluster.objects(kind) == []


def test_a_generated_name_gets_five_letters(admin: ClusterClient, cluster: SimulatedCluster) -> None:
    """A `generateName` gets five letters more."""
    pod = objects.pod("x", "shop", NODE)
    del pod["metadata"]["name"]
    created = admin.request(
        "POST", collection_path(pod), {**pod, "metadata": {**pod["metadata"], "generateName": "web-"}}
    )
    assert len(created["metadata"]["name"]) == len("web-") + 5


def test_the_clusters_time_is_the_clocks() -> None:
    """The cluster's time is the clock's."""
    moment = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
    with SimulatedCluster(clock=lambda: moment) as cluster:
        created = cluster.create(objects.namespace("shop"))
    assert created["metadata"]["creationTimestamp"] == "2026-11-03T10:00:00Z"


def test_fixtures_are_checked(cluster: SimulatedCluster) -> None:
    """Not even a fixture can be what no cluster would store."""
    with pytest.raises(Refusal, match="already exists"):
        cluster.create(objects.namespace("shop"))
    with pytest.raises(Refusal, match="is invalid"):
        cluster.create(objects.namespace("Shop!"))


@pytest.mark.parametrize(
    ("method", "path", "options", "code"),
    [
        ("GET", "/", {}, 404),
        ("GET", "/api/v1/secrets", {}, 404),
        ("GET", "/api/v1/namespaces/shop/secrets/token", {}, 404),
        ("GET", "/api/v1/pods/web-1", {}, 404),
        ("POST", "/api/v1/pods", {"body": {}}, 405),
        ("POST", "/api/v1/namespaces/shop/pods/web-1", {"body": {}}, 405),
        ("PATCH", "/api/v1/namespaces/shop/pods/web-1/eviction", {"body": {}}, 405),
        ("POST", "/api/v1/namespaces/shop/pods/web-1/eviction", {"body": {}}, 400),
        ("GET", "/api/v1/namespaces/shop/nodes/n", {}, 404),
        ("GET", "/api/v1/namespaces/shop/pods/web-1/log", {}, 404),
        ("PUT", "/api/v1/nodes/" + NODE, {"body": {}}, 405),
        ("DELETE", "/api/v1/namespaces/shop/pods", {}, 405),
        ("PATCH", "/api/v1/nodes/" + NODE, {"body": {}, "content_type": "application/json-patch+json"}, 415),
        ("PATCH", "/api/v1/nodes/" + NODE, {"body": [], "content_type": "application/merge-patch+json"}, 400),
        (
            "PATCH",
            "/api/v1/nodes/" + NODE,
            {"body": {"metadata": None}, "content_type": "application/merge-patch+json"},
            400,
        ),
        ("POST", "/api/v1/namespaces", {"body": {"apiVersion": "v1", "kind": "Namespace"}}, 400),
        ("POST", "/api/v1/namespaces", {"body": {}, "dryRun": "Some"}, 400),
        (
            "POST",
            "/api/v1/namespaces/shop/pods",
            {"body": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "other"}}},
            400,
        ),
    ],
)
def test_nonsense_gets_a_status_answer(
    admin: ClusterClient, method: str, path: str, options: dict[str, Any], code: int
) -> None:
    """What makes no sense is answered with a Status, as the API server does, and the next request is served."""
    answer = admin.send(method, path, **options)
    assert (answer.status, answer.body["kind"], answer.body["code"]) == (code, "Status", code)
    assert admin.get("/api/v1/namespaces/shop")["kind"] == "Namespace"


def test_an_oversize_body_is_refused_unread(admin: ClusterClient) -> None:
    """A body larger than the API server takes is refused unread."""
    answer = admin.send("POST", "/api/v1/namespaces", {"x": "x" * 3 * 1024 * 1024})
    assert answer.status == 413


def test_audit_has_the_refused(cluster: SimulatedCluster) -> None:
    """A request of nobody stands in the audit log too, and so does one that is no JSON."""
    nobody = ClusterClient(cluster.url, None, "stolen")
    assert nobody.send("GET", api_paths.pod("shop", "web-1")).status == 401
    event = cluster.audit[-1]
    assert (event.user, event.verb, event.name, event.code) == ("", "get", "web-1", 401)


def test_token_is_of_one_cluster(cluster: SimulatedCluster) -> None:
    """A token stays the same while the cluster runs, and is good for no other."""
    with SimulatedCluster() as other:
        assert cluster.token("responder") == cluster.token("responder")
        assert cluster.token("responder") not in {cluster.token("reader"), other.token("responder")}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.kind)
def test_paths_of_all_kinds(resource: Any) -> None:
    """The path of every kind means that kind."""
    metadata = {"name": "a", **({"namespace": "shop"} if resource.namespaced else {})}
    path = object_path({"apiVersion": resource.api_version, "kind": resource.kind, "metadata": metadata})
    assert target_of(path) == RequestTarget(resource=resource, namespace=metadata.get("namespace", ""), name="a")


def _merged(stored: Any, patch: Any) -> Any:
    """RFC 7386, word by word."""
    if not isinstance(patch, dict):
        return patch
    target = dict(stored) if isinstance(stored, dict) else {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _merged(target.get(name), value)
    return target


@given(before=DOCUMENTS, patch=DOCUMENTS)
def test_a_merge_patch_follows_rfc_7386(before: dict[str, Any], patch: dict[str, Any]) -> None:
    """A patch of any shape does what RFC 7386 says; in a dry run it does so to the answer alone."""
    stored = Objects()
    target = RequestTarget(resource=BY_KIND["Node"])
    created = stored.create(target, {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "spec": before})
    wanted = _merged(before, patch)
    assert stored.patch(target.named("n"), {"spec": patch}, dry_run=True).get("spec") == wanted
    assert stored.get(target.named("n")) == created
    assert stored.patch(target.named("n"), {"spec": patch}).get("spec") == wanted
    changed = stored.get(target.named("n"))["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]
    assert changed == (wanted != before)


def test_timestamps_are_whole_seconds() -> None:
    """Times are whole seconds in UTC."""
    assert kubernetes_time(datetime(2026, 11, 3, 10, 0, 0, 999999, tzinfo=UTC)) == "2026-11-03T10:00:00Z"


def test_a_kind_on_request_is_served_once_installed(cluster: SimulatedCluster, admin: ClusterClient) -> None:
    """Before, its paths mean nothing; the list of groups says which are there, to anybody with a token."""
    path = "/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies"
    before = admin.send("GET", path).status
    cluster.serve("CiliumNetworkPolicy")
    reader = ClusterClient(cluster.url, None, cluster.token("reader"))
    groups = {group["name"] for group in reader.request("GET", "/apis")["groups"]}
    assert (before, admin.send("GET", path).status, "cilium.io" in groups) == (404, 200, True)


def test_a_client_that_resets_its_connection_is_no_error(
    cluster: SimulatedCluster, capfd: pytest.CaptureFixture[str]
) -> None:
    """It may have read enough: nothing is printed, and the server goes on."""
    address = urlsplit(cluster.url)
    before = threading.active_count()
    for _ in range(5):
        with socket.create_connection((address.hostname, address.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.send(b"GET")
    wait_until(lambda: threading.active_count() <= before, what="the server's threads to end")
    assert capfd.readouterr().err == ""
