"""How an entry is kept as a Firestore document, and what is asked for to read it. Plain data in Google's terms.

A document's id is the SHA-256 of the entry's key: of bounded length, without `/`, spread evenly over the servers, and
nothing that an attacker wrote. Its fields are

    key         the key, for scans and for people
    value       the bytes
    write       a word of this write's own: it tells a write whose answer was lost from another's, and makes Firestore
                give every write a new `update_time`, which writing the same content would not
    expires_at  where the entry need not be kept for ever: the field of the collection's time-to-live policy
    unfinished  the key once more, if the entry is unfinished; else there is no such field
    due_at      since when the entry is due, if it ever is

Only `key`, `unfinished` and `due_at` are ever searched by, one at a time: by its range, in its order. That is what the
automatic index of a single field serves, and a document that lacks the field is not in it: neither read nor billed
(https://docs.cloud.google.com/firestore/docs/concepts/index-overview). A boolean beside the key would need a composite
index, which has to be made first. The other fields need no index.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Unpack

from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from scc_responder.domain.store import Entry, SearchedBy
from scc_responder.domain.value import Value

DEFAULT_COLLECTION = "scc-responder"
_VERSION = re.compile(r"([0-9]{1,12})\.([0-9]{9})/([0-9a-f]{8})", re.ASCII)
ALL, UNFINISHED, DUE = "key", "unfinished", "due_at"
"""The fields that are searched by: the keys of all entries, those of the unfinished ones, and since when one is due."""

_BEYOND = "\U0010ffff"
"""Sorts after every key with the same prefix: it is not printable, so no key contains it."""


class FirestoreCollection(Value, frozen=True, kw_only=True):
    """Where the entries are. `database` is its full name."""

    database: str
    name: str

    @classmethod
    def of(cls, address: str) -> FirestoreCollection:
        """The collection of a setting `firestore://PROJECT/DATABASE[/COLLECTION]`."""
        match = FIRESTORE_ADDRESS.fullmatch(address)
        if match is None:
            raise ValueError(address)
        return cls(
            database=f"projects/{match['project']}/databases/{match['database']}",
            name=match["collection"] or DEFAULT_COLLECTION,
        )

    def document(self, key: str) -> str:
        """The full name of an entry's document."""
        return f"{self.database}/documents/{self.name}/{_id(key)}"

    def written(
        self, key: str, value: bytes, word: str, expires_at: datetime | None, **by: Unpack[SearchedBy]
    ) -> dict[str, Any]:
        """The document of an entry, for a `Write`."""
        fields: dict[str, Any] = {
            ALL: {"string_value": key},
            "value": {"bytes_value": value},
            "write": {"string_value": word},
        }
        if expires_at is not None:
            fields["expires_at"] = {"timestamp_value": expires_at}
        if by.get("unfinished"):
            fields[UNFINISHED] = {"string_value": key}
        if (due_at := by.get("due_at")) is not None:
            fields[DUE] = {"timestamp_value": due_at}
        return {"name": self.document(key), "fields": fields}

    def commit(self, write: dict[str, Any]) -> dict[str, Any]:
        """The request that makes one write."""
        return {"database": self.database, "writes": [write]}

    def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The request that reads entries. (`GetDocument` would not tell the server's time.)"""
        return {"database": self.database, "documents": [self.document(key) for key in keys]}

    def scan(self, prefix: str, cursor: str, limit: int, *, field: str = ALL) -> dict[str, Any]:
        """The request for the entries of a prefix after a cursor. Firestore orders text by its UTF-8 bytes."""
        is_after = cursor.encode() >= prefix.encode() and cursor != ""
        first = "GREATER_THAN" if is_after else "GREATER_THAN_OR_EQUAL"
        bounds = [_bound(field, first, {"string_value": cursor if is_after else prefix})]
        if prefix:
            bounds.append(_bound(field, "LESS_THAN", {"string_value": prefix + _BEYOND}))
        return self._query(bounds, limit, field)

    def scan_due(self, now: datetime, limit: int, after: Entry | None) -> dict[str, Any]:
        """The request for the entries that are due, behind another. Firestore orders those of one moment by name."""
        request = self._query([_bound(DUE, "LESS_THAN_OR_EQUAL", {"timestamp_value": now})], limit, DUE, "__name__")
        if after is not None:
            place = [{"timestamp_value": after.due_at}, {"reference_value": self.document(after.key)}]
            request["structured_query"]["start_at"] = {"values": place, "before": False}
        return request

    def _query(self, bounds: list[dict[str, Any]], limit: int, *order: str) -> dict[str, Any]:
        query = {
            "from_": [{"collection_id": self.name}],
            "where": {"composite_filter": {"op": "AND", "filters": bounds}},
            "order_by": [{"field": {"field_path": field}, "direction": "ASCENDING"} for field in order],
            "limit": {"value": limit},
        }
        return {"parent": f"{self.database}/documents", "structured_query": query}


def _bound(field: str, operator: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"field_filter": {"field": {"field_path": field}, "op": operator, "value": value}}


def write_precondition(key: str, version: str) -> dict[str, Any] | None:
    """What a write over this version asks for; None for a text that never was a version of this key."""
    match = _VERSION.fullmatch(version)
    if match is None or match[3] != _id(key)[:8]:
        return None
    return {"update_time": {"seconds": int(match[1]), "nanos": int(match[2])}}


def _id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def entry(key: str, value: bytes, update_time: Any, server_time: Any, **by: Unpack[SearchedBy]) -> Entry:
    """An entry, from protobuf's timestamps."""
    return Entry(
        key=key,
        value=value,
        version=f"{update_time.seconds}.{update_time.nanos:09d}/{_id(key)[:8]}",
        server_time=server_time.ToDatetime(tzinfo=UTC),
        update_time=update_time.ToDatetime(tzinfo=UTC),
        **by,
    )


def document_entry(document: Any, read_time: Any) -> Entry:
    """The entry of a document that was read."""
    fields = document.fields
    key, value = fields[ALL].string_value, fields["value"].bytes_value
    due_at = fields[DUE].timestamp_value.ToDatetime(tzinfo=UTC) if DUE in fields else None
    return entry(key, value, document.update_time, read_time, unfinished=UNFINISHED in fields, due_at=due_at)
