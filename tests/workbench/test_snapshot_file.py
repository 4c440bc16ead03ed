"""A snapshot's file: what is kept of an object, in which order, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.snapshot_file import (
    COLLECTIONS,
    SnapshotFile,
    collection_of,
    decode_snapshot,
    encode_snapshot,
    list_path,
    ordered,
    reduced,
)
from tests.kits.decision_contexts import REF

FILE = SnapshotFile(
    taken_at=datetime(2026, 3, 2, tzinfo=UTC),
    cluster=Cluster(ref=REF),
    objects={"pods": [{"metadata": {"name": "web-1", "namespace": "shop"}}]},
    missing={"nodes": "kubernetes_forbidden"},
)


def test_only_what_decisions_need_is_kept() -> None:
    """No environment, no volumes, and no annotation but ours and those that were asked for."""
    pod: dict[str, Any] = {
        "metadata": {
            "name": "web-1",
            "labels": {"app": "web"},
            "managedFields": [{}],
            "annotations": {"secret": "x", "scc-responder/case": "c", "example.com/team": "t"},
        },
        "spec": {"nodeName": "n", "containers": [{"env": "secret"}], "hostNetwork": True},
        "status": {"containerStatuses": [{"name": "app", "image": "i", "resources": {}}], "conditions": None},
    }
    assert reduced(pod, COLLECTIONS["pods"], ["example.com/*"]) == {
        "metadata": {
            "name": "web-1",
            "labels": {"app": "web"},
            "annotations": {"scc-responder/case": "c", "example.com/team": "t"},
        },
        "spec": {"nodeName": "n", "hostNetwork": True},
        "status": {"conditions": None, "containerStatuses": [{"name": "app", "image": "i"}]},
    }
    assert reduced({"metadata": {"name": "n"}}, COLLECTIONS["nodes"]) == {"metadata": {"name": "n"}}


def test_objects_are_ordered_by_place_and_name() -> None:
    """So that the file of the same cluster is the same."""
    items = [{"metadata": {"namespace": space, "name": name}} for space, name in (("b", "a"), ("a", "b"), ("a", "a"))]
    found = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in ordered(items)]
    assert found == [("a", "a"), ("a", "b"), ("b", "a")]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_a_collection_is_found_by_its_paths(name: str) -> None:
    """Its list, that of a namespace, and one object of it."""
    collection = COLLECTIONS[name]
    for path in (collection.path, list_path(collection, "shop"), f"{list_path(collection, 'shop')}/x"):
        assert collection_of(path) == name
    assert list_path(collection, "") == collection.path


def test_another_path_is_of_no_collection() -> None:
    """What a snapshot does not hold is not guessed."""
    assert collection_of("/api/v1/secrets") is None


def test_a_file_is_read_as_it_was_written() -> None:
    """One field a line, so that differences can be read."""
    content = encode_snapshot(FILE)
    assert decode_snapshot(content, "x.json") == FILE
    assert len(content.splitlines()) > 10


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no snapshot"),
        (b"\xff", "no snapshot"),
        (b'{"snapshot": 1}', "no snapshot"),
        (b'{"snapshot": 2}', "version 2 is not read here"),
    ],
)
def test_another_file_is_refused_by_name(content: bytes, told: str) -> None:
    """With how to take one."""
    with pytest.raises(SettingsError, match=told) as caught:
        decode_snapshot(content, "x.json")
    assert str(caught.value).startswith("x.json: ")
    assert "scc-responder snapshot --cluster NAME" in str(caught.value)
