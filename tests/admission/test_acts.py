"""What the API server lets the responder do, and what it refuses it even where RBAC allows everything."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from tests.admission.installed import UID, Installed, network_policy, protected_namespace
from tests.cluster import objects
from tests.cluster.client import Answer, ApiFailure

NOT_AN_ACT = "this is no act of the responder: "
PROTECTED = "the namespace is protected"
AGENT = "the pod is one of Google's agents"
NODE_PROTECTED = "the node is protected"
META = "of the metadata, only labels and annotations may be changed"
LABELS = "only labels under scc-responder/, and those that guardrails.yaml allows, may be set"
ANNOTATIONS = "only annotations under scc-responder/, and those that guardrails.yaml allows, may be set"
DETACHED = "a label is taken away only from a pod of a ReplicaSet or DaemonSet whose scc-responder/detached keeps it"
KEPT = "the annotation scc-responder/detached is a JSON object of labels, and stays as it was written"
POD = "nothing but labels and annotations of a pod may be changed"
OWN_UID = "the labels scc-responder/isolated-pod and scc-responder/pod-uid are for the pod's own UID"
ARMED = "a pod is deleted only by name, and only once it carries scc-responder/armed-by"
EVICTION = "an Eviction carries scc-responder/armed-by, and the UID and version of the pod"
CORDON = "a node may be cordoned, and nothing else"
NAME = "a NetworkPolicy is named scc-responder-CASE-POD, and is labeled with the pod's UID"
ALLOWS = "a NetworkPolicy selects one pod by the label scc-responder/isolated-pod, and allows nothing"
MARKS = "a NetworkPolicy belongs to its pod, carries only marks of the responder, and has no finalizers"

ARMING = {"metadata": {"labels": {"scc-responder/armed-by": "a"}}}
ARMED_BEFORE = {"scc-responder/armed-by": "a"}
"""As version 0.1.0 arms pods: by annotation."""
CORDONED = {"spec": {"unschedulable": True}}
ROOT_CA = "configmaps/kube-root-ca.crt"


class Targets:
    """What a cluster holds for the responder to touch, or not to: paths by name."""

    def __init__(self, installed: Installed) -> None:
        self.installed, self.admin = installed, installed.plane.admin
        self.node = objects.create_node(self.admin)["metadata"]["name"]
        self.guarded = protected_namespace(self.admin, of_agent=True)
        other = {**network_policy(installed.namespace, "other"), "spec": {"podSelector": {}}}
        self.admin.create({**other, "metadata": {"name": "other", "namespace": installed.namespace}})
        self.pods = 0

    def pod(self, *, armed: bool = False, namespace: str = "", **manifest: Any) -> str:
        """A new pod's path."""
        self.pods += 1
        marks = ARMING["metadata"]["labels"] if armed else {}
        inside = namespace or self.installed.namespace
        pod = objects.pod(f"pod-{self.pods}", inside, self.node, annotations={"example.com/a": "1"}, **manifest)
        pod["metadata"]["labels"] = {**pod["metadata"].get("labels", {}), **marks}
        created = self.admin.create(pod)
        return f"/api/v1/namespaces/{inside}/pods/{created['metadata']['name']}"

    def put(self, path: str, **fields: Any) -> dict[str, Any]:
        """The object at the path, whatever its version, with other top-level fields merged in."""
        found = self.admin.get(path)
        del found["metadata"]["resourceVersion"]
        return {**found, **{key: {**found.get(key, {}), **value} for key, value in fields.items()}}

    def other_image(self, path: str) -> dict[str, Any]:
        """A pod's containers with another image."""
        container = self.admin.get(path)["spec"]["containers"][0]
        return {"containers": [{**container, "image": "registry.example.com/other:1"}]}

    @property
    def node_path(self) -> str:
        return f"/api/v1/nodes/{self.node}"

    @property
    def inside(self) -> str:
        return f"/api/v1/namespaces/{self.installed.namespace}"

    @property
    def policies(self) -> str:
        return f"/apis/networking.k8s.io/v1/namespaces/{self.installed.namespace}/networkpolicies"

    def remove(self) -> None:
        for path in (self.node_path, f"/api/v1/namespaces/{self.guarded}"):
            with suppress(ApiFailure):
                self.admin.delete(path)


Request = tuple[Any, ...]
"""Method, path, body, and perhaps a query."""


def _patched(**metadata: Any) -> Callable[[Targets], Request]:
    return lambda targets: ("PATCH", targets.pod(), {"metadata": metadata})


def _isolated(**changed: Any) -> Callable[[Targets], Request]:
    """Another NetworkPolicy: `name`, `uid`, or top-level fields merged in."""

    def request(targets: Targets) -> Request:
        own = {key: changed[key] for key in ("name", "uid") if key in changed}
        policy = network_policy(changed.get("namespace", targets.installed.namespace), **own)
        for key in ("metadata", "spec"):
            policy[key] = {**policy[key], **changed.get(key, {})}
        return ("POST", targets.policies, policy)

    return request


def _protected(request: Callable[[str, Targets], Request]) -> Callable[[Targets], Request]:
    return lambda targets: request(targets.pod(armed=True, namespace=targets.guarded), targets)


ALLOW_ALL = {"ingress": [{}], "egress": [{}]}
OTHER_POD = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": UID.replace("1", "2")}
HELD = {"apiVersion": "v1", "kind": "Pod", "name": "web", "uid": UID, "blockOwnerDeletion": True}
TAINT = [{"key": "example.com/t", "effect": "NoSchedule"}]
DENIED: Mapping[str, tuple[Callable[[Targets], Request], str]] = {
    # pods
    "delete, unarmed": (lambda t: ("DELETE", t.pod()), ARMED),
    "delete, armed with nothing": (
        lambda t: ("DELETE", _annotated(t, {"scc-responder/armed-by": ""})),
        ARMED,
    ),
    "delete, armed with an empty label": (
        lambda t: ("DELETE", _labeled(t, {"scc-responder/armed-by": ""})),
        ARMED,
    ),
    "delete, protected": (_protected(lambda pod, _: ("DELETE", pod)), PROTECTED),
    "rehearse delete, protected": (_protected(lambda pod, _: ("DELETE", pod, None, {"dryRun": "All"})), PROTECTED),
    "label, protected": (
        _protected(lambda pod, _: ("PATCH", pod, {"metadata": {"labels": {"scc-responder/a": "b"}}})),
        PROTECTED,
    ),
    "delete collection": (lambda t: (t.pod(armed=True), ("DELETE", f"{t.inside}/pods"))[1], ARMED),
    "foreign label": (_patched(labels={"app": "other"}), LABELS),
    "new foreign label": (_patched(labels={"team": "x"}), LABELS),
    "label that only begins alike": (_patched(labels={"scc-responder": "x"}), LABELS),
    "label taken away": (_patched(labels={"app": None}), DETACHED),
    "what was taken away, in no form": (_patched(annotations={"scc-responder/detached": "app=a"}), KEPT),
    "foreign annotation": (_patched(annotations={"example.com/a": "2"}), ANNOTATIONS),
    "annotation taken away": (_patched(annotations={"example.com/a": None}), ANNOTATIONS),
    "another pod's uid": (_patched(labels={"scc-responder/isolated-pod": UID}), OWN_UID),
    "another pod's uid, older": (_patched(labels={"scc-responder/pod-uid": UID}), OWN_UID),
    "owner": (_patched(ownerReferences=[OTHER_POD]), META),
    "finalizer": (_patched(finalizers=["scc-responder/hold"]), META),
    "image": (lambda t: ("PATCH", (path := t.pod()), {"spec": t.other_image(path)}), POD),
    "deadline": (lambda t: ("PATCH", t.pod(), {"spec": {"activeDeadlineSeconds": 1}}), POD),
    "image by put": (lambda t: ("PUT", (path := t.pod()), t.put(path, spec=t.other_image(path))), POD),
    "create pod": (
        lambda t: ("POST", f"{t.inside}/pods", objects.pod("new", t.installed.namespace, t.node)),
        NOT_AN_ACT + "CREATE pods",
    ),
    "evict, bound to nothing": (lambda t: _evicted(t, ARMED_BEFORE), EVICTION),
    "evict, unarmed": (lambda t: _evicted(t, labels={}, uid=UID, resourceVersion="1"), EVICTION),
    "evict, armed with nothing": (
        lambda t: _evicted(t, labels={"scc-responder/armed-by": ""}, uid=UID, resourceVersion="1"),
        EVICTION,
    ),
    "evict, whichever pod": (lambda t: _evicted(t, resourceVersion="1"), EVICTION),
    "evict, whichever version": (lambda t: _evicted(t, uid=UID), EVICTION),
    "rehearse evict, whichever pod": (lambda t: (*_evicted(t), {"dryRun": "All"}), EVICTION),
    "evict, protected": (
        _protected(lambda pod, _: ("POST", f"{pod}/eviction", _eviction(pod, uid=UID, resourceVersion="1"))),
        PROTECTED,
    ),
    "exec": (
        lambda t: ("POST", f"{t.pod(armed=True)}/exec", None, {"command": "id", "stdout": "true"}),
        NOT_AN_ACT + "CONNECT pods/exec",
    ),
    "status": (
        lambda t: ("PATCH", f"{t.pod()}/status", {"status": {"phase": "Failed"}}),
        NOT_AN_ACT + "UPDATE pods/status",
    ),
    "debug container": (
        lambda t: (
            "PATCH",
            f"{t.pod()}/ephemeralcontainers",
            {"spec": {"ephemeralContainers": [{"name": "d", "image": "d"}]}},
        ),
        (
            "one container at a time is put in, or a cut and a look of one case, named scc-responder-FORM-CASE, "
            "at most three for a case and six in a pod"
        ),
    ),
    # nodes
    "cordon and taint": (lambda t: ("PATCH", t.node_path, {"spec": {"unschedulable": True, "taints": TAINT}}), CORDON),
    "cordon and pod range": (
        lambda t: ("PATCH", t.node_path, {"spec": {"unschedulable": True, "podCIDR": "10.9.0.0/24"}}),
        CORDON,
    ),
    "uncordon": (
        lambda t: (t.admin.patch(t.node_path, CORDONED), ("PATCH", t.node_path, {"spec": {"unschedulable": None}}))[1],
        CORDON,
    ),
    "node label": (lambda t: ("PATCH", t.node_path, {"metadata": {"labels": {"pool": "x"}}}), LABELS),
    "node annotation": (lambda t: ("PATCH", t.node_path, {"metadata": {"annotations": {"x": "x"}}}), ANNOTATIONS),
    "node finalizer": (lambda t: ("PATCH", t.node_path, {"metadata": {"finalizers": ["a.b/c"]}}), META),
    "node status": (
        lambda t: ("PATCH", f"{t.node_path}/status", {"status": {"phase": "x"}}),
        NOT_AN_ACT + "UPDATE nodes/status",
    ),
    "delete node": (lambda t: ("DELETE", t.node_path), NOT_AN_ACT + "DELETE nodes"),
    "create node": (lambda t: ("POST", "/api/v1/nodes", objects.node("new")), NOT_AN_ACT + "CREATE nodes"),
    # network policies
    "policy of another name": (_isolated(name="isolate"), NAME),
    "policy named for another pod": (_isolated(uid=UID.replace("1", "2")), NAME),
    "policy without label": (_isolated(metadata={"labels": {}}), NAME),
    "policy that allows": (_isolated(spec=ALLOW_ALL), ALLOWS),
    "policy that allows a little": (_isolated(spec={"egress": [{"to": [{"podSelector": {}}]}]}), ALLOWS),
    "policy for all": (_isolated(spec={"podSelector": {}}), ALLOWS),
    "policy for others": (_isolated(spec={"podSelector": {"matchLabels": {"app": "web"}}}), ALLOWS),
    "policy by expression": (
        _isolated(spec={"podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}),
        ALLOWS,
    ),
    "policy one way": (_isolated(spec={"policyTypes": ["Ingress"]}), ALLOWS),
    "policy with a finalizer": (_isolated(metadata={"finalizers": ["scc-responder/hold"]}), MARKS),
    "policy of nobody": (_isolated(metadata={"ownerReferences": []}), MARKS),
    "policy of another pod": (_isolated(metadata={"ownerReferences": [OTHER_POD]}), MARKS),
    "policy that blocks": (_isolated(metadata={"ownerReferences": [HELD]}), MARKS),
    "policy with a foreign mark": (_isolated(metadata={"annotations": {"example.com/a": "b"}}), MARKS),
    "policy with a foreign label": (
        _isolated(metadata={"labels": {"scc-responder/isolated-pod": UID, "app": "web"}}),
        MARKS,
    ),
    "policy labeled otherwise than it selects": (
        _isolated(spec={"podSelector": {"matchLabels": {"scc-responder/pod-uid": UID}}}),
        ALLOWS,
    ),
    "policy, protected": (
        lambda t: ("POST", t.policies.replace(t.installed.namespace, t.guarded), network_policy(t.guarded)),
        PROTECTED,
    ),
    "another's policy": (
        lambda t: ("PATCH", f"{t.policies}/other", {"spec": {"policyTypes": ["Egress"]}}),
        NOT_AN_ACT + "UPDATE networkpolicies.networking.k8s.io",
    ),
    "delete a policy": (
        lambda t: ("DELETE", f"{t.policies}/other"),
        NOT_AN_ACT + "DELETE networkpolicies.networking.k8s.io",
    ),
    # anything else
    "create secret": (
        lambda t: ("POST", f"{t.inside}/secrets", {"metadata": {"name": "s"}}),
        NOT_AN_ACT + "CREATE secrets",
    ),
    "switch": (
        lambda t: ("PATCH", t.inside, {"metadata": {"annotations": {"scc-responder/mode": "enforce"}}}),
        NOT_AN_ACT + "UPDATE namespaces",
    ),
    "config map": (
        lambda t: ("PATCH", f"{t.inside}/{ROOT_CA}", {"data": {"a": "b"}}),
        NOT_AN_ACT + "UPDATE configmaps",
    ),
    "token": (
        lambda t: ("POST", f"{t.inside}/serviceaccounts/default/token", {"spec": {}}),
        NOT_AN_ACT + "CREATE serviceaccounts/token",
    ),
    "role": (
        lambda t: (
            "POST",
            "/apis/rbac.authorization.k8s.io/v1/clusterroles",
            {"metadata": {"name": "x"}, "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]},
        ),
        NOT_AN_ACT + "CREATE clusterroles.rbac.authorization.k8s.io",
    ),
    "scale": (
        lambda t: (
            "POST",
            f"/apis/apps/v1/namespaces/{t.installed.namespace}/deployments",
            objects.deployment("d", t.installed.namespace, t.node),
        ),
        NOT_AN_ACT + "CREATE deployments.apps",
    ),
}
"""A request that the policy refuses, and its words."""


def _eviction(path: str, labels: Mapping[str, str] = ARMED_BEFORE, **preconditions: str) -> dict[str, Any]:
    meta = {"name": path.rpartition("/")[2], "namespace": path.split("/")[4], "labels": labels}
    options = {"preconditions": preconditions} if preconditions else {}
    return {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta, "deleteOptions": options}


def _evicted(targets: Targets, labels: Mapping[str, str] = ARMED_BEFORE, **preconditions: str) -> Request:
    path = targets.pod(armed=True)
    return ("POST", f"{path}/eviction", _eviction(path, labels, **preconditions))


def _own_eviction(targets: Targets, *fields: str) -> Request:
    path = targets.pod(armed=True)
    meta = targets.admin.get(path)["metadata"]
    return ("POST", f"{path}/eviction", _eviction(path, **{field: meta[field] for field in fields}))


def _annotated(targets: Targets, annotations: Mapping[str, str]) -> str:
    path = targets.pod()
    targets.admin.patch(path, {"metadata": {"annotations": annotations}})
    return path


def _labeled(targets: Targets, labels: Mapping[str, str]) -> str:
    path = targets.pod()
    targets.admin.patch(path, {"metadata": {"labels": labels}})
    return path


def _own_uid(targets: Targets, key: str) -> Request:
    path = targets.pod()
    return ("PATCH", path, {"metadata": {"labels": {key: targets.admin.get(path)["metadata"]["uid"]}}})


ALLOWED: Mapping[str, Callable[[Targets], Request]] = {
    "label": _patched(labels={"scc-responder/case": "0123456789ab"}),
    "case of its own": _patched(labels={"scc-responder/case-0123456789ab": ""}),
    "own uid": lambda t: _own_uid(t, "scc-responder/isolated-pod"),
    "own uid, older": lambda t: _own_uid(t, "scc-responder/pod-uid"),
    "annotate": _patched(annotations={"scc-responder/finding": "f"}),
    "arm": lambda t: ("PATCH", t.pod(), ARMING),
    "arm, older": lambda t: ("PATCH", t.pod(), {"metadata": {"annotations": ARMED_BEFORE}}),
    "arm anew": lambda t: ("PATCH", t.pod(armed=True), {"metadata": {"labels": {"scc-responder/armed-by": "b"}}}),
    "delete, armed": lambda t: ("DELETE", t.pod(armed=True)),
    "delete, armed as before": lambda t: ("DELETE", _annotated(t, ARMED_BEFORE)),
    "evict, armed": lambda t: _own_eviction(t, "uid", "resourceVersion"),
    "rehearse evict": lambda t: (*_own_eviction(t, "uid"), {"dryRun": "All"}),
    "rehearse delete": lambda t: ("DELETE", t.pod(), {"dryRun": ["All"]}),
    "cordon": lambda t: (
        "PATCH",
        t.node_path,
        {**CORDONED, "metadata": {"annotations": {"scc-responder/action-id": "a"}}},
    ),
    "isolate": _isolated(),
}


@pytest.fixture(scope="module", params=["shipped", "wide"])
def targets(request: pytest.FixtureRequest) -> Iterator[Targets]:
    """The targets, for an identity with the shipped roles, and for one that is a cluster-admin besides."""
    made = Targets(request.getfixturevalue(request.param))
    made.installed.switch("enforce")
    yield made
    made.remove()


def sent(targets: Targets, request: Request, who: str) -> Answer:
    """The API server's answer to the responder under one of its names."""
    method, path, body, query = (*request, None, {})[:4] if len(request) == 2 else (*request, {})[:4]
    return targets.installed.send(targets.installed.names[who], method, path, body, **query)


def _is_wide(targets: Targets) -> bool:
    return bool(targets.installed.manifests[-1]["metadata"]["name"].startswith("wide-"))


@pytest.mark.parametrize("who", ["email", "unique_id"])
@pytest.mark.parametrize(("request_of", "words"), DENIED.values(), ids=DENIED)
def test_each_forbidden_act_is_denied(
    targets: Targets, request_of: Callable[[Targets], Request], words: str, who: str
) -> None:
    """Each is refused: by the policy in these words, or by RBAC, which in the wide case refuses nothing."""
    answer = sent(targets, request_of(targets), who)
    wide = _is_wide(targets)
    told = str(answer.body.get("message"))
    by_admission = f"ValidatingAdmissionPolicy 'scc-responder-acts-{targets.installed.namespace}'" in told
    assert answer.status in {403, 422}, told
    assert (by_admission and told.endswith(f"denied request: {words}")) or (not wide and "cannot" in told), told


@pytest.mark.parametrize("who", ["email", "unique_id"])
@pytest.mark.parametrize("request_of", ALLOWED.values(), ids=ALLOWED)
def test_each_exact_act_is_allowed(targets: Targets, request_of: Callable[[Targets], Request], who: str) -> None:
    """Its exact acts are let through, with the shipped roles too; those grant what the shipped policies use."""
    with suppress(ApiFailure):
        targets.admin.delete(f"{targets.policies}/{network_policy('')['metadata']['name']}")
    request = request_of(targets)
    answer = sent(targets, request, who)
    if request[1].endswith("/eviction") and not _is_wide(targets):
        assert "cannot create resource" in answer.body["message"]
        return
    assert answer.status in {200, 201}, answer.body


def test_reading_a_secret(shipped: Installed) -> None:
    """No admission policy sees a read: it is the shipped roles that do not allow it."""
    path = f"/api/v1/namespaces/{shipped.namespace}/secrets"
    for name in shipped.names.values():
        assert [shipped.send(name, "GET", at).status for at in (path, f"{path}/any")] == [403, 403]


@pytest.mark.parametrize("mode", [None, "enforce"])
def test_others_are_not_touched(targets: Targets, mode: str | None) -> None:
    """Whatever the mode is, and with none at all, everybody else goes on as before."""
    targets.installed.switch(mode)
    path, admin = targets.pod(), targets.admin
    patched = admin.patch(path, {"metadata": {"labels": {"app": "other"}}})
    admin.patch(targets.node_path, {"spec": {"unschedulable": True, "taints": TAINT}})
    admin.patch(targets.node_path, {"spec": {"unschedulable": None, "taints": None}})
    admin.delete(path)
    assert patched["metadata"]["labels"]["app"] == "other"
    targets.installed.switch("enforce")


def test_large_objects_stay_within_the_cost(targets: Targets) -> None:
    """What is compared may be as large as the API server takes: it stays within the cost that CEL is allowed."""
    environment = [{"name": f"V{n}", "value": "x" * 1000} for n in range(800)]
    containers = [{"name": f"c{n}", "image": "c", "env": environment[n::8]} for n in range(8)]
    labels = {f"example.com/label-{n}": "x" * 60 for n in range(400)}
    annotations = {f"example.com/a-{n}": "x" * 400 for n in range(400)}
    pod = objects.pod("large", targets.installed.namespace, targets.node, labels=labels, annotations=annotations)
    pod["spec"]["containers"] = containers
    path = f"{targets.inside}/pods/{targets.admin.create(pod)['metadata']['name']}"
    for body in (ARMING, {"metadata": {"labels": {"scc-responder/case": "c"}}}):
        answer = targets.installed.send(targets.installed.names["email"], "PATCH", path, body)
        assert answer.status == 200, answer.body
    assert targets.installed.send(targets.installed.names["email"], "DELETE", path).status == 200
