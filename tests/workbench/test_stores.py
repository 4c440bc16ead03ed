"""The stores that a person's machine opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.stores import open_store


def test_a_store_is_opened_by_its_address(tmp_path: Path) -> None:
    """A file of SQLite's, or the collection of a deployment."""
    store = open_store(f"sqlite:///{tmp_path}/journal.db")
    assert isinstance(store, SqliteStore)
    store.close()
    collection = open_store("firestore://example-project/(default)", "127.0.0.1:1")
    assert isinstance(collection, FirestoreStore)
    collection.close()


def test_no_file_is_made_where_one_has_to_be_there(tmp_path: Path) -> None:
    """Reading a store creates none."""
    with pytest.raises(SettingsError):
        open_store(f"sqlite:///{tmp_path}/journal.db", existing=True)
    assert list(tmp_path.iterdir()) == []
