"""A snapshot of a cluster tells decisions what the cluster would have told them, and nothing that they do not need."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.collect.asked_reads import GOOGLE_ACCOUNT
from scc_responder.collect.target import collect
from scc_responder.domain.context import Cluster, Context
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.finding import ClusterRef, Finding
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.cluster_snapshot import NoFindings, Snapshot, look_around, read_snapshot, take_snapshot
from scc_responder.workbench.explanation import ContextFacts, context_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.snapshot_file import (
    COLLECTIONS,
    EVERY_COLLECTION,
    SnapshotFile,
    collection_of,
    decode_snapshot,
    encode_snapshot,
    reduced,
)
from tests.cluster import objects
from tests.cluster.client import ClusterClient
from tests.kits.responder import CLUSTER, OneCluster, api_of, finding_about

REF = ClusterRef.parse(CLUSTER)
assert REF is not None
DESCRIBED = Cluster(ref=REF, autopilot=False, enforces_network_policy=True)
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
CANARY = "c4n4ry-that-must-not-leak"
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass
class Side:
    """An API server, simulated or real, with a namespace and a node."""

    admin: ClusterClient
    api: Any
    namespace: str
    node: str
    reader: Any = None


@pytest.fixture(params=["simulated", "real"])
def side(request: pytest.FixtureRequest) -> Iterator[Side]:
    """Each of the two."""
    if request.param == "real":
        plane = request.getfixturevalue("control_plane")
        node = request.getfixturevalue("node")["metadata"]["name"]
        namespace = request.getfixturevalue("namespace")
        api = connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("admin"))
        yield Side(plane.admin, api, namespace, node)
        return
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        yield simulated(cluster)


def simulated(cluster: SimulatedCluster) -> Side:
    """A simulated cluster, that has a namespace and a node."""
    admin = ClusterClient(cluster.url, None, cluster.token("admin"))
    return Side(admin, api_of(cluster, "admin"), "shop", "node-1", api_of(cluster, "reader"))


def silent(_name: str, _count: int) -> None:
    """No progress."""


def taken(api: Any, **options: Any) -> SnapshotFile:
    """A snapshot as it is read again from its file."""
    return decode_snapshot(
        encode_snapshot(take_snapshot(api, DESCRIBED, NOW, progress=silent, **options)), "snapshot.json"
    )


def leaky(kind: Callable[..., dict[str, Any]], name: str, side: Side) -> dict[str, Any]:
    """A workload, or pod, that carries a canary wherever people put secrets."""
    container = {
        "name": "web",
        "image": objects.IMAGE,
        "env": [{"name": "PASSWORD", "value": CANARY}],
        "command": [CANARY],
        "args": [f"--token={CANARY}"],
        "volumeMounts": [{"name": "data", "mountPath": f"/{CANARY}"}],
        "lifecycle": {"preStop": {"exec": {"command": [CANARY]}}},
    }
    made = kind(
        name,
        side.namespace,
        side.node,
        containers=[container],
        volumes=[{"name": "data", "hostPath": {"path": f"/{CANARY}"}}],
        terminationGracePeriodSeconds=0,
    )
    meta = made["metadata"]
    meta["annotations"] = {APPLIED: CANARY, "example.com/token": CANARY, "scc-responder/action-id": "a1"}
    return made


def plant(side: Side) -> None:
    """Objects of every kind that hold a canary, and those that are secrets altogether."""
    for kind in (objects.deployment, objects.stateful_set, objects.daemon_set, objects.job):
        side.admin.create(leaky(kind, kind.__name__.replace("_", "-"), side))
    side.admin.create(leaky(objects.pod, "alone", side))
    meta = {"namespace": side.namespace, "annotations": {APPLIED: CANARY}}
    ports = {"ingress": [{"from": [{"podSelector": {}}]}], "podSelector": {}, "policyTypes": ["Ingress"]}
    side.admin.create(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {**meta, "name": "n"},
            "spec": ports,
        }
    )
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "deployment"}}}
    side.admin.create(
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {**meta, "name": "b"}, "spec": budget}
    )
    acting = {**meta, "name": "acting", "annotations": {**meta["annotations"], GOOGLE_ACCOUNT: "web@example.com"}}
    keys = {"secrets": [{"name": CANARY}], "imagePullSecrets": [{"name": CANARY}]}
    side.admin.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": acting, **keys})


def mine(file: SnapshotFile, side: Side) -> dict[str, list[str]]:
    """The names of what the snapshot has of the side's namespace."""
    found = {
        name: [item["metadata"]["name"] for item in items if item["metadata"].get("namespace") == side.namespace]
        for name, items in file.objects.items()
    }
    return {name: names for name, names in found.items() if names}


def test_no_secret_is_in_the_file(side: Side) -> None:
    """No environment, argument, command, volume, foreign annotation or secret is in the file; all that is needed is."""
    plant(side)
    for app in ("deployment", "stateful-set", "daemon-set", "job"):
        objects.running_pods(side.admin, side.namespace, app)
    assert CANARY in json.dumps(side.admin.list(api_paths.pods(side.namespace)))
    file = taken(side.api, collections=EVERY_COLLECTION)
    content = encode_snapshot(file).decode()
    assert CANARY not in content
    assert not {"env", "command", "args", "volumes", "template", APPLIED, "secrets"} & set(content.split('"'))
    assert file.missing == {}
    assert mine(file, side).keys() == {
        *("pods", "replicasets", "deployments", "statefulsets", "daemonsets", "jobs"),
        *("poddisruptionbudgets", "networkpolicies", "serviceaccounts"),
    }
    account = next(one for one in file.objects["serviceaccounts"] if one["metadata"]["name"] == "acting")
    assert account["metadata"]["annotations"] == {GOOGLE_ACCOUNT: "web@example.com"}
    pod = next(pod for pod in file.objects["pods"] if pod["metadata"]["name"] == "alone")
    assert pod["metadata"]["annotations"] == {"scc-responder/action-id": "a1"}
    assert (
        next(b for b in file.objects["poddisruptionbudgets"] if b["metadata"]["name"] == "b")["spec"]["minAvailable"]
        == 1
    )


def test_service_accounts_on_demand(side: Side) -> None:
    """Who a pod is in Google Cloud is known by a snapshot that was asked for it, and else missing with the reason."""
    meta = {"name": "default", "namespace": side.namespace, "annotations": {GOOGLE_ACCOUNT: "web@example.com"}}
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}
    if not side.admin.list(f"/api/v1/namespaces/{side.namespace}/serviceaccounts"):
        side.admin.create(account)
    else:
        path = f"/api/v1/namespaces/{side.namespace}/serviceaccounts/default"
        side.admin.patch(path, {"metadata": {"annotations": meta["annotations"]}})
    finding = parse_notification(finding_about(_pod_of(objects.deployment, side)))
    without, with_them = (
        Snapshot(taken(side.api, collections=each)).facts(finding) for each in (COLLECTIONS, EVERY_COLLECTION)
    )
    assert (without.google_identity, without.missing["google_identity"]) == (None, "not_in_snapshot")
    assert with_them.google_identity == "web@example.com"


def test_annotations_on_demand(side: Side) -> None:
    """An annotation that a policy looks at is kept where it is asked for, by pattern."""
    side.admin.create(leaky(objects.pod, "alone", side))
    file = taken(side.api, annotations=["example.com/*"])
    pod = next(pod for pod in file.objects["pods"] if pod["metadata"]["name"] == "alone")
    assert pod["metadata"]["annotations"].keys() == {"example.com/token", "scc-responder/action-id"}


def live(side: Side, finding: Finding) -> Context:
    """What is read of the finding's target from the cluster itself."""
    with ThreadPoolExecutor(4) as pool:
        return look_around(collect(finding, OneCluster(side.api), NoFindings(), pool, 30))


def comparable(facts: ContextFacts | Context) -> dict[str, Any]:
    """Facts without what a node's heartbeat changes, and annotations that decisions do not look at."""
    told = {field: msgspec.to_builtins(getattr(facts, field)) for field in ContextFacts.__struct_fields__}
    for part in filter(None, (told["pod"], told["node"], told["namespace"])):
        wanted = {
            key: value for key, value in part["annotations"].items() if key.startswith(("scc-resp", "container."))
        }
        part |= {"annotations": wanted, "resource_version": ""}
    if told["workload_object"]:
        told["workload_object"].pop("annotations")
    # A snapshot keeps no volumes.
    told["missing"].pop("unshared", None)
    told["live"].pop("unshared")
    return told


TARGETS: dict[str, Callable[[Side], dict[str, Any]]] = {
    "deployment": lambda side: _pod_of(objects.deployment, side),
    "stateful-set": lambda side: _pod_of(objects.stateful_set, side),
    "daemon-set": lambda side: _pod_of(objects.daemon_set, side),
    "job": lambda side: _pod_of(objects.job, side),
    "standalone": lambda side: objects.create_running(side.admin, objects.pod("web", side.namespace, side.node)),
    "owner-is-no-more": lambda side: _claiming(side, "ReplicaSet", "apps/v1"),
    "owner-of-another-api": lambda side: _claiming(side, "Rollout", "argoproj.io/v1alpha1"),
}


def _pod_of(kind: Callable[..., dict[str, Any]], side: Side) -> dict[str, Any]:
    side.admin.create(kind("web", side.namespace, side.node))
    return objects.running_pods(side.admin, side.namespace, "web")[0]


def _claiming(side: Side, kind: str, version: str) -> dict[str, Any]:
    """A pod that says it has an owner, which nobody can read. (The real garbage collector waits for nothing else.)"""
    pod = objects.pod("web", side.namespace, side.node, finalizers=[objects.FINALIZER])
    owner = {"apiVersion": version, "kind": kind, "name": "gone", "uid": "u-1", "controller": True}
    pod["metadata"]["ownerReferences"] = [owner]
    return objects.create_running(side.admin, pod)


@pytest.mark.parametrize("target", ["deployment", "stateful-set", "daemon-set", "job", "standalone"])
def test_same_as_live(side: Side, target: str) -> None:
    """Whatever owns the pod, the snapshot says of it what the cluster says."""
    finding = parse_notification(finding_about(TARGETS[target](side)))
    facts = Snapshot(taken(side.api, collections=EVERY_COLLECTION)).facts(finding)
    found = live(side, finding)
    assert facts.pod is not None
    assert comparable(facts) == comparable(found)
    assert context_of(finding, facts).identity == found.identity
    assert found.identity.level == "proved"


@pytest.mark.parametrize("target", ["owner-is-no-more", "owner-of-another-api"])
def test_same_as_live_for_claims(target: str) -> None:
    """An owner that nobody can check is no more certain in a snapshot than in the cluster."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        one = simulated(cluster)
        finding = parse_notification(finding_about(TARGETS[target](one)))
        facts = Snapshot(taken(one.api, collections=EVERY_COLLECTION)).facts(finding)
        assert comparable(facts) == comparable(live(one, finding))
        assert "owner" in facts.missing


@pytest.fixture
def small() -> Iterator[Side]:
    """A simulated cluster with one Deployment of three pods."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node("node-1"))
        cluster.create(objects.deployment("web", "shop", "node-1", replicas=3))
        yield simulated(cluster)


def about(side: Side, **changes: Any) -> Finding:
    """A finding about one of the Deployment's pods."""
    return parse_notification(finding_about(objects.running_pods(side.admin, "shop", "web", count=3)[0], **changes))


ABSENT = [
    pytest.param({"pod": "web-gone"}, {"pod": "target_absent"}, id="pod"),
    pytest.param({"namespace": "bank"}, {"pod": "target_absent", "namespace": "not_found"}, id="namespace"),
    pytest.param({"node": "node-9"}, {"node": "not_found"}, id="node"),
]


@pytest.mark.parametrize(("changes", "missing"), ABSENT)
def test_absent_objects_stay_absent(small: Side, changes: dict[str, Any], missing: dict[str, str]) -> None:
    """What was not there when the snapshot was taken is as absent as it was."""
    found = Snapshot(taken(small.api)).facts(about(small, **changes))
    assert missing.items() <= found.missing.items()


def test_another_clusters_pods_are_unknown(small: Side) -> None:
    """Of another cluster's pods a snapshot says nothing, even where one of the same name is in it."""
    file = taken(small.api)
    other = replace(file, cluster=replace(DESCRIBED, ref=replace(REF, name="prod-2")))
    found = Snapshot(other).facts(about(small))
    assert (found.pod, found.cluster, found.missing["pod"]) == (None, None, "pod_unreadable")
    assert found.missing["cluster"] == "cluster_not_found"


class Paged:
    """An API server that gives few objects at a time, and may forget a cursor."""

    def __init__(self, api: Any, *, forgets: int = 0) -> None:
        self.api, self.forgets, self.calls = api, forgets, 0

    def page(self, path: str, limit: int, after: str = "") -> Any:
        self.calls += 1
        if after and self.forgets:
            self.forgets -= 1
            raise ApiError(Reason.GONE, "too old", status=410)
        return self.api.page(path, 1, after)


def test_pages_make_no_difference(small: Side) -> None:
    """However the server cuts its lists, the file has the same bytes, and a forgotten cursor starts the list anew."""
    whole = encode_snapshot(taken(small.api))
    assert encode_snapshot(taken(Paged(small.api))) == whole
    assert encode_snapshot(taken(Paged(small.api, forgets=2))) == whole
    with pytest.raises(ApiError, match="too old"):
        taken(Paged(small.api, forgets=3))


def test_progress_counts_each_collection(small: Side) -> None:
    """While it is taken, each collection's count is told."""
    told: list[tuple[str, int]] = []
    take_snapshot(Paged(small.api), DESCRIBED, NOW, progress=lambda name, count: told.append((name, count)))
    assert [count for name, count in told if name == "pods"] == [1, 2, 3]
    assert {name for name, _ in told} == set(COLLECTIONS)


def test_forbidden_parts_make_up_no_fact(small: Side) -> None:
    """What may not be read is missing with its permission, and no fact is made up for it."""
    file = taken(small.reader)
    found = Snapshot(file).facts(about(small))
    assert file.missing["namespaces"] == "kubernetes_forbidden: missing permission: namespaces: list"
    assert "networkpolicies" in file.objects
    assert (found.namespace, found.missing["namespace"]) == (None, "not_in_snapshot")


def test_an_unreachable_cluster_is_an_error() -> None:
    """A cluster that does not answer is an error, not an empty snapshot."""
    with SimulatedCluster() as cluster:
        api = api_of(cluster, "admin")
    with pytest.raises(ApiError):
        take_snapshot(api, DESCRIBED, NOW, progress=silent)


def test_selectors_narrow_like_the_api_server(small: Side) -> None:
    """Lists of a snapshot are narrowed by labels as the API server narrows them."""
    small.admin.create(objects.node("node-2", pool="other"))
    unlabeled = objects.node("node-3")
    del unlabeled["metadata"]["labels"]["cloud.google.com/gke-nodepool"]
    small.admin.create(unlabeled)
    copy = Snapshot(taken(small.api)).connect(REF)

    def names(selector: str) -> list[str]:
        return [item["metadata"]["name"] for item in copy.list("/api/v1/nodes", label_selector=selector)]

    key = "cloud.google.com/gke-nodepool"
    assert names("") == ["node-1", "node-2", "node-3"]
    assert names(f"{key}=default-pool") == names(f"{key}==default-pool") == ["node-1"]
    assert (names(f"{key}!=other"), names(key), names(f"!{key}")) == (
        ["node-1", "node-3"],
        ["node-1", "node-2"],
        ["node-3"],
    )
    assert names(f"{key},kubernetes.io/hostname=node-2") == ["node-2"]
    assert len(copy.list(api_paths.pods("shop"))) == 3
    assert copy.list(api_paths.pods("bank")) == []


def test_a_copy_cannot_be_changed(small: Side) -> None:
    """Nothing can be done to a cluster through its snapshot."""
    copy = Snapshot(taken(small.api)).connect(REF)
    for verb in (copy.create, copy.patch, copy.delete):
        with pytest.raises(ApiError) as caught:
            verb(api_paths.pod("shop", "web"), {}, dry_run=True)
        assert (caught.value.reason, caught.value.status) == ("read_only", 405)
    for read in (
        lambda: copy.list(api_paths.events("shop")),
        lambda: copy.list(api_paths.pods("shop"), "metadata.name=a"),
    ):
        with pytest.raises(ApiError) as caught:
            read()
        assert caught.value.reason == "not_in_snapshot"


def test_no_secrets_are_read() -> None:
    """Nothing that is there to hold secrets or settings is ever asked for."""
    assert not {"secrets", "configmaps", "serviceaccounts", "events"} & COLLECTIONS.keys()


@pytest.mark.parametrize("name", COLLECTIONS)
def test_every_collection_has_its_paths(name: str) -> None:
    """Every collection is found by the path of its list, of a namespace's list, and of one object."""
    path = COLLECTIONS[name].path
    prefix, _, plural = path.rpartition("/")
    assert plural == name
    assert {collection_of(path), collection_of(f"{path}/a")} == {name}
    if name not in {"nodes", "namespaces"}:
        assert (
            collection_of(f"{prefix}/namespaces/shop/{plural}/a")
            == collection_of(f"{prefix}/namespaces/shop/{plural}")
            == name
        )


def test_reduced_keeps_only_what_is_listed() -> None:
    """Unknown fields of any depth go, and items of lists are reduced like the rest."""
    status = {"name": "c", "image": "i", "lastState": {"terminated": {"startedAt": "t", "message": CANARY}}}
    item = {
        "metadata": {"name": "a", "managedFields": [CANARY], "annotations": None},
        "spec": {"nodeName": "n", "containers": [CANARY]},
        "status": {"containerStatuses": [{**status, "state": {"waiting": {"message": CANARY}}}], "message": CANARY},
    }
    kept = reduced(item, COLLECTIONS["pods"])
    assert CANARY not in json.dumps(kept)
    assert kept["status"]["containerStatuses"] == [
        {"name": "c", "image": "i", "state": {}, "lastState": {"terminated": {"startedAt": "t"}}}
    ]


UNUSABLE = [
    pytest.param(b"", "no snapshot", id="empty"),
    pytest.param(b"{", "no snapshot", id="broken"),
    pytest.param(b"\xff", "no snapshot", id="not-utf-8"),
    pytest.param(b"[]", "no snapshot", id="list"),
    pytest.param(b'{"snapshot": 2}', "version 2 is not read here, 1 is; take it anew", id="newer"),
    pytest.param(b'{"snapshot": 1}', "missing required field `taken_at`", id="bare"),
    pytest.param(b"@extra", "unknown field `extra`", id="unknown-field"),
    pytest.param(b"@nameless", "an object in it has no name", id="nameless"),
    pytest.param(b"@kind", "is of no known kind", id="unknown-kind"),
]


@pytest.mark.parametrize(("content", "told"), UNUSABLE)
def test_an_unusable_file_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    """A file that is no snapshot of this version is refused by name, with what is wrong and how to get one."""
    right = json.loads(encode_snapshot(SnapshotFile(taken_at=NOW, cluster=DESCRIBED, objects={"pods": []})))
    damaged = {
        b"@extra": {**right, "extra": 1},
        b"@nameless": {**right, "objects": {"pods": [{"metadata": {}}]}},
        b"@kind": {**right, "objects": {"secrets": [{"metadata": {"name": "a"}}]}},
    }
    path = tmp_path / "prod.json"
    path.write_bytes(json.dumps(damaged[content]).encode() if content in damaged else content)
    with pytest.raises(SettingsError) as caught:
        read_snapshot(path)
    assert "prod.json" in str(caught.value)
    assert told in str(caught.value)


def test_a_missing_snapshot_is_named(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(SettingsError, match=r"none\.json: No such file"):
        read_snapshot(tmp_path / "none.json")
