"""Both stores, each as new."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.store import CasStore
from tests.kits.google.firestore import FirestoreEmulator, Opened


@pytest.fixture(params=["sqlite", "firestore"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CasStore]:
    """One contract holds for both."""
    if request.param == "sqlite":
        yield SqliteStore(tmp_path / "store.db")
        return
    emulator: FirestoreEmulator = request.getfixturevalue("firestore")
    opened = Opened(emulator.host, emulator.address())
    yield opened()
    opened.close()
