"""What the simulated API server does not store."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.server.refusal import Refusal
from scc_responder.workbench.simulated_cluster.server.resources import BY_KIND, RequestTarget
from scc_responder.workbench.simulated_cluster.server.validation import check, check_type

POD = RequestTarget(resource=BY_KIND["Pod"], namespace="shop", name="web-1")
POLICY = RequestTarget(resource=BY_KIND["NetworkPolicy"], namespace="shop", name="p")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"apiVersion": "v1", "kind": "Node", "metadata": {}}, "must be of type Pod"),
        ({"apiVersion": "v1", "kind": "Pod"}, "has no metadata"),
        ({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "other"}}, "does not match the namespace"),
    ],
)
def test_a_body_must_fit_its_path(body: Any, told: str) -> None:
    """Kind and namespace are those of the path."""
    with pytest.raises(Refusal, match=told) as caught:
        check_type(POD, body)
    assert caught.value.code == 400
    check_type(POD, {"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop"}})


def metadata(**changes: Any) -> dict[str, Any]:
    return {"metadata": {"name": "web-1", "namespace": "shop", "uid": "u", **changes}, "spec": {}}


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (metadata(name="Web"), "metadata.name"),
        (metadata(name="a" * 254), "metadata.name"),
        (metadata(labels={"a b": "x"}), "metadata.labels"),
        (metadata(labels={"a": "-x"}), "metadata.labels"),
        (metadata(labels={"a": 7}), "metadata.labels"),
        (metadata(labels={"UPPER.example.com/a": "x"}), "metadata.labels"),
        (metadata(annotations={"a/b/c": "x"}), "metadata.annotations"),
        (metadata(annotations={"a": "x" * 262144}), "metadata.annotations"),
    ],
)
def test_invalid_metadata_is_refused_by_field(new: Any, field: str) -> None:
    """As Kubernetes refuses it: 422, with the field."""
    with pytest.raises(Refusal) as caught:
        check(POD, None, new)
    assert caught.value.code == 422
    assert caught.value.body["details"]["causes"][0]["field"] == field


def test_valid_objects_are_stored() -> None:
    """Labels, annotations with a prefix, and a pod's new image."""
    check(POD, None, metadata(labels={"app": "web", "example.com/a": ""}, annotations={"example.com/a": "any text"}))
    old, new = metadata(), metadata()
    old["spec"] = {"containers": [{"name": "app", "image": "a"}], "tolerations": []}
    new["spec"] = {"containers": [{"name": "app", "image": "b"}], "tolerations": [{}]}
    check(POD, old, new)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": {"name": "web-1", "namespace": "shop", "uid": "other"}}, "metadata.uid"),
        ({"spec": {"hostNetwork": True}}, "spec"),
    ],
)
def test_what_may_not_change_is_refused(change: dict[str, Any], field: str) -> None:
    """An object's identity, and most of a pod's spec."""
    with pytest.raises(Refusal) as caught:
        check(POD, metadata(), {**metadata(), **change})
    assert caught.value.body["details"]["causes"][0]["field"] == field


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"policyTypes": ["Both"]}, "spec.policyTypes"),
        ({"podSelector": {"matchLabels": {"a": "b c"}}}, "spec.podSelector.matchLabels"),
    ],
)
def test_a_senseless_policy_is_refused(spec: dict[str, Any], field: str) -> None:
    """Its selector and its types are looked at."""
    with pytest.raises(Refusal) as caught:
        check(POLICY, None, {"metadata": {"name": "p"}, "spec": spec})
    assert caught.value.body["details"]["causes"][0]["field"] == field
