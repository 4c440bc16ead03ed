"""An empty journal (kits/journal_worlds.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kits.journal_worlds import JournalWorld


@pytest.fixture
def world(tmp_path: Path) -> Iterator[JournalWorld]:
    """A journal on an empty store."""
    world = JournalWorld(tmp_path / "store.db")
    yield world
    world.sqlite.close()
