"""An empty journal (kits/journal_worlds.py)."""

from __future__ import annotations

from tests.kits.journal_worlds import world

__all__ = ["world"]
