"""What the responder relies on from an API server: the same tests for a real one and for the simulated one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest

from scc_responder.adapters.acting_case import CasePool, acting_for
from scc_responder.adapters.kubernetes.kubernetes_api import KubernetesRest, connect
from scc_responder.collect.kubernetes_objects import budgets_of, node_pool, parse_pod, parse_workload, pool_member
from scc_responder.domain.context import DisruptionBudget, Owner, Workload, Zone
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from tests.cluster import objects
from tests.cluster.client import ClusterClient
from tests.cluster.polling import wait_until

OTHER_UID = "00000000-0000-4000-8000-000000000000"
Object = dict[str, Any]


@dataclass(frozen=True)
class Side:
    """One API server under test, with a namespace and a node for the test in hand.

    `audit` gives the responder's requests about that namespace (and nodes), `start_warden` forbids to cordon nodes
    made with `autopilot=True`.
    """

    url: str
    ca_pem: bytes | None
    token: Callable[[str], str]
    admin: ClusterClient
    namespace: str
    node: str
    audit: Callable[[], Sequence[Any]]
    start_warden: Callable[[], None]

    def api(self, identity: str = "responder", **options: Any) -> KubernetesRest:
        """The adapter, as the responder uses it."""
        return connect(self.url, self.ca_pem, lambda: self.token(identity), **options)

    def pod(self, name: str = "web-1", **fields: Any) -> Object:
        """A running pod that belongs to nothing."""
        return objects.create_running(self.admin, objects.pod(name, self.namespace, self.node, **fields))

    def path(self, name: str = "web-1") -> str:
        """The path of a pod."""
        return api_paths.pod(self.namespace, name)

    def find(self, path: str) -> Object | None:
        """What is there now, for the tests' own eyes; None if nothing."""
        answer = self.admin.send("GET", path)
        return answer.body if answer.status == 200 else None

    def wait_gone(self, path: str, uid: str) -> None:
        """Wait until the object of this UID is no more."""
        wait_until(
            lambda: (found := self.find(path)) is None or found["metadata"]["uid"] != uid, what=f"{path} to be gone"
        )


def refused(call: Callable[..., object], *arguments: Any, **options: Any) -> ApiError:
    """The error that a call ends with."""
    with pytest.raises(ApiError) as caught:
        call(*arguments, **options)
    return caught.value


def kept_by_us(item: Object) -> Object:
    """The metadata, in which any write of ours shows; a real API server's kubelet may write its own in between."""
    metadata = item["metadata"]
    if "managedFields" not in metadata:
        return metadata
    ours = [written for written in metadata["managedFields"] if written["manager"].startswith("scc-responder")]
    return {**metadata, "resourceVersion": "", "managedFields": ours}


def told(error: ApiError) -> tuple[str, int, str]:
    """What the pipeline looks at first."""
    return error.reason, error.status, error.body_reason


def policy(namespace: str, name: str = "isolate-1", labels: Mapping[str, str] | None = None) -> Object:
    """A NetworkPolicy that denies all traffic of one pod."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace, "annotations": {"scc-responder/action-id": "a1"}},
        "spec": {
            "podSelector": {"matchLabels": labels or {"scc-responder/case": "c1"}},
            "policyTypes": ["Ingress", "Egress"],
        },
    }


def event(pod: Object, name: str) -> Object:
    """A core/v1 Event about a pod."""
    about = {key: pod["metadata"][key] for key in ("name", "namespace", "uid")}
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": about["namespace"]},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
        "reason": "Started",
        "message": "Started container web",
        "type": "Normal",
    }


class Reading:
    """GET and LIST."""

    def test_an_object_is_read_as_stored(self, side: Side) -> None:
        """An object is read as it is stored, with UID, version and what the kubelet reports."""
        created = side.pod()
        found = side.api().get(side.path())
        assert found["metadata"]["uid"] == created["metadata"]["uid"]
        assert found["metadata"]["resourceVersion"].isdigit()
        assert found["spec"]["nodeName"] == side.node
        assert found["status"]["containerStatuses"][0]["imageID"].startswith("registry.example.com/shop/web@sha256:")
        assert "startedAt" in found["status"]["containerStatuses"][0]["state"]["running"]

    def test_only_the_api_server_proves_absence(self, side: Side) -> None:
        """Only the API server's own word proves that an object is absent."""
        assert told(refused(side.api().get, side.path("web-9"))) == ("not_found", 404, "NotFound")

    def test_cluster_wide_objects(self, side: Side) -> None:
        """Nodes and namespaces are read without a namespace."""
        api = side.api()
        node = api.get(api_paths.node(side.node))
        assert node["metadata"]["annotations"]["container.googleapis.com/instance_id"].isdigit()
        assert api.get(api_paths.namespace(side.namespace))["metadata"]["name"] == side.namespace

    def test_an_owner_chain_is_read_by_uid(self, side: Side) -> None:
        """A Deployment's pod names its ReplicaSet, and that its Deployment, each with the UID it has."""
        deployment = side.admin.create(objects.deployment("web", side.namespace, side.node))
        (pod,) = objects.running_pods(side.admin, side.namespace, "web")
        (to_set,) = pod["metadata"]["ownerReferences"]
        api = side.api()
        replica_set = api.get(api_paths.owner(side.namespace, to_set["apiVersion"], to_set["kind"], to_set["name"]))
        (to_deployment,) = replica_set["metadata"]["ownerReferences"]
        assert (to_set["kind"], to_set["controller"]) == ("ReplicaSet", True)
        assert replica_set["metadata"]["uid"] == to_set["uid"]
        assert (to_deployment["kind"], to_deployment["uid"]) == ("Deployment", deployment["metadata"]["uid"])
        assert api.get(api_paths.owner(side.namespace, "apps/v1", "Deployment", "web"))["kind"] == "Deployment"

    def test_events_of_one_pod(self, side: Side) -> None:
        """The events of one pod are found by its UID, and no others."""
        web, other = side.pod("web-1"), side.pod("other-1")
        side.admin.create(event(web, "web-1.started"))
        side.admin.create(event(other, "other-1.started"))
        found = side.api().list(api_paths.events(side.namespace), api_paths.events_about(web["metadata"]["uid"]))
        assert [item["metadata"]["name"] for item in found] == ["web-1.started"]

    def test_all_policies_of_a_namespace_are_listed(self, side: Side) -> None:
        """All policies of the namespace are listed."""
        for name in ("allow-web", "deny-all"):
            side.admin.create(policy(side.namespace, name))
        found = side.api().list(api_paths.network_policies(side.namespace))
        assert sorted(item["metadata"]["name"] for item in found) == ["allow-web", "deny-all"]
        assert side.api().get(api_paths.network_policy(side.namespace, "deny-all"))["kind"] == "NetworkPolicy"

    def test_nodes_of_a_pool(self, side: Side) -> None:
        """The nodes of a pool are listed by its label, and those of no pool by the label's absence; both are ready."""
        pool = f"pool-{side.namespace}"
        inside, outside = (objects.node(f"{side.namespace}-{name}", pool=pool) for name in ("in", "out"))
        del outside["metadata"]["labels"][api_paths.NODE_POOL]
        created = [objects.create_settled(side.admin, manifest) for manifest in (inside, outside)]
        listed = {
            wanted: {
                item["metadata"]["uid"]: item for item in side.api().list(api_paths.nodes(), label_selector=wanted)
            }
            for wanted in (api_paths.nodes_of_pool(pool), api_paths.nodes_of_pool(""))
        }
        for node in created:
            side.admin.delete(api_paths.node(node["metadata"]["name"]))
        of_pool, of_none = listed.values()
        uids = [node["metadata"]["uid"] for node in created]
        assert list(of_pool) == [uids[0]]
        assert (uids[0] in of_none, uids[1] in of_none) == (False, True)
        assert node_pool(pool, map(pool_member, of_pool.values())).zones == {
            "europe-west1-b": Zone(nodes=1, schedulable=1)
        }

    def test_a_deployment_says_how_many_are_ready(self, side: Side) -> None:
        """A Deployment says how many pods it wants and how many are ready, and its pods say that they are."""
        side.admin.create(objects.deployment("web", side.namespace, side.node, replicas=2))
        pods = objects.running_pods(side.admin, side.namespace, "web", count=2)
        owner = Owner(kind="Deployment", name="web", uid="")
        found = side.api().get(api_paths.owner(side.namespace, "apps/v1", "Deployment", "web"))
        assert parse_workload(found, owner) == Workload(kind="Deployment", name="web", replicas=2, ready=2)
        assert [parse_pod(pod).ready for pod in pods] == [True, True]

    BUDGETS = (
        pytest.param({"minAvailable": 2}, 1, id="min-available"),
        pytest.param({"minAvailable": "51%"}, 1, id="min-available-share-rounds-up"),
        pytest.param({"maxUnavailable": 2}, 2, id="max-unavailable"),
        pytest.param({"maxUnavailable": "10%"}, 1, id="max-unavailable-share-rounds-up"),
        pytest.param({"minAvailable": 4}, 0, id="more-than-there-are"),
    )

    @pytest.mark.parametrize(("spec", "allowed"), BUDGETS)
    def test_a_budget_says_how_many_may_go(self, side: Side, spec: Mapping[str, Any], allowed: int) -> None:
        """A budget says how many of the pods that it selects may be disrupted now."""
        side.admin.create(objects.deployment("web", side.namespace, side.node, replicas=3))
        objects.running_pods(side.admin, side.namespace, "web", count=3)
        side.admin.create(objects.disruption_budget("web", side.namespace, "web", **spec))

        def told() -> bool:
            items = side.api().list(api_paths.disruption_budgets(side.namespace))
            healthy = [item for item in items if item.get("status", {}).get("currentHealthy") == 3]
            return budgets_of({"app": "web"}, healthy) == (DisruptionBudget(name="web", disruptions_allowed=allowed),)

        wait_until(told, what=f"the budget to allow {allowed}")
        assert budgets_of({"app": "other"}, side.api().list(api_paths.disruption_budgets(side.namespace))) == ()

    def test_list_of_nothing(self, side: Side) -> None:
        """An empty collection is an empty list, not an error."""
        assert side.api().list(api_paths.network_policies(side.namespace)) == []


class Logs:
    """GET of `pods/log`, as far as an API server answers it without a kubelet."""

    def log(self, side: Side, name: str = "web-1", *, identity: str = "admin", **options: Any) -> bytes:
        """A whole log of the container `web`, read within ten seconds."""
        path = api_paths.pod_log(side.namespace, name)
        chosen = {"container": "web", "seconds": 10.0, **options}
        return b"".join(side.api(identity).read_log(path, **chosen))

    def test_a_log_of_no_pod_is_absent(self, side: Side) -> None:
        """A pod that is gone has no log."""
        assert told(refused(self.log, side)) == ("not_found", 404, "NotFound")

    def test_a_log_of_no_container_is_refused(self, side: Side) -> None:
        """A container that the pod does not have has no log; where it has several, one must be named."""
        side.pod()
        error = refused(self.log, side, container="other")
        assert told(error) == ("bad_request", 400, "BadRequest")
        assert "container other is not valid for pod web-1" in str(error)

    def test_a_pod_without_a_node_has_an_empty_log(self, side: Side) -> None:
        """Nothing was written by a pod that no node was found for."""
        side.admin.create(objects.pod("web-1", side.namespace, ""))
        assert self.log(side) == b""


class KubeletLogs(Logs):
    """The same, and what a kubelet answers. `write` lets the container `web` of a pod write a text."""

    def write(self, side: Side, pod: Object, content: bytes, *, previous: bool = False) -> None:
        """Let it write, now or in its run before."""
        raise NotImplementedError

    def test_the_last_lines_are_chosen(self, side: Side) -> None:
        """`tail_lines` chooses the last lines, and `limit_bytes` keeps the first bytes of these."""
        self.write(side, side.pod(), b"one\ntwo\nthree\n")
        assert self.log(side) == b"one\ntwo\nthree\n"
        assert self.log(side, tail_lines=2) == b"two\nthree\n"
        assert self.log(side, limit_bytes=5) == b"one\nt"
        assert self.log(side, tail_lines=1, limit_bytes=4) == b"thre"

    def test_each_line_begins_with_its_time(self, side: Side) -> None:
        """With `timestamps` each line begins with the node's time of it."""
        self.write(side, side.pod(), b"one\ntwo\n")
        lines = self.log(side, timestamps=True).splitlines()
        assert [line.partition(b" ")[2] for line in lines] == [b"one", b"two"]
        assert all(line[:4].isdigit() and line.partition(b" ")[0].endswith(b"Z") for line in lines)

    def test_a_container_without_a_run_before_is_refused(self, side: Side) -> None:
        """A container that was never restarted has no log of a run before."""
        self.write(side, side.pod(), b"one\n")
        error = refused(self.log, side, previous=True)
        assert (told(error), "not found" in str(error)) == (("bad_request", 400, "BadRequest"), True)

    def test_a_followed_log_does_not_end(self, side: Side) -> None:
        """A followed log gives what is written later, until the time is over, which is an error of its own."""
        pod = side.pod()
        self.write(side, pod, b"one\n")
        path = api_paths.pod_log(side.namespace, "web-1")
        pieces = side.api("admin").read_log(path, container="web", follow=True, seconds=2.0)
        assert next(pieces) == b"one\n"
        self.write(side, pod, b"two\n")
        assert next(pieces) == b"two\n"
        began = time.monotonic()
        assert refused(next, pieces).reason == "timeout"
        assert time.monotonic() - began < 4.0


class Paging:
    """Collections that are read in parts, as for a snapshot."""

    def test_each_page_continues_the_one_before(self, side: Side) -> None:
        """Each part goes on where the one before it ended; the last one has no cursor."""
        names = [side.pod(f"web-{n}")["metadata"]["name"] for n in range(3)]
        api = side.api("admin")
        first, cursor = api.page(api_paths.pods(side.namespace), 2)
        rest, end = api.page(api_paths.pods(side.namespace), 2, cursor)
        assert [item["metadata"]["name"] for item in first + rest] == names
        assert (len(first), bool(cursor), end) == (2, True, "")

    def test_all_at_once(self, side: Side) -> None:
        """A part that has room for all of them is the whole list."""
        side.pod()
        found, end = side.api("admin").page(api_paths.pods(side.namespace), 500)
        assert ([item["metadata"]["name"] for item in found], end) == (["web-1"], "")

    def test_a_collection_spans_all_namespaces(self, side: Side) -> None:
        """A collection without a namespace is that of all of them."""
        side.pod()
        api, found, cursor = side.api("admin"), [], ""
        while True:
            items, cursor = api.page("/api/v1/pods", 1, cursor)
            found += items
            if not cursor:
                break
        assert (side.namespace, "web-1") in {(i["metadata"]["namespace"], i["metadata"]["name"]) for i in found}

    def test_an_unusable_cursor_is_refused(self, side: Side) -> None:
        """A cursor that is none is refused."""
        error = refused(side.api("admin").page, api_paths.pods(side.namespace), 2, "no cursor")
        assert told(error) == ("bad_request", 400, "BadRequest")

    def test_what_may_not_be_listed_has_no_pages(self, side: Side) -> None:
        """What may not be listed may not be paged."""
        error = refused(side.api("responder").page, f"/api/v1/namespaces/{side.namespace}/services", 2)
        assert (error.reason, error.permission) == (
            "kubernetes_forbidden",
            f"services: list in namespace {side.namespace}",
        )


class Patching:
    """PATCH, as JSON merge patch."""

    def test_a_patch_adds_to_what_is_there(self, side: Side) -> None:
        """A patch adds to what is there, and the version changes."""
        created = side.pod(labels={"app": "web"})
        patched = side.api().patch(side.path(), {"metadata": {"labels": {"scc-responder/case": "c1"}}})
        assert patched["metadata"]["labels"] == {"app": "web", "scc-responder/case": "c1"}
        assert patched["metadata"]["uid"] == created["metadata"]["uid"]
        assert patched["metadata"]["resourceVersion"] != created["metadata"]["resourceVersion"]
        assert side.api().get(side.path())["metadata"] == patched["metadata"]

    def test_a_null_removes_a_label(self, side: Side) -> None:
        """A null takes a label away."""
        side.pod(labels={"app": "web", "tier": "front"})
        patched = side.api().patch(side.path(), {"metadata": {"labels": {"tier": None}}})
        assert patched["metadata"]["labels"] == {"app": "web"}

    def test_a_patch_without_effect_keeps_the_version(self, side: Side) -> None:
        """A patch that changes nothing leaves the version alone, so it may be repeated."""
        side.pod()
        patch = {"metadata": {"annotations": {"scc-responder/action-id": "a1"}}}
        first, second = side.api().patch(side.path(), patch), side.api().patch(side.path(), patch)
        assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]

    def test_conditions_that_hold(self, side: Side) -> None:
        """With the UID and version that are stored, the patch is made."""
        found = side.pod()["metadata"]
        conditions = {"uid": found["uid"], "resourceVersion": found["resourceVersion"]}
        patched = side.api().patch(side.path(), {"metadata": {**conditions, "labels": {"scc-responder/case": "c1"}}})
        assert patched["metadata"]["labels"]["scc-responder/case"] == "c1"

    @pytest.mark.parametrize(
        ("condition", "body_reason"),
        [
            pytest.param({"uid": OTHER_UID}, "Invalid", id="uid"),
            pytest.param({"resourceVersion": "1"}, "Conflict", id="version"),
            pytest.param({"uid": OTHER_UID, "resourceVersion": "1"}, "Conflict", id="both"),
        ],
    )
    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    def test_conditions_that_do_not_hold(self, side: Side, condition: Object, body_reason: str, dry_run: bool) -> None:
        """Against another UID or version nothing is patched, and the caller learns that it is a conflict.

        The server itself calls another UID `Invalid` (422), as if a field were wrong.
        """
        before = side.pod()
        patch = {"metadata": {**condition, "labels": {"scc-responder/case": "c1"}}}
        error = refused(side.api().patch, side.path(), patch, dry_run=dry_run)
        assert told(error) == ("conflict", 409, body_reason)
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    def test_a_dry_run_patch_stores_nothing(self, side: Side) -> None:
        """A dry run answers with what would be, and stores nothing."""
        before = side.pod()
        patched = side.api().patch(side.path(), {"metadata": {"labels": {"scc-responder/case": "c1"}}}, dry_run=True)
        assert patched["metadata"]["labels"]["scc-responder/case"] == "c1"
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    @pytest.mark.parametrize(
        "patch",
        [
            pytest.param({"metadata": {"labels": {"scc-responder/case": "two words"}}}, id="label-value"),
            pytest.param({"metadata": {"labels": {"scc-responder/case": "c" * 64}}}, id="label-length"),
            pytest.param({"metadata": {"labels": {"scc-responder/case": 7}}}, id="label-number"),
            pytest.param({"metadata": {"labels": {"not/a/key": "c1"}}}, id="label-key"),
            pytest.param({"metadata": {"annotations": {"Upper.Case/../x": "a1"}}}, id="annotation-key"),
            pytest.param({"metadata": {"annotations": {"scc-responder/note": "x" * 262145}}}, id="annotations-size"),
            pytest.param({"spec": {"hostNetwork": True}}, id="spec"),
        ],
    )
    def test_an_invalid_patch_is_refused(self, side: Side, patch: Object, dry_run: bool) -> None:
        """What may not be stored is refused, in a dry run as well."""
        before = side.pod()
        assert told(refused(side.api().patch, side.path(), patch, dry_run=dry_run)) == ("invalid", 422, "Invalid")
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    def test_an_absent_object_cannot_be_patched(self, side: Side) -> None:
        """What is not there cannot be patched."""
        error = refused(side.api().patch, side.path("web-9"), {"metadata": {"labels": {"a": "b"}}})
        assert told(error) == ("not_found", 404, "NotFound")

    def test_a_node_is_cordoned_and_released(self, side: Side) -> None:
        """A node is cordoned by its `spec.unschedulable`, and released by a null."""
        api, path = side.api(), api_paths.node(side.node)
        uid = api.get(path)["metadata"]["uid"]
        assert api.patch(path, {"metadata": {"uid": uid}, "spec": {"unschedulable": True}})["spec"]["unschedulable"]
        assert api.get(path)["spec"]["unschedulable"]
        api.patch(path, {"metadata": {"uid": uid}, "spec": {"unschedulable": None}})
        assert "unschedulable" not in api.get(path)["spec"]

    def test_refused_admission_is_no_missing_permission(self, side: Side) -> None:
        """A cordon that admission refuses is told apart from a missing permission."""
        name = f"{side.node}-autopilot"
        side.admin.create(objects.node(name, autopilot=True))
        side.start_warden()
        cordon = {"spec": {"unschedulable": True}}
        objects.wait_refused(side.admin, api_paths.node(name), cordon)
        error = refused(side.api().patch, api_paths.node(name), cordon)
        side.admin.delete(api_paths.node(name))
        assert (error.reason, error.status, error.permission) == ("gke_warden_denied", 403, "")


class Deleting:
    """DELETE with DeleteOptions."""

    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    @pytest.mark.parametrize("condition", [{"uid": OTHER_UID}, {"resourceVersion": "1"}], ids=["uid", "version"])
    def test_preconditions_that_do_not_hold(self, side: Side, condition: Object, dry_run: bool) -> None:
        """Another pod of the same name is never deleted."""
        before = side.pod()
        error = refused(side.api().delete, side.path(), {"preconditions": condition}, dry_run=dry_run)
        assert told(error) == ("conflict", 409, "Conflict")
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    def test_preconditions_that_hold(self, side: Side) -> None:
        """With UID and version the pod that was read is deleted; it is terminating first, then gone."""
        found = side.pod()["metadata"]
        conditions = {"uid": found["uid"], "resourceVersion": found["resourceVersion"]}
        answer = side.api().delete(side.path(), {"preconditions": conditions, "gracePeriodSeconds": 5})
        assert answer["metadata"]["uid"] == found["uid"]
        assert answer["metadata"]["deletionGracePeriodSeconds"] == 5
        assert "deletionTimestamp" in answer["metadata"]
        side.wait_gone(side.path(), found["uid"])

    def test_what_it_owned(self, side: Side) -> None:
        """The network policy that isolates a pod goes with the pod, and no other policy does."""
        meta = side.pod()["metadata"]
        owner = {"apiVersion": "v1", "kind": "Pod", "name": meta["name"], "uid": meta["uid"]}
        owned = policy(side.namespace, "owned")
        owned["metadata"]["ownerReferences"] = [owner]
        collection = api_paths.network_policies(side.namespace)
        side.api().create(collection, owned)
        side.api().create(collection, policy(side.namespace, "other"))
        side.api().delete(side.path(), {"gracePeriodSeconds": 0})
        wait_until(lambda: side.find(f"{collection}/owned") is None, what="the owned policy to be gone")
        assert side.find(f"{collection}/other") is not None

    def test_dry_run_in_the_query(self, side: Side) -> None:
        """A body hides the query's dry run from the server: the reason why ours is in the body."""
        pod = side.pod()
        side.admin.send("DELETE", side.path(), {"gracePeriodSeconds": 0}, dryRun="All")
        side.wait_gone(side.path(), pod["metadata"]["uid"])

    def test_no_grace_period_deletes_at_once(self, side: Side) -> None:
        """No grace period takes the pod away at once."""
        side.pod()
        side.api().delete(side.path(), {"gracePeriodSeconds": 0})
        assert side.find(side.path()) is None

    def test_the_default_grace_is_the_pods_own(self, side: Side) -> None:
        """Without a grace period in the request, the pod's own counts."""
        side.pod(terminationGracePeriodSeconds=7)
        assert side.api().delete(side.path(), {})["metadata"]["deletionGracePeriodSeconds"] == 7

    @pytest.mark.parametrize("options", [{}, {"gracePeriodSeconds": 0}, {"gracePeriodSeconds": 5}], ids=str)
    def test_a_dry_run_delete_deletes_nothing(self, side: Side, options: Object) -> None:
        """A dry run deletes nothing."""
        before = side.pod()
        conditions = {"uid": before["metadata"]["uid"], "resourceVersion": before["metadata"]["resourceVersion"]}
        answer = side.api().delete(side.path(), {"preconditions": conditions, **options}, dry_run=True)
        assert answer["metadata"]["uid"] == before["metadata"]["uid"]
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    def test_an_absent_object_cannot_be_deleted(self, side: Side) -> None:
        """What is not there cannot be deleted."""
        assert told(refused(side.api().delete, side.path("web-9"), {})) == ("not_found", 404, "NotFound")

    @pytest.mark.parametrize("grace", [0, 30])
    def test_a_finalizer_keeps_the_pod_terminating(self, side: Side, grace: int) -> None:
        """A finalizer keeps the pod, terminating, until somebody removes it; a second delete does not change that."""
        pod = objects.create_running(side.admin, objects.held_pod("web-1", side.namespace, side.node))
        uid, options = pod["metadata"]["uid"], {"gracePeriodSeconds": grace}
        for _ in range(2):
            assert side.api().delete(side.path(), options)["metadata"]["uid"] == uid
        kept = side.find(side.path())["metadata"]
        assert (kept["uid"], kept["finalizers"], "deletionTimestamp" in kept) == (uid, [objects.FINALIZER], True)
        objects.release(side.admin, side.path())
        side.wait_gone(side.path(), uid)

    @pytest.mark.parametrize("grace", [0, 30])
    def test_a_deployment_replaces_its_deleted_pod(self, side: Side, grace: int) -> None:
        """A Deployment's pod comes back under another name."""
        side.admin.create(objects.deployment("web", side.namespace, side.node))
        (old,) = objects.running_pods(side.admin, side.namespace, "web")
        side.api().delete(side.path(old["metadata"]["name"]), {"gracePeriodSeconds": grace})
        side.wait_gone(side.path(old["metadata"]["name"]), old["metadata"]["uid"])
        (new,) = objects.running_pods(side.admin, side.namespace, "web")
        assert new["metadata"]["uid"] != old["metadata"]["uid"]
        assert new["metadata"]["name"] != old["metadata"]["name"]
        assert new["metadata"]["ownerReferences"] == old["metadata"]["ownerReferences"]

    def test_stateful_set_replaces(self, side: Side) -> None:
        """A StatefulSet's pod comes back under the same name, as another object."""
        side.admin.create(objects.stateful_set("web", side.namespace, side.node))
        (old,) = objects.running_pods(side.admin, side.namespace, "web")
        side.api().delete(side.path("web-0"), {"gracePeriodSeconds": 0})
        side.wait_gone(side.path("web-0"), old["metadata"]["uid"])
        (new,) = objects.running_pods(side.admin, side.namespace, "web")
        assert new["metadata"]["name"] == old["metadata"]["name"] == "web-0"
        error = refused(side.api().delete, side.path("web-0"), {"preconditions": {"uid": old["metadata"]["uid"]}})
        assert told(error) == ("conflict", 409, "Conflict")

    def test_owned_policy_goes_with_its_pod(self, side: Side) -> None:
        """A policy whose only owner is a pod is collected once that pod is gone; another policy stays."""
        pod = side.pod()
        owner = {"apiVersion": "v1", "kind": "Pod", "name": "web-1", "uid": pod["metadata"]["uid"]}
        owned, free = policy(side.namespace, "isolate-1"), policy(side.namespace, "isolate-2")
        owned["metadata"]["ownerReferences"] = [owner]
        uid = side.api().create(api_paths.network_policies(side.namespace), owned)["metadata"]["uid"]
        side.api().create(api_paths.network_policies(side.namespace), free)
        side.api().delete(side.path(), {"gracePeriodSeconds": 0})
        side.wait_gone(api_paths.network_policy(side.namespace, "isolate-1"), uid)
        assert side.find(api_paths.network_policy(side.namespace, "isolate-2"))["spec"] == free["spec"]

    def test_daemon_set_replaces(self, side: Side) -> None:
        """A DaemonSet's pod comes back as another object on the same node."""
        side.admin.create(objects.daemon_set("web", side.namespace, side.node))
        (old,) = objects.running_pods(side.admin, side.namespace, "web")
        side.api().delete(side.path(old["metadata"]["name"]), {"gracePeriodSeconds": 0})
        side.wait_gone(side.path(old["metadata"]["name"]), old["metadata"]["uid"])
        (new,) = objects.running_pods(side.admin, side.namespace, "web")
        assert new["metadata"]["uid"] != old["metadata"]["uid"]
        assert new["spec"]["nodeName"] == side.node


def eviction(pod: Object, **options: Any) -> Object:
    """An Eviction of this pod, with these `deleteOptions`."""
    metadata = {key: pod["metadata"][key] for key in ("name", "namespace")}
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata, "deleteOptions": options}


class Evicting:
    """POST of a policy/v1 Eviction to the subresource of a pod, by somebody who may do everything."""

    def evict(self, side: Side, pod: Object, *, dry_run: bool = False, **options: Any) -> Object:
        """Evict this pod."""
        path = api_paths.pod_eviction(side.namespace, pod["metadata"]["name"])
        return side.api("admin").create(path, eviction(pod, **options), dry_run=dry_run)

    def budgeted(self, side: Side, *budgets: Mapping[str, Any]) -> Object:
        """One of two running pods of a Deployment, which these budgets select and have counted."""
        side.admin.create(objects.deployment("web", side.namespace, side.node, replicas=2))
        pods = objects.running_pods(side.admin, side.namespace, "web", count=2)
        path = api_paths.disruption_budgets(side.namespace)
        for number, spec in enumerate(budgets):
            side.admin.create(objects.disruption_budget(f"web-{number}", side.namespace, "web", **spec))

        def counted() -> bool:
            found = [budget.get("status", {}).get("currentHealthy") for budget in side.admin.list(path)]
            return found == [2] * len(budgets)

        wait_until(counted, what="the budgets to have counted the pods")
        return pods[0]

    def test_an_eviction_deletes_the_pod(self, side: Side) -> None:
        """With UID and version the pod that was read is deleted; the answer is a Status, not the pod."""
        pod = side.pod(annotations=objects.SLOW_TO_STOP)
        conditions = {"uid": pod["metadata"]["uid"], "resourceVersion": pod["metadata"]["resourceVersion"]}
        answer = self.evict(side, pod, preconditions=conditions, gracePeriodSeconds=5)
        assert answer == {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        found = side.find(side.path())
        assert found is None or found["metadata"]["deletionGracePeriodSeconds"] == 5

    def test_an_eviction_takes_the_grace_it_says(self, side: Side) -> None:
        """No grace period takes the pod away at once; without options at all, the pod's own counts."""
        self.evict(side, side.pod(), gracePeriodSeconds=0)
        assert side.find(side.path()) is None
        slow = side.pod("slow", finalizers=[objects.FINALIZER], terminationGracePeriodSeconds=7)
        plain = {key: value for key, value in eviction(slow).items() if key != "deleteOptions"}
        side.api("admin").create(api_paths.pod_eviction(side.namespace, "slow"), plain)
        assert side.find(side.path("slow"))["metadata"]["deletionGracePeriodSeconds"] == 7
        objects.release(side.admin, side.path("slow"))

    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    @pytest.mark.parametrize("condition", [{"uid": OTHER_UID}, {"resourceVersion": "1"}], ids=["uid", "version"])
    def test_another_pod_is_never_evicted(self, side: Side, condition: Object, dry_run: bool) -> None:
        """Another pod of the same name is never evicted."""
        before = side.pod()
        error = refused(self.evict, side, before, dry_run=dry_run, preconditions=condition)
        assert told(error) == ("conflict", 409, "Conflict")
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    @pytest.mark.parametrize("in_body", [False, True], ids=["in-the-query", "in-the-options"])
    def test_a_dry_run_evicts_nothing(self, side: Side, in_body: bool) -> None:
        """A dry run evicts nothing, whether the query or the options ask for it."""
        before = side.pod()
        self.evict(side, before, dry_run=not in_body, **({"dryRun": ["All"]} if in_body else {}))
        assert kept_by_us(side.find(side.path())) == kept_by_us(before)

    def test_an_absent_pod_cannot_be_evicted(self, side: Side) -> None:
        """What is not there cannot be evicted."""
        pod = {"metadata": {"name": "web-9", "namespace": side.namespace}}
        assert told(refused(self.evict, side, pod)) == ("not_found", 404, "NotFound")

    def test_a_leaving_pod_is_evicted_again(self, side: Side) -> None:
        """A pod that is being deleted is evicted again, with a shorter grace period."""
        pod = side.pod(finalizers=[objects.FINALIZER])
        for seconds in (9, 3):
            self.evict(side, pod, gracePeriodSeconds=seconds)
            assert side.find(side.path())["metadata"]["deletionGracePeriodSeconds"] == seconds
        objects.release(side.admin, side.path())

    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    def test_a_budget_without_room_keeps_its_pod(self, side: Side, dry_run: bool) -> None:
        """A disruption budget that allows none now keeps its pods, in a dry run as well, whatever the conditions."""
        pod = self.budgeted(side, {"minAvailable": 2})
        error = refused(self.evict, side, pod, dry_run=dry_run, preconditions={"uid": OTHER_UID})
        assert told(error) == ("disruption_budget", 429, "TooManyRequests")
        assert "deletionTimestamp" not in side.find(side.path(pod["metadata"]["name"]))["metadata"]

    def test_a_budget_with_room_lets_its_pod_go(self, side: Side) -> None:
        """A disruption budget that allows one lets the pod go."""
        pod = self.budgeted(side, {"minAvailable": 1})
        self.evict(side, pod, preconditions={"uid": pod["metadata"]["uid"]}, gracePeriodSeconds=0)
        side.wait_gone(side.path(pod["metadata"]["name"]), pod["metadata"]["uid"])

    def test_several_budgets_are_an_error(self, side: Side) -> None:
        """Where several budgets select the pod, the server fails, though each of them has room."""
        pod = self.budgeted(side, {"minAvailable": 0}, {"minAvailable": 1})
        error = refused(self.evict, side, pod)
        assert (error.reason, error.status) == ("several_disruption_budgets", 400)
        assert "more than one PodDisruptionBudget" in str(error)
        assert "deletionTimestamp" not in side.find(side.path(pod["metadata"]["name"]))["metadata"]

    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"metadata": {"name": "other"}}, id="name"),
            pytest.param({"metadata": {"name": "web-1", "namespace": "other"}}, id="namespace"),
            pytest.param({"apiVersion": "v1", "kind": "Pod"}, id="kind"),
        ],
    )
    def test_an_eviction_of_another_object_is_refused(self, side: Side, changes: Object) -> None:
        """An Eviction of another pod than the path says, or no Eviction, is a bad request."""
        body = {**eviction(side.pod()), **changes}
        error = refused(side.api("admin").create, api_paths.pod_eviction(side.namespace, "web-1"), body)
        assert told(error) == ("bad_request", 400, "BadRequest")

    def test_an_eviction_is_only_ever_created(self, side: Side) -> None:
        """An eviction is created, never read or deleted; a subresource that is none has no path."""
        path = side.path(side.pod()["metadata"]["name"])
        codes = [
            side.admin.send(method, f"{path}/{part}", body).status
            for method, part, body in (
                ("GET", "eviction", None),
                ("DELETE", "eviction", None),
                ("GET", "nosuch", None),
                ("POST", "nosuch", {}),
            )
        ]
        assert codes == [405, 405, 404, 404]

    def test_the_missing_permission_names_the_subresource(self, side: Side) -> None:
        """A refusal by RBAC names the subresource."""
        path, body = api_paths.pod_eviction(side.namespace, "web-1"), eviction(side.pod())
        error = refused(side.api("reader").create, path, body)
        assert (error.reason, error.permission) == (
            "kubernetes_forbidden",
            f"pods/eviction: create in namespace {side.namespace}",
        )

    def test_the_audit_log_names_the_subresource(self, side: Side) -> None:
        """The audit log has the pod as the resource, and the subresource apart."""
        with suppress(ApiError):
            side.api().create(api_paths.pod_eviction(side.namespace, "web-1"), eviction(side.pod()), dry_run=True)
        (event,) = (event for event in side.audit() if event.verb == "create" and event.namespace == side.namespace)
        assert (event.resource, event.subresource, event.name, event.dry_run) == ("pods", "eviction", "web-1", True)
        assert event.rbac_resource == "pods/eviction"


def inserted(name: str = "scc-responder-look-1", **fields: Any) -> Object:
    """One ephemeral container."""
    return {"name": name, "image": "registry.example.com/collector@sha256:" + "a" * 64, "args": ["look"], **fields}


class Inserting:
    """Strategic merge patch of `pods/ephemeralcontainers`, by somebody who may do everything."""

    def insert(self, side: Side, *containers: Object, metadata: Object | None = None, **options: Any) -> Object:
        """Put these containers into the pod `web-1`."""
        body = {"metadata": metadata or {}, "spec": {"ephemeralContainers": [*containers]}}
        path = api_paths.ephemeral_containers(side.namespace, "web-1")
        return side.api("admin").patch(path, body, **{"strategic": True, **options})

    def names(self, side: Side) -> list[str]:
        """The ephemeral containers that the pod has."""
        pod = side.find(side.path()) or {}
        return [item["name"] for item in pod["spec"].get("ephemeralContainers", ())]

    def test_a_second_container_keeps_the_first(self, side: Side) -> None:
        """The list is merged by name, never replaced; the answer is the pod."""
        uid = side.pod()["metadata"]["uid"]
        self.insert(side, inserted("first"), metadata={"uid": uid})
        answer = self.insert(side, inserted("second", targetContainerName="web"), metadata={"uid": uid})
        assert (answer["kind"], answer["metadata"]["uid"]) == ("Pod", uid)
        assert sorted(self.names(side)) == ["first", "second"]

    def test_two_of_one_request_keep_their_order(self, side: Side) -> None:
        """It is the order in which the kubelet starts them."""
        side.pod()
        self.insert(side, inserted("first"), inserted("second", targetContainerName="web"))
        assert self.names(side) == ["first", "second"]

    def test_one_that_is_there_stays_before_the_other_of_a_request(self, side: Side) -> None:
        """A request that names both puts in the second alone, and keeps their order."""
        side.pod()
        self.insert(side, inserted("first"))
        self.insert(side, inserted("first"), inserted("second", targetContainerName="web"))
        assert self.names(side) == ["first", "second"]

    def test_a_dry_run_puts_nothing_in(self, side: Side) -> None:
        """A rehearsal is judged like the request, and stores nothing."""
        side.pod()
        self.insert(side, inserted(), dry_run=True)
        assert self.names(side) == []

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_another_pod_is_never_looked_into(self, side: Side, dry_run: bool) -> None:
        """A UID that is not the pod's is a conflict, as with every other patch."""
        side.pod()
        error = refused(self.insert, side, inserted(), metadata={"uid": OTHER_UID}, dry_run=dry_run)
        assert (error.reason, error.status) == ("conflict", 409)
        assert self.names(side) == []

    @pytest.mark.parametrize(
        "container",
        [
            pytest.param(inserted("first", args=["other"]), id="changed"),
            pytest.param(inserted("second", resources={"limits": {"cpu": "1"}}), id="resources"),
            pytest.param(inserted("second", targetContainerName="nosuch"), id="target"),
        ],
    )
    def test_a_container_that_may_not_be_is_refused(self, side: Side, container: Object) -> None:
        """A name that is there may not be changed, so that a name is put in at most once."""
        side.pod()
        self.insert(side, inserted("first"))
        error = refused(self.insert, side, container)
        assert told(error) == ("invalid", 422, "Invalid")
        assert self.names(side) == ["first"]

    def test_the_same_container_again_changes_nothing(self, side: Side) -> None:
        """A patch whose answer was lost may be sent again."""
        side.pod()
        answers = [self.insert(side, inserted())["spec"]["ephemeralContainers"] for _ in range(2)]
        assert answers[0] == answers[1]
        assert self.names(side) == ["scc-responder-look-1"]


class Creating:
    """POST of network policies."""

    def test_a_policy_is_stored_as_it_was_sent(self, side: Side) -> None:
        """A policy is stored as it was sent, with a UID of its own."""
        wanted = policy(side.namespace)
        created = side.api().create(api_paths.network_policies(side.namespace), wanted)
        stored = side.api().get(api_paths.network_policy(side.namespace, "isolate-1"))
        assert stored["metadata"]["uid"] == created["metadata"]["uid"]
        assert stored["metadata"]["annotations"] == wanted["metadata"]["annotations"]
        assert stored["spec"] == wanted["spec"]

    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    def test_a_taken_name_is_refused(self, side: Side, dry_run: bool) -> None:
        """A second policy of the same name is refused, and does not touch the first."""
        path = api_paths.network_policies(side.namespace)
        first = side.api().create(path, policy(side.namespace))
        error = refused(side.api().create, path, policy(side.namespace, labels={"a": "b"}), dry_run=dry_run)
        assert told(error) == ("conflict", 409, "AlreadyExists")
        assert side.find(api_paths.network_policy(side.namespace, "isolate-1"))["spec"] == first["spec"]

    def test_a_dry_run_create_stores_nothing(self, side: Side) -> None:
        """A dry run answers with the policy, and stores none."""
        created = side.api().create(api_paths.network_policies(side.namespace), policy(side.namespace), dry_run=True)
        assert created["spec"] == policy(side.namespace)["spec"]
        assert side.find(api_paths.network_policy(side.namespace, "isolate-1")) is None

    @pytest.mark.parametrize("dry_run", [False, True], ids=["for-real", "dry-run"])
    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"metadata": {"name": "Not A Name"}}, id="name"),
            pytest.param({"spec": {"podSelector": {"matchLabels": {"a": "two words"}}}}, id="selector"),
            pytest.param({"spec": {"podSelector": {}, "policyTypes": ["Sideways"]}}, id="policy-type"),
        ],
    )
    def test_an_invalid_policy_is_refused(self, side: Side, changes: Object, dry_run: bool) -> None:
        """A policy that makes no sense is refused, in a dry run as well."""
        body = {**policy(side.namespace), **changes}
        error = refused(side.api().create, api_paths.network_policies(side.namespace), body, dry_run=dry_run)
        assert told(error) == ("invalid", 422, "Invalid")

    def test_an_object_of_another_kind_is_refused(self, side: Side) -> None:
        """An object of another kind than the path says is a bad request."""
        body = {**policy(side.namespace), "apiVersion": "v1", "kind": "Pod"}
        error = refused(side.api().create, api_paths.network_policies(side.namespace), body)
        assert told(error) == ("bad_request", 400, "BadRequest")

    def test_nothing_is_created_in_an_absent_namespace(self, side: Side) -> None:
        """Nothing is created in a namespace that is not there."""
        error = refused(side.api().create, api_paths.network_policies("not-there"), policy("not-there"))
        assert told(error) == ("not_found", 404, "NotFound")


class Identifying:
    """Who asks, and what the server remembers of it."""

    @pytest.mark.parametrize("token", ["not-a-token", ""], ids=["unknown", "none"])
    def test_an_unknown_token_is_refused(self, side: Side, token: str) -> None:
        """A token that the server does not know is an authentication error; so is none."""
        api = connect(side.url, side.ca_pem, lambda: token)
        assert refused(api.get, side.path()).reason == ("kubernetes_unauthenticated" if token else refused_as(side))

    def test_a_refused_token_is_replaced_once(self, side: Side) -> None:
        """A refused token is replaced once, and the request sent again."""
        side.pod()
        api = connect(side.url, side.ca_pem, lambda: "expired", renew=lambda _: side.token("responder"))
        assert api.get(side.path())["metadata"]["name"] == "web-1"
        again = connect(side.url, side.ca_pem, lambda: "expired", renew=lambda _: "expired-too")
        assert told(refused(again.get, side.path())) == ("kubernetes_unauthenticated", 401, "Unauthorized")

    def test_a_refusal_names_the_missing_permission(self, side: Side) -> None:
        """A refusal by RBAC names the permission that is missing."""
        side.pod()
        reader = side.api("reader")
        errors = [
            refused(reader.patch, side.path(), {"metadata": {"labels": {"a": "b"}}}),
            refused(reader.delete, side.path(), {}),
            refused(reader.patch, api_paths.node(side.node), {"spec": {"unschedulable": True}}),
            refused(reader.create, api_paths.network_policies(side.namespace), policy(side.namespace)),
            refused(side.api().list, f"/api/v1/namespaces/{side.namespace}/services"),
        ]
        assert {told(error) for error in errors} == {("kubernetes_forbidden", 403, "Forbidden")}
        assert [error.permission for error in errors] == [
            f"pods: patch in namespace {side.namespace}",
            f"pods: delete in namespace {side.namespace}",
            "nodes: patch",
            f"networkpolicies.networking.k8s.io: create in namespace {side.namespace}",
            f"services: list in namespace {side.namespace}",
        ]

    def test_the_audit_log_has_every_request(self, side: Side) -> None:
        """The audit log has every request: who, what, on which object, for real or not, and with which answer."""
        side.pod()
        api = side.api(user_agent="scc-responder/contract")
        patch = {"metadata": {"labels": {"scc-responder/case": "c1"}}}
        api.get(side.path())
        api.patch(side.path(), patch, dry_run=True)
        api.patch(side.path(), patch)
        api.create(api_paths.network_policies(side.namespace), policy(side.namespace))
        refused(api.get, side.path("web-9"))
        api.delete(side.path(), {}, dry_run=True)
        api.delete(
            side.path(), {"preconditions": {"resourceVersion": api.get(side.path())["metadata"]["resourceVersion"]}}
        )
        events = [event for event in side.audit() if event.namespace == side.namespace]
        assert [(e.verb, e.resource, e.name, e.code, e.dry_run) for e in events] == [
            ("get", "pods", "web-1", 200, False),
            ("patch", "pods", "web-1", 200, True),
            ("patch", "pods", "web-1", 200, False),
            ("create", "networkpolicies", "isolate-1", 201, False),
            ("get", "pods", "web-9", 404, False),
            ("delete", "pods", "web-1", 200, True),
            ("get", "pods", "web-1", 200, False),
            ("delete", "pods", "web-1", 200, False),
        ]
        assert {e.user_agent for e in events} == {"scc-responder/contract"}
        assert events[2].request == patch
        assert set(events[-1].request["preconditions"]) == {"resourceVersion"}

    def test_each_request_says_for_which_case(self, side: Side) -> None:
        """The audit log can be joined to the case by the user agent: also of what a pool's threads ask for."""
        side.pod()
        api = side.api(user_agent="scc-responder/contract")
        with CasePool(1) as pool, acting_for("0a0a0a0a0a0a"):
            api.get(side.path())
            pool.submit(api.patch, side.path(), {"metadata": {"labels": {"a": "b"}}}).result()
        api.get(side.path())
        agents = [event.user_agent for event in side.audit() if event.namespace == side.namespace]
        named = "scc-responder/contract case/0a0a0a0a0a0a"
        assert agents == [named, named, "scc-responder/contract"]


def refused_as(side: Side) -> str:
    """How a request without any token ends: as one of nobody, or as one of `system:anonymous`."""
    return told(refused(connect(side.url, side.ca_pem, lambda: "").get, side.path()))[0]
