"""The embedded compare-and-set store: one SQLite file, shared by the threads and processes of one machine.

Durable over the death of the process and over power loss (WAL, `synchronous=FULL`). Each write is one statement, and
so one transaction; other writers wait for it, up to `busy_seconds`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any

from scc_responder.errors import AlreadyExists, Conflict, SettingsError, StoreOutcomeUnknown, StoreUnavailable
from scc_responder.ports import Clock, Entry, Page
from scc_responder.store_limits import check_key, check_scan, check_value

_SCHEMA = """CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, version TEXT NOT NULL, update_time TEXT NOT NULL
) WITHOUT ROWID"""
_HAS_TABLE = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'entries'"
_GET = "SELECT key, value, version, update_time FROM entries WHERE key = ?"
_CREATE = "INSERT INTO entries (key, value, version, update_time) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
_REPLACE = "UPDATE entries SET value = ?, version = ?, update_time = ? WHERE key = ? AND version = ?"
_DELETE = "DELETE FROM entries WHERE key = ? AND version = ?"
_SCAN = "SELECT key, value, version, update_time FROM entries WHERE key >= ? AND key > ? ORDER BY key LIMIT ?"

_IN_MID_COMMIT = frozenset({sqlite3.SQLITE_IOERR})
"""Errors that can come when the write is in the log already: whoever opens the file next may find it there."""


def utc_now() -> datetime:
    """The machine's clock, in UTC."""
    return datetime.now(UTC)


class SqliteStore:
    """`ports.CasStore` in one file. Safe to use from many threads and processes, and after a fork.

    It removes nothing by itself: `keep` says how long an entry is needed at least, and here it stays.
    """

    def __init__(
        self, path: Path | str, *, clock: Clock = utc_now, busy_seconds: float = 5.0, existing: bool = False
    ) -> None:
        """Create the file (mode 0600) and its folder where missing. Raises SettingsError `store_unusable`.

        `existing`: nothing is made, and a file that is no store is refused. Raises SettingsError `no_store`.
        """
        self._path = Path(path)
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = Lock()
        self._opened: tuple[int, sqlite3.Connection] | None = None
        self._inherited: list[sqlite3.Connection] = []
        try:
            is_store = self._is_store() if existing else self._prepare()
        except (OSError, ValueError, sqlite3.Error) as error:
            message = f"the store {self._path} cannot be used ({error}): name a file in a folder that can be written"
            raise SettingsError("store_unusable", message) from error
        if not is_store:
            raise SettingsError("no_store", f"{self._path}: no store of scc-responder; name the function's own")

    def get(self, key: str) -> Entry | None:
        """The entry, or None. Raises StoreUnavailable."""
        check_key(key)
        with self._connection() as connection:
            row = connection.execute(_GET, (key,)).fetchone()
        return self._entry(row) if row else None

    def create(self, key: str, value: bytes, *, keep: timedelta | None = None) -> Entry:  # noqa: ARG002 - see class
        """Store under a new key. Raises AlreadyExists, StoreUnavailable, StoreOutcomeUnknown."""
        entry = self._new_entry(key, value)
        if not self._run(_CREATE, key, value, entry.version, entry.server_time.isoformat()):
            raise AlreadyExists("already_exists", key)
        return entry

    def replace(self, key: str, value: bytes, version: str, *, keep: timedelta | None = None) -> Entry:  # noqa: ARG002 - see class
        """Store over the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        entry = self._new_entry(key, value)
        if not self._run(_REPLACE, value, entry.version, entry.server_time.isoformat(), key, version):
            raise Conflict("conflict", key)
        return entry

    def delete(self, key: str, version: str) -> None:
        """Remove the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        check_key(key)
        if not self._run(_DELETE, key, version):
            raise Conflict("conflict", key)

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100) -> Page:
        """Entries whose key starts with prefix, in the order of their UTF-8 bytes, after cursor."""
        check_scan(prefix, cursor, limit)
        with (
            self._connection() as connection,
            closing(connection.execute(_SCAN, (prefix, cursor or "", limit + 1))) as rows,
        ):
            found = [self._entry(row) for row in takewhile(lambda row: row[0].startswith(prefix), rows)]
        page = tuple(found[:limit])
        return Page(entries=page, cursor=page[-1].key if len(found) > limit else None)

    def close(self) -> None:
        """Let go of the file. The next call opens it again."""
        with self._lock:
            if self._opened and self._opened[0] == os.getpid():
                self._opened[1].close()
                self._opened = None

    def _new_entry(self, key: str, value: bytes) -> Entry:
        check_key(key)
        check_value(value)
        now = self._clock()
        # Random, not counted: a version must not come back after the key was deleted and created again.
        return Entry(key=key, value=value, version=token_hex(8), server_time=now, update_time=now)

    def _entry(self, row: tuple[str, bytes, str, str]) -> Entry:
        key, value, version, update_time = row
        written = datetime.fromisoformat(update_time)
        return Entry(key=key, value=value, version=version, server_time=self._clock(), update_time=written)

    def _run(self, statement: str, *values: Any) -> int:
        with self._connection(writes=True) as connection:
            return connection.execute(statement, values).rowcount

    @contextmanager
    def _connection(self, *, writes: bool = False) -> Iterator[sqlite3.Connection]:
        """This process's connection, for one caller at a time."""
        try:
            with self._lock:
                yield self._current()
        except sqlite3.Error as error:
            if writes and getattr(error, "sqlite_errorcode", 0) & 0xFF in _IN_MID_COMMIT:
                raise StoreOutcomeUnknown("store_outcome_unknown", f"{self._path}: {error}") from error
            raise StoreUnavailable("store_unavailable", f"{self._path}: {error}") from error

    def _current(self) -> sqlite3.Connection:
        if self._opened and self._opened[0] != os.getpid():
            # A connection must not be used, nor closed, on the other side of a fork: its file locks stayed there.
            self._inherited.append(self._opened[1])
            self._opened = None
        if not self._opened:
            self._opened = (os.getpid(), self._open())
        return self._opened[1]

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=self._busy_seconds, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _is_store(self) -> bool:
        # Neither the file nor anything in it is made, not even for as long as a look takes.
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=self._busy_seconds)) as connection:
            return connection.execute(_HAS_TABLE).fetchone() is not None

    def _prepare(self) -> bool:
        """Make the file and its table, then let go of it: a server that forks has nothing to hand on."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        deadline = time.monotonic() + self._busy_seconds
        while not self._has_schema(last_try=time.monotonic() > deadline):
            time.sleep(0.01)
        return True

    def _has_schema(self, *, last_try: bool) -> bool:
        # SQLite does not wait by itself when several processes switch a new file to WAL at once.
        try:
            with closing(self._open()) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute(_SCHEMA)
        except sqlite3.OperationalError as error:
            if last_try or error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            return False
        return True
