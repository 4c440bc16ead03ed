"""The journal's entries as documents of Firestore."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from scc_responder.adapters.google.firestore.firestore_documents import (
    ALL,
    DEFAULT_COLLECTION,
    UNFINISHED,
    FirestoreCollection,
    entry,
    write_precondition,
)

COLLECTION = FirestoreCollection.of("firestore://example-project/journal/cases")
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_an_address_names_the_collection() -> None:
    """Without one it is the default."""
    assert FirestoreCollection(database="projects/example-project/databases/journal", name="cases") == COLLECTION
    assert FirestoreCollection.of("firestore://example-project/(default)").name == DEFAULT_COLLECTION
    with pytest.raises(ValueError, match="sqlite"):
        FirestoreCollection.of("sqlite:///x.db")


def test_a_key_never_stands_in_a_name() -> None:
    """Documents are named by a hash: a key may hold slashes."""
    name = COLLECTION.document("case/a/b")
    assert name.startswith("projects/example-project/databases/journal/documents/cases/")
    assert len(name.rpartition("/")[2]) == 64
    assert COLLECTION.read(["a", "b"])["documents"] == [COLLECTION.document("a"), COLLECTION.document("b")]


@pytest.mark.parametrize(("expires", "unfinished"), [(None, False), (NOON, True)])
def test_a_document_holds_what_is_scanned_for(expires: datetime | None, unfinished: bool) -> None:
    """Its key, and again where it is unfinished; its end, where it has one."""
    document = COLLECTION.written("k", b"v", "word", expires, unfinished=unfinished)
    fields = document["fields"]
    assert (fields[ALL], fields["value"]) == ({"string_value": "k"}, {"bytes_value": b"v"})
    assert (UNFINISHED in fields, "expires_at" in fields) == (unfinished, expires is not None)
    assert COLLECTION.commit(document) == {"database": COLLECTION.database, "writes": [document]}


@pytest.mark.parametrize(
    ("prefix", "cursor", "bounds"),
    [
        ("", "", [("GREATER_THAN_OR_EQUAL", "")]),
        ("case/", "", [("GREATER_THAN_OR_EQUAL", "case/"), ("LESS_THAN", "case/\U0010ffff")]),
        ("case/", "case/7", [("GREATER_THAN", "case/7"), ("LESS_THAN", "case/\U0010ffff")]),
        ("case/", "a", [("GREATER_THAN_OR_EQUAL", "case/"), ("LESS_THAN", "case/\U0010ffff")]),
    ],
)
def test_a_scan_continues_after_its_cursor(prefix: str, cursor: str, bounds: list[tuple[str, str]]) -> None:
    """Within its prefix, in the order of keys."""
    query: Any = COLLECTION.scan(prefix, cursor, 7, field=UNFINISHED)["structured_query"]
    filters = [item["field_filter"] for item in query["where"]["composite_filter"]["filters"]]
    assert [(item["op"], item["value"]["string_value"]) for item in filters] == bounds
    assert (query["limit"], query["order_by"][0]["field"]) == ({"value": 7}, {"field_path": UNFINISHED})


def test_a_version_is_a_condition_of_its_own_key() -> None:
    """Its time of writing; a version of another key, or none, is no condition."""
    written, read = Timestamp(seconds=1772452800, nanos=5), Timestamp(seconds=1772452801)
    found = entry("k", b"v", written, read, unfinished=True)
    assert (found.server_time, found.unfinished) == (NOON.replace(second=1), True)
    assert write_precondition("k", found.version) == {"update_time": {"seconds": 1772452800, "nanos": 5}}
    assert write_precondition("other", found.version) is None
    assert write_precondition("k", "7") is None
