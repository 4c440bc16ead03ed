"""How each kind of change is taken back, or why nothing does."""

from __future__ import annotations

import pytest

from scc_responder.domain.changes import Change, change_classes, restored, stored
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.pipeline.undo.undo_changes.attach_pod import AttachPod
from scc_responder.pipeline.undo.undo_changes.delete_network_policy import DeleteNetworkPolicy
from scc_responder.pipeline.undo.undo_changes.release_object import UNCORDONS_NODE, ReleaseObject
from tests.domain.changes.test_changes import EXAMPLES, POD, WHERE

each_kind = pytest.mark.parametrize("tag", change_classes())
BY_UNDO: dict[str, Change] = {
    "release_object": ReleaseObject(kind="Pod", **WHERE, labels={"scc-responder/a": "b"}),
    "delete_network_policy": DeleteNetworkPolicy(
        namespace="shop", name="n", pod_name="web-1", pod_uid="u1", selector={"a": "b"}
    ),
    "attach_pod": AttachPod(**WHERE, labels={"app": "web"}, owner_uid="u2"),
}


@each_kind
def test_a_kind_says_how_it_is_taken_back(tag: str) -> None:
    """It has an inverse for the very object that it changed, or `lasting` says to people why nothing does."""
    kind, change = change_classes()[tag], EXAMPLES[tag]
    inverse = inverse_of(change)
    assert bool(inverse) + bool(kind.lasting) == (not kind.declares.observes or bool(kind.lasting)), (
        f"{tag}: register its `inverse_of`, or write the line `lasting: ClassVar[str] = ...`"
    )
    if inverse is not None:
        assert inverse.target == change.target
        assert not inverse.declared.ends_pod
    assert kind.declares.reversible or kind.lasting


@pytest.mark.parametrize("tag", BY_UNDO)
def test_a_change_by_undo_is_stored_under_its_tag(tag: str) -> None:
    """Journals keep the tag, so it is never renamed. It says why nothing takes it back, and is about the same pod."""
    change = BY_UNDO[tag]
    assert stored(change)["change"] == tag
    assert tag not in change_classes()
    assert (inverse_of(change), change.target) == (None, POD)
    assert type(change).lasting


def test_a_cordon_is_taken_back_on_its_node() -> None:
    """The node of a cordon is let go by the kind that says so."""
    cordon = PatchObject(kind="Node", name="n1", uid="u2", spec={"unschedulable": True})
    inverse = inverse_of(cordon)
    assert inverse is not None
    assert (inverse.declared, inverse.target) == (UNCORDONS_NODE, cordon.target)


def test_a_stored_change_has_the_same_inverse() -> None:
    """Undo plans from what the journal stored."""
    for change in EXAMPLES.values():
        assert inverse_of(restored(stored(change))) == inverse_of(change)
