"""Which labels the responder may take away from a pod: those that its annotation keeps, where the owner replaces it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.admission.installed import Installed
from tests.admission.test_acts import DETACHED, KEPT, LABELS, Targets
from tests.cluster import objects

ANNOTATION = "scc-responder/detached"
TAKEN = "0123456789ab"
Metadata = Mapping[str, Any]


class Owned(Targets):
    """Pods of workloads, each of its own."""

    def of(self, kind: Callable[..., dict[str, Any]]) -> str:
        """The path of a running pod of a new workload of this kind, with a label of ours; its other one is `app`."""
        self.pods += 1
        name = f"owned-{self.pods}"
        self.admin.create(kind(name, self.installed.namespace, self.node))
        pod = objects.running_pods(self.admin, self.installed.namespace, name)[0]
        path = f"{self.inside}/pods/{pod['metadata']['name']}"
        self.admin.patch(
            path, {"metadata": {"labels": {f"scc-responder/case-{TAKEN}": "", "example.com/tier": "a.b-c_d"}}}
        )
        return path

    def name_of(self, path: str) -> str:
        """The value of its label `app`."""
        return str(self.admin.get(path)["metadata"]["labels"]["app"])

    def told(self, path: str, metadata: Metadata, **query: str) -> str:
        """What is said against this merge patch of the metadata; empty if nothing is."""
        answer = self.installed.send(self.installed.names["email"], "PATCH", path, {"metadata": metadata}, **query)
        return "" if answer.status == 200 else str(answer.body["message"]).rpartition("denied request: ")[2]


@pytest.fixture(scope="module")
def owned(wide: Installed) -> Iterator[Owned]:
    """Pods of workloads, for an identity that RBAC allows everything."""
    made = Owned(wide)
    made.installed.switch("enforce")
    yield made
    made.remove()


@pytest.fixture(scope="module")
def replica(owned: Owned) -> str:
    """A Deployment's pod that is only asked about."""
    return owned.of(objects.deployment)


def detaching(**labels: str) -> dict[str, Any]:
    """Labels taken away, with these old values in the annotation."""
    pairs = ",".join(f'"{key.replace("__", "/")}":"{value}"' for key, value in labels.items())
    keys = {key.replace("__", "/"): None for key in labels}
    return {"labels": keys, "annotations": {ANNOTATION: f"{{{pairs}}}"}}


@pytest.mark.parametrize("kind", [objects.deployment, objects.daemon_set])
def test_a_pod_is_detached_and_its_labels_kept(owned: Owned, kind: Callable[..., dict[str, Any]]) -> None:
    """By one request, for the pods that their owner makes anew; a person puts the labels back from the annotation."""
    path = owned.of(kind)
    body = detaching(app=owned.name_of(path), **{"example.com__tier": "a.b-c_d"})
    assert owned.told(path, body, dryRun="All") == ""
    assert owned.told(path, body) == ""
    meta = owned.admin.get(path)["metadata"]
    assert "app" not in meta["labels"]
    assert f"scc-responder/case-{TAKEN}" in meta["labels"]
    assert owned.told(path, {"annotations": {ANNOTATION: '{"app":"x"}'}}) == KEPT
    assert owned.told(path, {"annotations": {ANNOTATION: None}}) != ""


def test_labels_stay_whose_values_are_not_kept(owned: Owned, replica: str) -> None:
    """Neither without the annotation, nor with another value, or only a part of it, nor under another key."""
    name = owned.name_of(replica)
    app = {"labels": {"app": None}}
    told = {
        "no annotation": owned.told(replica, app),
        "another value": owned.told(replica, detaching(app="other")),
        "more than the value": owned.told(replica, detaching(app=f"{name}x")),
        "another key": owned.told(replica, {**app, **_kept(f'{{"myapp":"{name}"}}')}),
        "one of two": owned.told(
            replica, {"labels": {"app": None, "example.com/tier": None}, **_kept(f'{{"app":"{name}"}}')}
        ),
        "our own label": owned.told(replica, detaching(**{f"scc-responder__case-{TAKEN}": ""})),
    }
    assert told == dict.fromkeys(told, DETACHED)


def test_a_changed_label_is_not_taken_away(owned: Owned, replica: str) -> None:
    """Whatever the annotation says, a label of another gets no other value."""
    body = {"labels": {"app": "other"}, **_kept(f'{{"app":"{owned.name_of(replica)}"}}')}
    assert owned.told(replica, body) == LABELS


@pytest.mark.parametrize(
    "text",
    [
        'x{"app":"a"}',
        '{"app":"a"}x',
        '{"app":"a",}',
        '{"app":["a"]}',
        '{"app":"a\\"b"}',
        '{"app": "a"}',
        "{}",
        "app=a",
    ],
)
def test_the_annotation_is_a_json_object(owned: Owned, replica: str, text: str) -> None:
    """Of strings, as labels are: nobody has to guess what was there."""
    assert owned.told(replica, _kept(text)) == KEPT


def test_other_pods_keep_their_labels(owned: Owned) -> None:
    """A StatefulSet makes no other pod, and one that nobody owns is not replaced."""
    alone, stateful = owned.pod(), owned.of(objects.stateful_set)
    told = [owned.told(path, detaching(app=owned.name_of(path))) for path in (alone, stateful)]
    assert told == [DETACHED, DETACHED]


def test_another_owner_than_the_controller_replaces_nothing(owned: Owned, replica: str) -> None:
    """A pod may name a ReplicaSet as an owner that makes no other pod for it."""
    (owner,) = owned.admin.get(replica)["metadata"]["ownerReferences"]
    pod = objects.pod("shared", owned.installed.namespace, owned.node)
    pod["metadata"]["ownerReferences"] = [{**owner, "controller": False}]
    path = f"{owned.inside}/pods/{owned.admin.create(pod)['metadata']['name']}"
    assert owned.told(path, detaching(app="shared")) == DETACHED


def test_no_label_of_a_node_is_taken_away(owned: Owned) -> None:
    """Only pods are detached."""
    key = "kubernetes.io/hostname"
    value = owned.admin.get(owned.node_path)["metadata"]["labels"][key]
    body = {"labels": {key: None}, **_kept(f'{{"{key}":"{value}"}}')}
    assert owned.told(owned.node_path, body) == DETACHED


def _kept(text: str) -> dict[str, Any]:
    return {"annotations": {ANNOTATION: text}}
