"""The stores that a person's machine opens: a file of SQLite's of its own, or the collection of a deployment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from scc_responder.adapters.local.sqlite_store import SqliteStore

if TYPE_CHECKING:
    from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore


def open_store(address: str, emulator: str = "", *, existing: bool = False) -> FirestoreStore | SqliteStore:
    """A store by its setting: a collection in Firestore, or a file of SQLite's, that may have to be there already."""
    if address.startswith("firestore:"):
        from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore  # noqa: PLC0415

        return FirestoreStore(address, emulator=emulator)
    return SqliteStore(Path(address.removeprefix("sqlite:///")), existing=existing)
