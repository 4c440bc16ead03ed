"""The store of an existing function: reading it must not create one."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from scc_responder.settings import FIRESTORE_EMULATOR, VARIABLE_PREFIX
from scc_responder.workbench.stores import open_store

STORE = "scc-responder.db"
_HINT = ". Before its first start: scc-responder control set --create makes it"
SETTING = f"{VARIABLE_PREFIX}STORE"


def store_option(command: argparse.ArgumentParser, *, fallback: str = STORE) -> None:
    """Declare `--store`. Without a `fallback` it must be given where the environment does not."""
    default = os.environ.get(SETTING) or fallback
    told = f"the SQLite file, or firestore://PROJECT/DATABASE[/COLLECTION] (default: ${SETTING}"
    more = f", else {fallback})" if fallback else ")"
    command.add_argument("--store", default=default, required=not default, metavar="STORE", help=told + more)


def address(store: str) -> str:
    """What `--store` names, in full: a relative path means another file in another folder."""
    return store if FIRESTORE_ADDRESS.fullmatch(store) else str(Path(store.removeprefix("sqlite:///")).absolute())


def existing_store(store: str, *, create: bool = False) -> FirestoreStore | SqliteStore:
    """The store that `--store` names: a file, or a collection in Firestore. Raises SettingsError.

    `create`: a file is made where there is none, for what may be said before the function's first start.
    """
    _check(store)
    path = Path(store.removeprefix("sqlite:///"))
    if not create and not FIRESTORE_ADDRESS.fullmatch(store) and not path.is_file():
        raise SettingsError("no_store", f"--store {path}: there is no such file; name the store of the function{_HINT}")
    return open_store(store, os.environ.get(FIRESTORE_EMULATOR, ""), existing=not create)


def _check(store: str) -> None:
    """Raises SettingsError for what is meant as an address, and is none."""
    path = store.removeprefix("sqlite:///")
    meant = "://" in path or path.startswith(("firestore:", "sqlite:"))
    if not path or (meant and not FIRESTORE_ADDRESS.fullmatch(store)):
        form = "firestore://PROJECT/DATABASE[/COLLECTION], or the path of a SQLite file"
        raise SettingsError("invalid_store", f"--store {store}: give {form}")
