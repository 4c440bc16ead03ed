"""The objects of the simulated cluster: stored, patched and deleted as the API server does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.ports import ApiObject
from scc_responder.workbench.simulated_cluster.server.objects import Objects, kubernetes_time, suffix, target_to
from scc_responder.workbench.simulated_cluster.server.refusal import Refusal
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
PODS = RequestTarget(resource=BY_KIND["Pod"], namespace="shop")
POD = PODS.named("web-1")


def pod(name: str = "web-1", **spec: Any) -> ApiObject:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec}


@pytest.fixture
def objects() -> Objects:
    """A namespace with one pod, on a node."""
    made = Objects(lambda: NOON)
    made.create(
        RequestTarget(resource=BY_KIND["Namespace"]),
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}},
    )
    made.create(PODS, pod(nodeName="n"))
    return made


def test_a_new_object_gets_uid_time_and_version(objects: Objects) -> None:
    """And a name, where it asks for one; a copy is given out."""
    stored = objects.get(POD)
    assert (stored["metadata"]["creationTimestamp"], stored["metadata"]["namespace"]) == (
        "2026-03-02T12:00:00Z",
        "shop",
    )
    assert stored["metadata"]["uid"]
    stored["metadata"]["uid"] = "changed"
    assert objects.get(POD)["metadata"]["uid"] != "changed"
    body = pod()
    body["metadata"] = {"generateName": "web-"}
    assert len(objects.create(PODS, body)["metadata"]["name"]) == len("web-") + 5


@pytest.mark.parametrize(
    ("target", "body", "code"),
    [
        (PODS, pod(), 409),
        (RequestTarget(resource=BY_KIND["Pod"], namespace="other"), pod(), 404),
        (PODS, pod("Web"), 422),
        (PODS, {"kind": "Node"}, 400),
    ],
)
def test_what_cannot_be_created_is_refused(objects: Objects, target: RequestTarget, body: ApiObject, code: int) -> None:
    """A taken name, an absent namespace, a name that is none, another kind."""
    with pytest.raises(Refusal) as caught:
        objects.create(target, body)
    assert caught.value.code == code


def test_a_list_is_narrowed_by_selectors(objects: Objects) -> None:
    """Of fields and labels; each term must hold."""
    other = pod("other")
    other["metadata"]["labels"] = {"tier": "x"}
    objects.create(PODS, other)

    def names(**selectors: str) -> list[str]:
        return [item["metadata"]["name"] for item in objects.list(PODS, **selectors)["items"]]

    assert names() == ["other", "web-1"]
    assert names(fields="metadata.name=web-1") == names(labels="app=web") == names(labels="app,!tier") == ["web-1"]
    assert names(labels="tier==x") == ["other"]
    assert names(fields="spec.nodeName==n") == ["web-1"]


def test_a_patch_keeps_its_conditions(objects: Objects) -> None:
    """Version and UID are conditions; one without an effect, and a dry run, store nothing."""
    version = objects.version
    assert objects.patch(POD, {"metadata": {"labels": {"a": "b"}}}, dry_run=True)["metadata"]["labels"]["a"] == "b"
    assert objects.patch(POD, {"metadata": {"labels": {"app": "web"}}}) == objects.get(POD)
    assert objects.version == version
    objects.patch(POD, {"metadata": {"labels": {"a": "b"}}})
    assert objects.version == version + 1
    for body, code in (
        ({"metadata": {"resourceVersion": "1"}}, 409),
        ({"metadata": {"uid": "other"}}, 422),
        ({"metadata": None}, 400),
    ):
        with pytest.raises(Refusal) as caught:
            objects.patch(POD, body)
        assert caught.value.code == code


def test_admission_can_refuse_an_update() -> None:
    """In its own words."""
    made = Objects(lambda: NOON, lambda *_: "not here")
    made.create(
        RequestTarget(resource=BY_KIND["Node"]), {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}}
    )
    with pytest.raises(Refusal, match="not here"):
        made.patch(RequestTarget(resource=BY_KIND["Node"], name="n"), {"metadata": {"labels": {"a": "b"}}})


def test_a_deletion_takes_its_grace(objects: Objects) -> None:
    """A pod on a node stops first; without grace it is gone at once."""
    doomed = objects.delete(POD, {})
    assert doomed["metadata"]["deletionGracePeriodSeconds"] == 30
    assert objects.delete(POD, {"gracePeriodSeconds": 60}) == objects.get(POD)
    objects.delete(POD, {"gracePeriodSeconds": 0}, dry_run=True)
    assert objects.get(POD)
    objects.delete(POD, {"gracePeriodSeconds": 0})
    with pytest.raises(Refusal):
        objects.get(POD)


def test_a_finalizer_keeps_the_object(objects: Objects) -> None:
    """Until it is taken away."""
    objects.patch(POD, {"metadata": {"finalizers": ["example.com/keep"]}})
    objects.delete(POD, {"gracePeriodSeconds": 0})
    assert objects.get(POD)["metadata"]["deletionTimestamp"]
    objects.patch(POD, {"metadata": {"finalizers": None}})
    assert objects.of_kind("Pod") == []


def test_a_deletion_keeps_its_conditions(objects: Objects) -> None:
    """Another UID or version is a conflict; other kinds answer with a Status."""
    for field in ("uid", "resourceVersion"):
        with pytest.raises(Refusal, match="precondition"):
            objects.delete(POD, {"preconditions": {field: "other"}})
    status = objects.delete(RequestTarget(resource=BY_KIND["Namespace"], name="shop"), {})
    assert (status["kind"], status["status"]) == ("Status", "Success")


def test_controllers_replace_what_is_there(objects: Objects) -> None:
    """Another state of the same object."""
    stored = objects.get(POD)
    objects.replace({**stored, "status": {"phase": "Running"}})
    assert objects.get(target_to(stored))["status"] == {"phase": "Running"}
    assert kubernetes_time(NOON) == "2026-03-02T12:00:00Z"
    assert len(suffix()) == 5
