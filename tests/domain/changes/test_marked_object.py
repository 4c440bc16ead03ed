"""What changes of one pod or node share: which object it is, where it is, and what is declared of it."""

from __future__ import annotations

import pytest

from scc_responder.domain.changes import ChangedObject, Disruption, change_classes
from scc_responder.domain.changes.marked_object import MarkedObject, marks_of
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.pipeline.undo.undo_changes.release_object import ReleaseObject

MADE = pytest.mark.parametrize("made", [PatchObject, ReleaseObject])


@MADE
def test_a_pod_is_in_its_namespace(made: type[MarkedObject]) -> None:
    """Nothing of nodes is asked for, or disrupted."""
    change = made(kind="Pod", namespace="shop", name="web-1", uid="u1")
    assert change.object_path == "/api/v1/namespaces/shop/pods/web-1"
    assert change.target == ChangedObject(kind="Pod", namespace="shop", name="web-1", uid="u1")
    assert {permission.name for permission in change.declared.permissions} == {"pods"}
    assert change.declared.disrupts is Disruption.NOTHING


@MADE
def test_a_node_is_in_none(made: type[MarkedObject]) -> None:
    """A change of a node disrupts nodes, and asks for nothing of pods."""
    change = made(kind="Node", name="n1", uid="u1")
    assert change.object_path == "/api/v1/nodes/n1"
    assert change.target == ChangedObject(kind="Node", name="n1", uid="u1")
    assert {permission.name for permission in change.declared.permissions} == {"nodes"}
    assert change.declared.disrupts is Disruption.NODES


def test_it_is_no_kind_of_its_own() -> None:
    """No journal has a change that is this and no more: a stored one that says so is not restored."""
    assert MarkedObject not in change_classes().values()
    assert {"patch"} <= change_classes().keys()


def test_an_object_without_marks_has_none() -> None:
    """The API server leaves empty labels out, or tells null."""
    assert marks_of({"metadata": {"labels": {"a": "b"}}}, "labels") == {"a": "b"}
    assert marks_of({"metadata": {"labels": None}}, "labels") == marks_of({"metadata": {}}, "annotations") == {}
