"""The embedded store keeps the stores' contract, and its file."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import _SCAN_DUE, _SCAN_UNFINISHED, SqliteStore
from scc_responder.domain.errors import SettingsError, StoreUnavailable
from tests.kits.racers import Opener, in_processes, in_threads
from tests.kits.store_conformance import CasStoreContract, read


class Opened:
    """Opens one store over and over, from any process, and closes what was opened here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stores: list[SqliteStore] = []

    def __call__(self) -> SqliteStore:
        self.stores.append(SqliteStore(self.path, busy_seconds=30))
        return self.stores[-1]

    def __reduce__(self) -> tuple[type[Opened], tuple[Path]]:
        return Opened, (self.path,)


@pytest.fixture
def opener(tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(tmp_path / "store.db")
    yield opened
    for store in opened.stores:
        store.close()


@pytest.fixture
def store(opener: Opened) -> SqliteStore:
    return opener()


class TestSqliteStore(CasStoreContract):
    """All of the contract."""


@pytest.mark.parametrize(
    "content", [b"", b"not a database, but a longer text " * 100, None], ids=["empty", "text", "none"]
)
def test_what_is_no_store_is_not_made_one(tmp_path: Path, content: bytes | None) -> None:
    """Where it must exist, a file without its table is refused and left as it was."""
    path = tmp_path / "store.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        SqliteStore(path, existing=True)
    assert refused.value.reason == ("no_store" if content == b"" else "store_unusable")
    assert [(file, file.read_bytes()) for file in tmp_path.iterdir()] == ([] if content is None else [(path, content)])


def test_an_existing_store(opener: Opened) -> None:
    """One that is there, in use or not, is opened as it is, and can be written."""
    opener().create("key", b"value")
    store = SqliteStore(opener.path, existing=True)
    store.create("other", b"value")
    store.close()
    assert read(opener(), "other").value == b"value"


EARLIER = """CREATE TABLE entries (
    key TEXT PRIMARY KEY, value BLOB NOT NULL, version TEXT NOT NULL, update_time TEXT NOT NULL{}
) WITHOUT ROWID"""
UNFINISHED = ", unfinished INTEGER NOT NULL DEFAULT 0"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def earlier_store(path: Path, columns: str = "") -> None:
    """A file of the version before entries could be unfinished, or be due."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(EARLIER.format(columns))
        connection.execute(
            "INSERT INTO entries (key, value, version, update_time) VALUES (?, ?, ?, ?)",
            ("key", b"\x01", "v1", "2026-01-01T00:00:00+00:00"),
        )


@pytest.mark.parametrize("columns", ["", UNFINISHED], ids=["before-unfinished", "before-due"])
@pytest.mark.parametrize("existing", [False, True], ids=["the-function", "the-command-line"])
def test_the_file_of_an_earlier_version(tmp_path: Path, existing: bool, columns: str) -> None:
    """It is brought to this version's form: nothing is lost, and nothing in it counts as unfinished, or is due."""
    path = tmp_path / "store.db"
    earlier_store(path, columns)
    store = SqliteStore(path, existing=existing)
    entry = read(store, "key")
    assert (entry.value, entry.version, entry.unfinished, entry.due_at) == (b"\x01", "v1", False, None)
    store.replace("key", b"\x02", "v1", unfinished=True, due_at=NOON)
    store.create("other", b"")
    store.close()
    again = SqliteStore(path, existing=existing)
    assert [entry.key for entry in again.scan("").entries] == ["key", "other"]
    assert [entry.key for entry in again.scan("", unfinished=True).entries] == ["key"]
    assert [entry.key for entry in again.scan_due(NOON)] == ["key"]
    again.close()


def test_an_earlier_version_goes_on_with_the_file(tmp_path: Path) -> None:
    """After a roll back, its statements still work: what it creates is not unfinished until it is looked at again."""
    store = SqliteStore(tmp_path / "store.db")
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as earlier:
        earlier.execute("INSERT INTO entries (key, value, version, update_time) VALUES ('a', x'', 'v', '2026-01-01')")
    assert (read(store, "a").unfinished, read(store, "a").due_at) == (False, None)
    store.close()


def test_processes_that_find_an_earlier_file_at_once_all_succeed(opener: Opened) -> None:
    """Workers of the new version start together."""
    earlier_store(opener.path)
    assert in_processes(4, create_own, opener, 1) == [None] * 4
    assert len(opener().scan("").entries) == 5


def test_finished_entries_are_not_read_by_a_scan_of_the_others(store: SqliteStore) -> None:
    """It goes through the index of the unfinished ones alone, in the order it is to answer in."""
    with store._connection() as connection:
        plan = connection.execute(f"EXPLAIN QUERY PLAN {_SCAN_UNFINISHED}", ("a", "a", 100)).fetchall()
    (step,) = plan
    assert "unfinished_entries" in step[3]


def test_what_is_not_due_is_not_read(store: SqliteStore) -> None:
    """What is due is found in the index that holds nothing else, in the order it is to answer in."""
    with store._connection() as connection:
        (step,) = connection.execute(f"EXPLAIN QUERY PLAN {_SCAN_DUE}", ("a", "", "", 100)).fetchall()
    assert "due_entries" in step[3]


def test_the_file_is_for_its_owner_alone_and_its_folder_is_made(tmp_path: Path) -> None:
    """A record tells where an attacker was seen."""
    path = tmp_path / "a" / "b" / "store.db"
    store = SqliteStore(path)
    store.create("key", b"value")
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}
    store.close()


def test_what_was_written_is_there_when_the_file_is_opened_again(opener: Opened) -> None:
    """The file is the store."""
    first = opener()
    created = first.create("key", b"value")
    first.close()
    assert (b"value", created.version) == (read(opener(), "key").value, read(opener(), "key").version)


def test_a_closed_store_opens_again_at_the_next_call(store: SqliteStore) -> None:
    """`close` lets go of the file, no more."""
    store.create("key", b"value")
    store.close()
    store.close()
    assert read(store, "key").value == b"value"


@pytest.mark.parametrize("where", ["folder", "file/store.db", "junk.db", "/proc/none/store.db", "\0"])
def test_a_path_that_cannot_hold_a_store_stops_the_start(tmp_path: Path, where: str) -> None:
    """The message names the path and the remedy."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "junk.db").write_text("this is no database\n" * 100)
    with pytest.raises(SettingsError) as caught:
        SqliteStore(tmp_path / where)
    assert caught.value.reason == "store_unusable"
    assert "name a file in a folder that can be written" in str(caught.value)


def test_a_file_locked_for_too_long_is_unavailable(opener: Opened) -> None:
    """A write waits for others, but not without end, and says that it was not made."""
    opener()
    hasty = SqliteStore(opener.path, busy_seconds=0.05)
    with closing(sqlite3.connect(opener.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable) as caught:
            hasty.create("key", b"value")
        other.execute("ROLLBACK")
    assert (type(caught.value), caught.value.reason) == (StoreUnavailable, "store_unavailable")
    assert hasty.get("key") is None
    hasty.close()


def test_reads_do_not_wait_for_a_writer(opener: Opened) -> None:
    """A duplicate is settled while another process writes."""
    opener().create("key", b"value")
    hasty = SqliteStore(opener.path, busy_seconds=0.05)
    with closing(sqlite3.connect(opener.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert read(hasty, "key").value == b"value"
        other.execute("ROLLBACK")
    hasty.close()


def test_a_store_whose_table_is_gone_is_unavailable(opener: Opened) -> None:
    """Any error of SQLite's is one error to the caller."""
    store = opener()
    with closing(sqlite3.connect(opener.path)) as other:
        other.execute("DROP TABLE entries")
    for call in (lambda: store.get("key"), lambda: store.create("key", b""), lambda: store.scan("")):
        with pytest.raises(StoreUnavailable):
            call()


def test_times_are_those_of_the_given_clock(tmp_path: Path) -> None:
    """The store's clock can be set by a test."""
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    store = SqliteStore(tmp_path / "store.db", clock=lambda: now[0])
    store.create("key", b"value")
    now[0] += timedelta(seconds=90)
    entry = read(store, "key")
    assert entry.update_time is not None
    assert entry.server_time - entry.update_time == timedelta(seconds=90)
    store.close()


def test_every_commit_is_synced(store: SqliteStore) -> None:
    """An acknowledged write outlives a power cut: WAL with synchronous FULL (2)."""
    with store._connection() as connection:
        settings = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert settings == ["wal", 2]


def test_threads_that_open_a_new_file_at_once_all_succeed(opener: Opened) -> None:
    """A file is made once."""
    stores = in_threads(8, opener)
    stores[0].create("key", b"value")
    assert [read(store, "key").value for store in stores] == [b"value"] * 8


def test_processes_that_open_a_new_file_at_once_all_succeed(opener: Opened) -> None:
    """Workers start together on a new machine."""
    assert in_processes(4, create_own, opener, 1) == [None] * 4
    assert [entry.key for entry in opener().scan("own/").entries] == [f"own/{racer}" for racer in range(4)]


def create_own(store: SqliteStore, racer: str, amount: int) -> None:
    store.create(f"own/{racer}", b"")


def test_a_child_process_gets_a_connection_of_its_own(opener: Opener) -> None:
    """functions-framework loads the function before it forks its workers."""
    store = opener()
    store.create("parent", b"1")
    inherited = store._opened
    child = os.fork()
    if child == 0:
        store.create("child", b"2")
        os._exit(store._opened == inherited)
    assert os.waitpid(child, 0)[1] == 0
    store.create("parent again", b"3")
    assert [entry.key for entry in store.scan("").entries] == ["child", "parent", "parent again"]


FULL_DISK = """
import resource, sys
from scc_responder.adapters.local.sqlite_store import _SCAN_UNFINISHED, SqliteStore
from scc_responder.domain.errors import StoreUnavailable
store = SqliteStore(sys.argv[1])
store.create("before", b"1")
resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, resource.RLIM_INFINITY))
try:
    store.create("large", bytes(100 * 1024))
except StoreUnavailable as error:
    print(type(error).__name__, error.reason)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.create("after", b"2")
print(*(entry.key for entry in store.scan("").entries))
"""


def test_a_write_that_fails_on_the_way_to_the_disk_is_unknown(tmp_path: Path) -> None:
    """As of Firestore: where part of it may be on the disk, nobody claims to know; and the store goes on."""
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "store.db")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "functions")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == ["StoreOutcomeUnknown store_outcome_unknown", "after before"]
