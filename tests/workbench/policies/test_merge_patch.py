"""Merging a patch over a typed value: as RFC 7396, and refusing what the value has no place for."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.workbench.explanation import ContextFacts
from scc_responder.workbench.policies.merge_patch import PatchError, patched
from tests.kits.decision_contexts import FINDING, NODE, POD

FACTS = ContextFacts(pod=POD, node=NODE, related=())

CHANGES = [
    pytest.param({"pod": {"namespace": "other"}}, "pod.namespace", "other", id="field"),
    pytest.param({"pod": {"labels": {"team": "a"}}}, "pod.labels", {"app": "web", "team": "a"}, id="map-grows"),
    pytest.param({"pod": {"labels": {"app": None}}}, "pod.labels", {}, id="map-shrinks"),
    pytest.param({"pod": {"owners": []}}, "pod.owners", (), id="list-replaced"),
    pytest.param(
        {"pod": {"owners": [{"kind": "Job", "name": "j", "uid": "u"}]}}, "pod.workload.kind", "Job", id="item"
    ),
    pytest.param({"node": None}, "node", None, id="removed"),
    pytest.param({"related": None}, "related", None, id="removed-list"),
    pytest.param({"missing": {"node": "not_found"}}, "missing", {"node": "not_found"}, id="added"),
]


@pytest.mark.parametrize(("patch", "path", "value"), CHANGES)
def test_a_patch_changes_only_what_it_says(patch: dict[str, Any], path: str, value: Any) -> None:
    """What the patch says is changed, and nothing else."""
    changed: Any = patched(FACTS, patch)
    for name in path.split("."):
        changed = getattr(changed, name)
    assert changed == value


REFUSED = [
    pytest.param({"pdo": {}}, "pdo", id="top"),
    pytest.param({"pod": {"ownres": []}}, "pod.ownres: there is no such field", id="below"),
    pytest.param(
        {"pod": {"owners": [{"kind": "J", "name": "j", "uid": "u", "x": 1}]}}, "pod.owners[0].x", id="in-a-list"
    ),
    pytest.param({"pod": {"ownres": None}}, "pod.ownres", id="removal-of-nothing"),
    pytest.param({"pod": {"labels": {"none": None}}}, "pod.labels.none", id="removal-from-a-map"),
    pytest.param({"pod": {"namespace": 3}}, "pod.namespace: expected a text, got the number 3", id="type"),
    pytest.param({"pod": {"name": None}}, "pod.name: missing", id="needed"),
]


@pytest.mark.parametrize(("patch", "told"), REFUSED)
def test_a_wrong_patch_names_its_path(patch: dict[str, Any], told: str) -> None:
    """A key that is spelt wrong, a removal of what is not there, or a wrong type is told with its path."""
    with pytest.raises(ValueError, match=re.escape(told)):
        patched(FACTS, patch)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
FIELDS = st.sampled_from(FINDING.__struct_fields__) | st.text(max_size=5)


@given(st.dictionaries(FIELDS, JSON, max_size=4))
def test_any_patch_is_merged_or_refused(patch: dict[str, Any]) -> None:
    """Whatever the patch, it is refused with a ValueError, or every field of it is in what comes out."""
    try:
        changed = msgspec.to_builtins(patched(FINDING, patch))
    except ValueError:
        return
    assert patch.keys() <= changed.keys()
    assert {
        name for name in changed if name not in patch and changed[name] != msgspec.to_builtins(FINDING)[name]
    } == set()


def test_every_mistake_has_its_place() -> None:
    """All that is wrong with a patch is told at once, each by the keys that lead to it."""
    with pytest.raises(PatchError) as refused:
        patched(FACTS, {"pod": {"ownres": [], "labls": {}}, "node": {"nam": "x"}})
    told = refused.value.mistakes
    assert [mistake.path for mistake in told] == [("pod", "ownres"), ("pod", "labls"), ("node", "nam")]
    assert "did you mean 'owners'?" in told[0].text
    assert patched(FACTS, {"pod": {"owners": []}}).pod is not None


def test_an_empty_patch_changes_nothing() -> None:
    """An empty patch leaves the value as it is."""
    assert patched(FACTS, {}) == FACTS
