"""What the API server lets the identity of undo do, and what it refuses it even where RBAC allows everything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

import pytest
import yaml

from tests.admission.installed import COLLECTOR, Installed, network_policy
from tests.admission.kustomize import FOLDER, build, of_kind
from tests.admission.undo_installed import UndoInstalled
from tests.cluster import objects
from tests.cluster.client import ApiFailure
from tests.cluster.control_plane import ControlPlane
from tests.counts import Count

pytestmark = pytest.mark.timeout(300)

HOSTILE = Count("hostile requests of each identity", few=20, full=200)
DETACHED, PRIOR = "scc-responder/detached", "scc-responder/prior-unschedulable"
ARMED = {"scc-responder/armed-by": "a"}
Request = tuple[Any, ...]
"""Method, path, and perhaps a body and a query."""


class Scene:
    """A pod that is marked, isolated and detached, on a node that is cordoned, for a wide identity of undo."""

    def __init__(self, undo: UndoInstalled) -> None:
        self.undo, self.admin, self.namespace = undo, undo.plane.admin, undo.namespace
        self.node = objects.create_node(self.admin)["metadata"]["name"]
        self.made = 0

    @property
    def node_path(self) -> str:
        return f"/api/v1/nodes/{self.node}"

    @property
    def policies(self) -> str:
        return f"/apis/networking.k8s.io/v1/namespaces/{self.namespace}/networkpolicies"

    def pod(self) -> str:
        """The path of a new pod that the responder has marked and detached."""
        self.made += 1
        manifest = objects.pod(f"undo-{self.made}", self.namespace, self.node, annotations={"example.com/a": "1"})
        created = self.admin.create(manifest)
        path = f"/api/v1/namespaces/{self.namespace}/pods/{created['metadata']['name']}"
        labels = {"app": None, "scc-responder/case": "0123456789ab", "example.com/b": "2", **ARMED}
        marks = {DETACHED: '{"app":"web","tier":"front"}', "scc-responder/finding": "f"}
        self.admin.patch(path, {"metadata": {"labels": labels, "annotations": marks}})
        return path

    def isolated(self, **changed: Any) -> str:
        """The path of a new NetworkPolicy of a pod, in our form but for what is `changed`."""
        pod = self.admin.get(self.pod())["metadata"]
        policy = network_policy(self.namespace, f"scc-responder-0123456789ab-{pod['uid'][:8]}", pod["uid"])
        policy["metadata"]["ownerReferences"][0]["name"] = pod["name"]
        policy["metadata"] |= changed.get("metadata", {})
        policy["spec"] |= changed.get("spec", {})
        created = self.admin.create(policy)
        return f"{self.policies}/{created['metadata']['name']}"

    def cordoned(self, prior: str | None = "false") -> str:
        """The node's path, cordoned with this annotation."""
        marks = {PRIOR: prior, "scc-responder/action-id": "a"}
        self.admin.patch(self.node_path, {"spec": {"unschedulable": True}, "metadata": {"annotations": marks}})
        return self.node_path

    def told(self, request: Request) -> str:
        """What is said against it; empty if nothing is."""
        method, path, *rest = request
        answer = self.undo.send(method, path, *rest[:1], **(rest[1] if rest[1:] else {}))
        return "" if answer.status < 300 else str(answer.body["message"]).rpartition("denied request: ")[2]


@pytest.fixture(scope="module")
def scene(control_plane: ControlPlane) -> Iterator[Scene]:
    """The admission policy of undo, for an identity that RBAC allows everything."""
    undo = UndoInstalled(control_plane, objects.create_namespace(control_plane.admin), wide=True, collector=COLLECTOR)
    made = Scene(undo)
    try:
        undo.apply()
        yield made
    finally:
        undo.remove()
        with suppress(ApiFailure):
            control_plane.admin.delete(made.node_path)
        control_plane.admin.delete(f"/api/v1/namespaces/{undo.namespace}")


def meta(**fields: Any) -> dict[str, Any]:
    return {"metadata": fields}


GIVEN_BACK = meta(labels={"app": "web", "tier": "front"}, annotations={DETACHED: None})
ADMITTED: list[Any] = [
    pytest.param(
        lambda s: (
            "PATCH",
            s.pod(),
            meta(labels={"scc-responder/case": None}, annotations={"scc-responder/finding": None}),
        ),
        id="marks-go",
    ),
    pytest.param(lambda s: ("PATCH", s.pod(), meta(labels=dict.fromkeys(ARMED))), id="an-arming-goes"),
    pytest.param(lambda s: ("PATCH", s.pod(), GIVEN_BACK), id="a-detached-pod-has-its-labels-back"),
    pytest.param(lambda s: ("DELETE", s.isolated()), id="an-isolation-goes"),
    pytest.param(
        lambda s: ("PATCH", s.cordoned(), {**meta(annotations={PRIOR: None}), "spec": {"unschedulable": None}}),
        id="a-cordon-goes",
    ),
    pytest.param(lambda s: ("PATCH", s.cordoned(), {"spec": {"unschedulable": False}}), id="a-cordon-is-false"),
]


@pytest.mark.parametrize("request_of", ADMITTED)
def test_what_takes_an_act_back_is_admitted(scene: Scene, request_of: Callable[[Scene], Request]) -> None:
    """As a rehearsal, and for real."""
    method, path, *rest = request_of(scene)
    body = rest[0] if rest else None
    assert scene.told((method, path, body, {"dryRun": "All"})) == ""
    assert scene.told((method, path, body)) == ""


NOT_AN_ACT = "this takes back no act of the responder: "
TAKEN = "only labels and annotations under scc-responder/ may be taken away"
SET = "no annotation may be set"
GIVEN = "a label is only given back, as scc-responder/detached keeps it, by a request that takes that away"
FORM = "a NetworkPolicy is deleted only by its name, and only one that the responder made for one pod"
CHANGED = "a NetworkPolicy that somebody has changed is not deleted"
PRIOR_ONLY = "a node is uncordoned only while its scc-responder/prior-unschedulable says false"
DENIED: list[Any] = [
    pytest.param(lambda s: ("DELETE", s.pod()), f"{NOT_AN_ACT}DELETE pods", id="an-armed-pod"),
    pytest.param(
        lambda s: ("POST", f"{s.pod()}/eviction", {"metadata": {"name": f"undo-{s.made}", "labels": ARMED}}),
        f"{NOT_AN_ACT}CREATE pods/eviction",
        id="an-eviction",
    ),
    pytest.param(
        lambda s: ("POST", s.policies, network_policy(s.namespace)),
        f"{NOT_AN_ACT}CREATE networkpolicies.networking.k8s.io",
        id="an-isolation",
    ),
    pytest.param(
        lambda s: ("PATCH", s.isolated(), {"spec": {"ingress": [{}]}}),
        f"{NOT_AN_ACT}UPDATE networkpolicies.networking.k8s.io",
        id="an-opened-policy",
    ),
    pytest.param(lambda s: ("DELETE", s.policies), FORM, id="every-policy"),
    pytest.param(lambda s: ("PATCH", s.pod(), meta(labels={"example.com/b": None})), TAKEN, id="anothers-label"),
    pytest.param(
        lambda s: ("PATCH", s.pod(), meta(annotations={"example.com/a": None})), TAKEN, id="anothers-annotation"
    ),
    pytest.param(lambda s: ("PATCH", s.pod(), meta(annotations={"scc-responder/x": "y"})), SET, id="a-new-annotation"),
    pytest.param(lambda s: ("PATCH", s.pod(), meta(labels={"scc-responder/case": "x"})), GIVEN, id="another-mark"),
    pytest.param(
        lambda s: ("PATCH", s.pod(), meta(labels={"scc-responder/armed-by": "b"})), GIVEN, id="an-arming-of-its-own"
    ),
    pytest.param(
        lambda s: ("PATCH", s.pod(), meta(labels={"app": "other"}, annotations={DETACHED: None})),
        GIVEN,
        id="other-value",
    ),
    pytest.param(lambda s: ("PATCH", s.pod(), meta(labels={"app": "web"})), GIVEN, id="the-annotation-stays"),
    pytest.param(
        lambda s: ("PATCH", s.pod(), {"spec": {"activeDeadlineSeconds": 1}}),
        "nothing but labels and annotations of a pod may be changed",
        id="a-pod-that-ends",
    ),
    pytest.param(
        lambda s: ("PATCH", s.pod(), meta(finalizers=["example.com/x"])),
        "of the metadata, only labels and annotations may be changed",
        id="a-finalizer",
    ),
    pytest.param(
        lambda s: ("PATCH", s.cordoned("true"), {"spec": {"unschedulable": None}}), PRIOR_ONLY, id="cordoned-before"
    ),
    pytest.param(
        lambda s: ("PATCH", s.cordoned(None), {"spec": {"unschedulable": None}}), PRIOR_ONLY, id="anothers-cordon"
    ),
    pytest.param(
        lambda s: ("PATCH", s.cordoned(), {"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}}),
        "a node may be uncordoned, and nothing else",
        id="a-taint",
    ),
    pytest.param(lambda s: ("DELETE", s.isolated(spec={"ingress": [{}]})), CHANGED, id="a-policy-that-was-opened"),
    pytest.param(lambda s: ("DELETE", s.isolated(metadata={"name": "deny-all"})), FORM, id="anothers-policy"),
    pytest.param(lambda s: ("DELETE", s.isolated(metadata={"ownerReferences": []})), FORM, id="a-policy-without-owner"),
    pytest.param(
        lambda s: ("DELETE", s.isolated(metadata={"annotations": {"team": "shop"}})),
        FORM,
        id="a-policy-that-is-claimed",
    ),
    pytest.param(
        lambda s: ("POST", "/api/v1/namespaces", {"metadata": {"name": "x"}}),
        f"{NOT_AN_ACT}CREATE namespaces",
        id="any",
    ),
]


@pytest.mark.parametrize(("request_of", "said"), DENIED)
def test_all_else_is_denied(scene: Scene, request_of: Callable[[Scene], Request], said: str) -> None:
    """Also as a rehearsal."""
    method, path, *rest = request_of(scene)
    body = rest[0] if rest else None
    if path == scene.policies and method == "DELETE":
        scene.isolated()
    assert said in scene.told((method, path, body, {"dryRun": "All"}))
    assert said in scene.told((method, path, body))


def test_no_command_is_run_in_a_pod(scene: Scene) -> None:
    """There is no rehearsal of a connection."""
    request = ("POST", f"{scene.pod()}/exec", None, {"command": "sh"})
    assert scene.told(request) == f"{NOT_AN_ACT}CONNECT pods/exec"


def test_the_two_identities_are_two_files() -> None:
    """The role of undo has no verb that the responder's acts need but to patch, and no name of the responder's."""
    undo, responder = build(folder=FOLDER / "undo"), build()
    verbs = {verb for role in of_kind(undo, "ClusterRole") for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "patch", "delete"}
    subjects = [
        {subject["name"] for item in of_kind(side, "ClusterRoleBinding") for subject in item["subjects"]}
        for side in (undo, responder)
    ]
    assert not subjects[0] & subjects[1]
    assert "EMAIL'" not in yaml.safe_dump_all(undo).replace("-EMAIL-FROM", "")


def hostile(random: Random, pod: str, policy: str, node: str, responder: str) -> Request:
    """A request that would release something, or end the pod."""
    keys = ("scc-responder/isolated-pod", "scc-responder/case", "app", "scc-responder/armed-by", "example.com/b")
    labels = {key: random.choice([None, "x", "web"]) for key in random.sample(keys, random.randint(1, 3))}
    kept = json.dumps({"app": random.choice(["web", "x"])}, separators=(",", ":"))
    form = random.choice(["cut", "look", "freeze", "thaw", "shell"])
    container = {
        "name": f"scc-responder-{form}-0123456789ab",
        "image": random.choice([COLLECTOR["image"], "busybox:1"]),
        "targetContainerName": "web",
        "args": random.choice([[form], [form, f"-key={'K' * 43}", "-request=e30"], ["look", "-freeze"]]),
        "securityContext": random.choice([{}, {"privileged": True}]),
    }
    return random.choice(
        [
            ("DELETE", pod),
            ("DELETE", pod.rpartition("/")[0]),
            ("POST", f"{pod}/eviction", {"metadata": {"name": pod.rpartition("/")[2], "labels": ARMED}}),
            ("DELETE", policy),
            ("DELETE", policy.rpartition("/")[0]),
            ("PATCH", policy, {"spec": random.choice([{"egress": [{}]}, {"ingress": [{}]}, {"podSelector": {}}])}),
            ("PATCH", pod, {"metadata": {"labels": labels}}),
            ("PATCH", pod, {"metadata": {"labels": labels, "annotations": {DETACHED: random.choice([None, kept])}}}),
            ("PATCH", pod, {"metadata": {"annotations": {PRIOR: None}, "finalizers": ["example.com/x"]}}),
            ("PATCH", node, {"spec": {"unschedulable": random.choice([None, False])}}),
            ("PATCH", node, {"metadata": {"annotations": {PRIOR: random.choice([None, "false"])}}}),
            ("PATCH", f"{pod}/ephemeralcontainers", {"spec": {"ephemeralContainers": [container]}}),
            ("POST", f"{pod}/exec", None, {"command": "sh"}),
            ("POST", f"{pod}/binding", {"metadata": {}, "target": {"name": responder}}),
        ]
    )


def test_the_responder_releases_nothing(wide: Installed) -> None:
    """With a cluster-admin's RBAC, admission alone holds: the isolation, its label and the cordon stay."""
    admin = wide.plane.admin
    wide.switch("enforce")
    node = objects.create_node(admin)["metadata"]["name"]
    node_path = f"/api/v1/nodes/{node}"
    created = admin.create(objects.pod("isolated", wide.namespace, node))
    pod, uid = f"/api/v1/namespaces/{wide.namespace}/pods/isolated", created["metadata"]["uid"]
    label = {"scc-responder/isolated-pod": uid}
    admin.patch(pod, {"metadata": {"labels": label}})
    made = network_policy(wide.namespace, f"scc-responder-0123456789ab-{uid[:8]}", uid)
    made["metadata"]["ownerReferences"][0]["name"] = "isolated"
    policy = f"/apis/networking.k8s.io/v1/namespaces/{wide.namespace}/networkpolicies/{made['metadata']['name']}"
    admin.create(made)
    admin.patch(node_path, {"spec": {"unschedulable": True}, "metadata": {"annotations": {PRIOR: "false"}}})
    spec = admin.get(policy)["spec"]
    random = Random(14)
    for _ in range(HOSTILE.number):
        method, path, *rest = hostile(random, pod, policy, node_path, node)
        if method == "DELETE" and path == pod:
            continue  # an act of its own, once the pod is armed
        wide.send(wide.names["email"], method, path, *rest[:1], **(rest[1] if rest[1:] else {}))
    assert admin.get(pod)["metadata"]["labels"].items() >= label.items()
    assert admin.get(policy)["spec"] == spec
    assert admin.get(node_path)["spec"]["unschedulable"]
    admin.delete(node_path)


def test_undo_deletes_no_pod(scene: Scene) -> None:
    """However a pod is armed, and whatever is tried: pod and others' objects live on, and no container is put in."""
    admin, random = scene.admin, Random(15)
    pod, policy, node = scene.pod(), scene.isolated(spec={"ingress": [{}]}), scene.cordoned("true")
    uid = admin.get(pod)["metadata"]["uid"]
    for _ in range(HOSTILE.number):
        scene.told(hostile(random, pod, policy, node, scene.node))
    found, spec = admin.get(pod)["metadata"], admin.get(pod)["spec"]
    assert (found["uid"], found["labels"]["example.com/b"], "deletionTimestamp" in found) == (uid, "2", False)
    assert "ephemeralContainers" not in spec
    assert admin.get(policy)["spec"]["ingress"] == [{}]
    assert admin.get(node)["spec"]["unschedulable"]
