"""A journal without a case, in memory of the process alone."""

from __future__ import annotations

import tempfile
from pathlib import Path

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.journal.journal import Journal

_FOLDER = tempfile.TemporaryDirectory()
NO_JOURNAL = Journal(SqliteStore(Path(_FOLDER.name) / "journal.db"), utc_now)
