"""Services of a deployment, whose store alone is a file of SQLite's. The zip has no such store: it lies beside it."""

from __future__ import annotations

from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

from msgspec.structs import replace

from scc_responder import adapters
from scc_responder.domain.store import CasStore
from scc_responder.pipeline.services import Services

if not find_spec("scc_responder.adapters.local"):
    adapters.__path__.append(str(Path(__file__).parents[2] / "functions" / "scc_responder" / "adapters"))

from scc_responder.adapters.local.sqlite_store import SqliteStore


class LocalStoreServices(Services):
    """What the zip serves, but for the store."""

    @cached_property
    def store(self) -> CasStore:
        """The file that settings name, or the collection in Firestore."""
        address = self.settings.store
        is_file = address.startswith("sqlite:")
        return SqliteStore(Path(address.removeprefix("sqlite:///"))) if is_file else super().store

    def refuse_local(self) -> None:
        """A file is the store that is meant here; nothing else of this machine is taken."""
        Services(replace(self.settings, store="firestore://example-project/(default)")).refuse_local()
