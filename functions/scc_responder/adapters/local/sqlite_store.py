"""The embedded compare-and-set store: one SQLite file, shared by the threads and processes of one machine.

Durable over the death of the process and over power loss (WAL, `synchronous=FULL`). Each write is one statement, and
so one transaction; other writers wait for it, up to `busy_seconds`.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, Unpack

from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import AlreadyExists, Conflict, SettingsError, StoreOutcomeUnknown, StoreUnavailable
from scc_responder.domain.ports import Clock
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry, Page, SearchedBy, check_key, check_keys, check_scan, check_value

_TABLE = """CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, version TEXT NOT NULL, update_time TEXT NOT NULL,
    unfinished INTEGER NOT NULL DEFAULT 0, due_at TEXT
) WITHOUT ROWID"""
_ADDED = {"unfinished": "INTEGER NOT NULL DEFAULT 0", "due_at": "TEXT"}
"""Columns that the tables of earlier versions lack. `due_at` is of one length, so that its order is that of time."""
_INDEXES = (
    "CREATE INDEX IF NOT EXISTS unfinished_entries ON entries (key) WHERE unfinished",
    "CREATE INDEX IF NOT EXISTS due_entries ON entries (due_at, key) WHERE due_at IS NOT NULL",
)
_COLUMNS = "SELECT name FROM pragma_table_info('entries')"
_READ = "SELECT key, value, version, update_time, unfinished, due_at FROM entries"
_GET = f"{_READ} WHERE key IN ({{}})"
_CREATE = """INSERT INTO entries (key, value, version, update_time, unfinished, due_at)
    VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
_REPLACE = """UPDATE entries SET value = ?, version = ?, update_time = ?, unfinished = ?, due_at = ?
    WHERE key = ? AND version = ?"""
_DELETE = "DELETE FROM entries WHERE key = ? AND version = ?"
_SCAN = f"{_READ} WHERE key >= ? AND key > ? ORDER BY key LIMIT ?"
_SCAN_UNFINISHED = f"{_READ} WHERE unfinished AND key >= ? AND key > ? ORDER BY key LIMIT ?"
_SCAN_DUE = f"{_READ} WHERE due_at <= ? AND (due_at, key) > (?, ?) ORDER BY due_at, key LIMIT ?"

_IN_MID_COMMIT = frozenset({sqlite3.SQLITE_IOERR})
"""Errors that can come when the write is in the log already: whoever opens the file next may find it there."""


class SqliteStore:
    """`ports.CasStore` in one file. Safe to use from many threads and processes, and after a fork.

    It removes nothing by itself: `keep` says how long an entry is needed at least, and here it stays.
    """

    def __init__(
        self, path: Path | str, *, clock: Clock = utc_now, busy_seconds: float = 5.0, existing: bool = False
    ) -> None:
        """Create the file (mode 0600) and its folder where missing. Raises SettingsError `store_unusable`.

        `existing`: nothing is made, and a file that is no store is refused. Raises SettingsError `no_store`. A store
        of an earlier version is brought to this one's form, and none of its entries counts as unfinished or is due.
        """
        self._path = Path(path)
        self._clock = clock
        self._busy_seconds = busy_seconds
        self._lock = Lock()
        self._opened: tuple[int, sqlite3.Connection] | None = None
        self._inherited: list[sqlite3.Connection] = []
        try:
            columns = self._columns() if existing else frozenset[str]()
            is_store = "key" in columns or not existing
            if is_store and not _ADDED.keys() <= columns:
                self._prepare()
        except (OSError, ValueError, sqlite3.Error) as error:
            message = f"the store {self._path} cannot be used ({error}): name a file in a folder that can be written"
            raise SettingsError("store_unusable", message) from error
        if not is_store:
            raise SettingsError("no_store", f"{self._path}: no store of scc-responder; name the function's own")

    def get(self, key: str) -> Entry | None:
        """The entry, or None. Raises StoreUnavailable."""
        return self.get_many((key,))[0]

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """The entry of each key, or None, in one query: all of them, or StoreUnavailable."""
        check_keys(keys)
        with self._connection() as connection:
            rows = connection.execute(_GET.format(", ".join("?" * len(keys))), tuple(keys)).fetchall()
        found = {row[0]: self._entry(row) for row in rows}
        return tuple(found.get(key) for key in keys)

    def create(
        self,
        key: str,
        value: bytes,
        *,
        keep: timedelta | None = None,  # noqa: ARG002 - see class
        **by: Unpack[SearchedBy],
    ) -> Entry:
        """Store under a new key. Raises AlreadyExists, StoreUnavailable, StoreOutcomeUnknown."""
        entry = self._new_entry(key, value, **by)
        if not self._run(_CREATE, key, *_columns_of(entry)):
            raise AlreadyExists(Reason.ALREADY_EXISTS, key)
        return entry

    def replace(
        self,
        key: str,
        value: bytes,
        version: str,
        *,
        keep: timedelta | None = None,  # noqa: ARG002 - see class
        **by: Unpack[SearchedBy],
    ) -> Entry:
        """Store over the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        entry = self._new_entry(key, value, **by)
        if not self._run(_REPLACE, *_columns_of(entry), key, version):
            raise Conflict(Reason.CONFLICT, key)
        return entry

    def delete(self, key: str, version: str) -> None:
        """Remove the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""
        check_key(key)
        if not self._run(_DELETE, key, version):
            raise Conflict(Reason.CONFLICT, key)

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        """Entries whose key starts with prefix, in the order of their UTF-8 bytes, after cursor."""
        check_scan(prefix, cursor, limit)
        query = _SCAN_UNFINISHED if unfinished else _SCAN
        with (
            self._connection() as connection,
            closing(connection.execute(query, (prefix, cursor or "", limit + 1))) as rows,
        ):
            found = [self._entry(row) for row in takewhile(lambda row: row[0].startswith(prefix), rows)]
        page = tuple(found[:limit])
        return Page(entries=page, cursor=page[-1].key if len(found) > limit else None)

    def scan_due(self, now: datetime, limit: int = 100, *, after: Entry | None = None) -> tuple[Entry, ...]:
        """Entries that are due, the longest due first; with `after` those behind it. Raises StoreUnavailable."""
        check_scan("", None, limit)
        behind = (_in_order(after.due_at) or "", after.key) if after else ("", "")
        with self._connection() as connection:
            rows = connection.execute(_SCAN_DUE, (_in_order(now), *behind, limit)).fetchall()
        return tuple(self._entry(row) for row in rows)

    def close(self) -> None:
        """Let go of the file. The next call opens it again."""
        with self._lock:
            if self._opened and self._opened[0] == os.getpid():
                self._opened[1].close()
                self._opened = None

    def _new_entry(self, key: str, value: bytes, **by: Unpack[SearchedBy]) -> Entry:
        check_key(key)
        check_value(value)
        now = self._clock()
        # Random, not counted: a version must not come back after the key was deleted and created again.
        version = token_hex(8)
        return Entry(key=key, value=value, version=version, server_time=now, update_time=now, **by)

    def _entry(self, row: tuple[str, bytes, str, str, int, str | None]) -> Entry:
        key, value, version, update_time, unfinished, due_at = row
        return Entry(
            key=key,
            value=value,
            version=version,
            server_time=self._clock(),
            update_time=datetime.fromisoformat(update_time),
            unfinished=bool(unfinished),
            due_at=datetime.fromisoformat(due_at) if due_at else None,
        )

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
                raise StoreOutcomeUnknown(Reason.STORE_OUTCOME_UNKNOWN, f"{self._path}: {error}") from error
            raise StoreUnavailable(Reason.STORE_UNAVAILABLE, f"{self._path}: {error}") from error

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

    def _columns(self) -> frozenset[str]:
        # Neither the file nor anything in it is made, not even for as long as a look takes.
        address = f"{self._path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(address, uri=True, timeout=self._busy_seconds)) as connection:
            return _columns(connection)

    def _prepare(self) -> None:
        """Make the file and its table, then let go of it: a server that forks has nothing to hand on."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        deadline = time.monotonic() + self._busy_seconds
        while not self._has_schema(last_try=time.monotonic() > deadline):
            time.sleep(0.01)

    def _has_schema(self, *, last_try: bool) -> bool:
        # SQLite does not wait by itself when several processes switch a new file to WAL at once.
        try:
            with closing(self._open()) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                if not _ADDED.keys() <= _columns(connection):
                    _make_table(connection)
        except sqlite3.OperationalError as error:
            if last_try or error.sqlite_errorcode & 0xFF not in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise
            return False
        return True


def _columns(connection: sqlite3.Connection) -> frozenset[str]:
    return frozenset(name for (name,) in connection.execute(_COLUMNS))


def _columns_of(entry: Entry) -> tuple[Any, ...]:
    return entry.value, entry.version, entry.server_time.isoformat(), entry.unfinished, _in_order(entry.due_at)


def _in_order(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat(timespec="microseconds") if moment else None


def _make_table(connection: sqlite3.Connection) -> None:
    """The table, new or of an earlier version, and its indexes: one change, for another process may be at it too."""
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(_TABLE)
    for name in _ADDED.keys() - _columns(connection):
        connection.execute(f"ALTER TABLE entries ADD COLUMN {name} {_ADDED[name]}")
    for index in _INDEXES:
        connection.execute(index)
    connection.execute("COMMIT")
