"""The store of a function that is there already: to look into it must not make one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from scc_responder.adapters.firestore_store import FirestoreStore
from scc_responder.adapters.sqlite_store import SqliteStore
from scc_responder.errors import SettingsError
from scc_responder.services import open_store
from scc_responder.settings import EMULATOR, FIRESTORE

STORE = "scc-responder.db"


def store_option(command: argparse.ArgumentParser) -> None:
    """Declare `--store`."""
    told = f"the SQLite file, or firestore://PROJECT/DATABASE[/COLLECTION] (default: {STORE})"
    command.add_argument("--store", default=STORE, metavar="STORE", help=told)


def existing_store(store: str, *, create: bool = False) -> FirestoreStore | SqliteStore:
    """The store that `--store` names: a file, or a collection in Firestore. Raises SettingsError.

    `create`: a file is made where there is none, for what may be said before the function's first start.
    """
    path = Path(store.removeprefix("sqlite:///"))
    if not create and not FIRESTORE.fullmatch(store) and not path.is_file():
        raise SettingsError("no_store", f"--store {path}: there is no such file; name the store of the function")
    return open_store(store, os.environ.get(EMULATOR, ""), existing=not create)
