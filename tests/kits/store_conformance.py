"""What every compare-and-set store must do. A store's own test file inherits this and says how it is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from itertools import chain
from secrets import token_bytes
from typing import Any

import pytest

from scc_responder.domain.errors import AlreadyExists, Conflict, StoreError
from scc_responder.domain.store import CasStore, Entry
from tests.kits.racers import (
    Opener,
    count_up,
    create_all,
    in_processes,
    in_threads,
    kept_by_killed_writers,
    replace_all,
)

KEYS = {
    "plain": "case",
    "with a slash": "case/0a1b",
    "with spaces": "a key with spaces",
    "an SQL wildcard": "100%",
    "another SQL wildcard": "a_b",
    "a glob": "a*[b]?",
    "SQL": "x'); DROP TABLE entries; --",
    "a path upwards": "../../etc/passwd",
    "reserved by Firestore": "__name__",
    "umlauts": "schlüssel/äöü",
    "another script": "事件/一",
    "beyond the basic plane": "case/\U0001f642",
    "the longest": "k" * 512,
}
BAD_KEYS = {
    "empty": "",
    "too long": "k" * 513,
    "too long in bytes": "ü" * 257,
    "a zero byte": "a\0b",
    "a line end": "a\nb",
    "half a character": "a\ud800",
}
VALUES = {
    "empty": b"",
    "JSON": b'{"a":1}',
    "no text": bytes(range(256)),
    "zero bytes": b"\0\0\0",
    "the largest": b"x" * 102400,
}
SCANNED = ("a", "a%", "a%b", "a/1", "a/10", "a/2", "aXb", "a_b", "b", "c\U00010000", "c\uff5e", "cä")
"""In the order of their UTF-8 bytes this is not: the tests sort it."""
SCANS = {
    "everything": ("", None, 100, set(SCANNED)),
    "a prefix that is a key too": ("a", None, 100, {"a", "a%", "a%b", "a/1", "a/10", "a/2", "aXb", "a_b"}),
    "a folder": ("a/", None, 100, {"a/1", "a/10", "a/2"}),
    "a percent sign is no wildcard": ("a%", None, 100, {"a%", "a%b"}),
    "an underscore is no wildcard": ("a_", None, 100, {"a_b"}),
    "after a cursor": ("a/", "a/1", 100, {"a/10", "a/2"}),
    "after a cursor that is no key": ("a/", "a/11", 100, {"a/2"}),
    "a cursor before the prefix": ("b", "a", 100, {"b"}),
    "a cursor after the prefix": ("a", "b", 100, set()),
    "nothing": ("zzz", None, 100, set()),
    "case matters": ("A", None, 100, set()),
}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
IN_ANOTHER_ZONE = datetime(2026, 3, 1, 12, 59, 59, tzinfo=timezone(timedelta(hours=1)))
MOMENTS = (NOON, *(NOON + timedelta(seconds=each) for each in (-0.5, -86400, 0.000001, -2)), IN_ANOTHER_ZONE)
JUNK_VERSIONS = ("", "0", "-1", "latest", "1795628409.128927000", "x" * 1000, "\0", "'; --")
KEEPS = {"for ever": None, "for a year": timedelta(days=365), "no longer": timedelta(0)}
CALLS: dict[str, Callable[[CasStore, str], Any]] = {
    "get": lambda store, key: store.get(key),
    "get_many": lambda store, key: store.get_many(["fine", key]),
    "create": lambda store, key: store.create(key, b""),
    "replace": lambda store, key: store.replace(key, b"", "0"),
    "delete": lambda store, key: store.delete(key, "0"),
}


def table(cases: dict[str, Any]) -> Any:
    """A table of cases by readable id."""
    return pytest.mark.parametrize("case", list(cases.values()), ids=list(cases))


def read(store: CasStore, key: str) -> Entry:
    """The entry of a key that must be there."""
    entry = store.get(key)
    assert entry is not None
    return entry


def pages(store: CasStore, prefix: str, limit: int, *, unfinished: bool = False) -> Iterator[list[str]]:
    """The keys of each page of a whole scan."""
    cursor = None
    while True:
        page = store.scan(prefix, cursor, limit, unfinished=unfinished)
        yield [entry.key for entry in page.entries]
        cursor = page.cursor
        if cursor is None:
            return


def replaced(store: CasStore, key: str, version: str) -> bytes:
    """Replace by a value of one's own: that value, or nothing where another was first."""
    mine = token_bytes(8)
    try:
        store.replace(key, mine, version)
    except Conflict:
        return b""
    return mine


def with_unfinished(store: CasStore) -> None:
    """Create every other key as unfinished, in the order of SCANNED, and the rest not."""
    for number, key in enumerate(SCANNED):
        store.create(key, key.encode(), unfinished=number % 2 == 0)


UNFINISHED = set(SCANNED[::2])


class CasStoreContract:
    """Inherit, and give the fixtures `store` (an empty one) and `opener` (opens the same one from any process)."""

    def test_a_key_that_was_never_written_has_no_entry(self, store: CasStore) -> None:
        """Nothing is None."""
        assert store.get("nothing") is None

    def test_create_answers_what_a_read_then_shows(self, store: CasStore) -> None:
        """The answer to a write is as good as a read."""
        created = store.create("key", b"value")
        entry = read(store, "key")
        assert (created.key, created.value, created.version) == (entry.key, entry.value, entry.version)
        assert created.update_time == entry.update_time

    def test_create_of_a_taken_key_is_refused_and_changes_nothing(self, store: CasStore) -> None:
        """The first claim wins."""
        first = store.create("key", b"first")
        with pytest.raises(AlreadyExists) as caught:
            store.create("key", b"second")
        assert caught.value.reason == "already_exists"
        assert (b"first", first.version) == (read(store, "key").value, read(store, "key").version)

    def test_replace_of_the_version_seen_stores_the_new_value(self, store: CasStore) -> None:
        """Compare-and-set works."""
        created = store.create("key", b"old")
        replaced = store.replace("key", b"new", created.version)
        assert (b"new", replaced.version) == (read(store, "key").value, read(store, "key").version)

    def test_replace_of_an_older_version_is_refused_and_changes_nothing(self, store: CasStore) -> None:
        """Who has not seen the last write must not write."""
        created = store.create("key", b"1")
        store.replace("key", b"2", created.version)
        with pytest.raises(Conflict) as caught:
            store.replace("key", b"3", created.version)
        assert caught.value.reason == "conflict"
        assert read(store, "key").value == b"2"

    def test_replace_of_a_missing_key_is_refused_and_creates_nothing(self, store: CasStore) -> None:
        """A replace never creates."""
        with pytest.raises(Conflict):
            store.replace("key", b"value", "0")
        assert store.get("key") is None

    def test_delete_of_the_version_seen_removes_the_entry(self, store: CasStore) -> None:
        """Delete works."""
        store.delete("key", store.create("key", b"value").version)
        assert store.get("key") is None

    def test_delete_of_an_older_version_is_refused(self, store: CasStore) -> None:
        """A delete is compared as a replace is."""
        created = store.create("key", b"1")
        store.replace("key", b"2", created.version)
        with pytest.raises(Conflict):
            store.delete("key", created.version)
        assert read(store, "key").value == b"2"

    def test_delete_of_a_missing_key_is_refused(self, store: CasStore) -> None:
        """There is no version to have seen."""
        with pytest.raises(Conflict):
            store.delete("key", "0")

    def test_a_second_delete_is_refused(self, store: CasStore) -> None:
        """Deleting twice is not deleting once."""
        version = store.create("key", b"value").version
        store.delete("key", version)
        with pytest.raises(Conflict):
            store.delete("key", version)

    def test_no_version_ever_comes_back(self, store: CasStore) -> None:
        """Not by writing the same value, and not by deleting and creating the key again."""
        versions = []
        for _ in range(20):
            entry = store.create("key", b"same")
            changed = store.replace("key", b"same", entry.version)
            versions += [entry.version, changed.version]
            store.delete("key", changed.version)
        assert len(set(versions)) == 40

    def test_the_same_value_written_again_is_a_new_version(self, store: CasStore) -> None:
        """A lease is renewed by writing what is there: the others must see that it was."""
        created = store.create("key", b"same")
        replaced = store.replace("key", b"same", created.version)
        assert created.version != replaced.version
        with pytest.raises(Conflict):
            store.replace("key", b"same", created.version)

    def test_each_version_can_be_replaced_by_who_wrote_it(self, store: CasStore) -> None:
        """A holder goes on from its own writes, and need not read between them."""
        entry = store.create("key", b"0")
        for number in range(1, 10):
            entry = store.replace("key", b"%d" % number, entry.version)
        assert read(store, "key").value == b"9"

    @pytest.mark.parametrize("version", JUNK_VERSIONS, ids=ascii)
    def test_what_is_no_version_is_refused_as_an_old_one(self, store: CasStore, version: str) -> None:
        """Whatever text stands for a version, it is not the one that was seen."""
        store.create("key", b"value")
        with pytest.raises(Conflict):
            store.replace("key", b"other", version)
        with pytest.raises(Conflict):
            store.delete("key", version)
        assert read(store, "key").value == b"value"

    @table(KEEPS)
    def test_an_entry_is_there_while_it_is_to_be_kept(self, store: CasStore, case: timedelta | None) -> None:
        """And where it is not, it goes some time after: not by itself at once, and not by halves."""
        created = store.create("key", b"1", keep=case)
        assert read(store, "key").version == created.version
        replaced = store.replace("key", b"2", created.version, keep=case)
        assert [(entry.value, entry.version) for entry in store.scan("key").entries] == [(b"2", replaced.version)]

    def test_a_key_that_was_deleted_can_be_created_again(self, store: CasStore) -> None:
        """Nothing of what was there before is left."""
        store.delete("key", store.create("key", b"old").version)
        store.create("key", b"new")
        assert [entry.value for entry in store.scan("").entries] == [b"new"]

    def test_an_error_tells_which_key_it_is_about(self, store: CasStore) -> None:
        """A person who reads the log finds the entry."""
        store.create("case/0a1b", b"")
        with pytest.raises(AlreadyExists, match="case/0a1b"):
            store.create("case/0a1b", b"")
        with pytest.raises(Conflict, match="case/0a1b"):
            store.replace("case/0a1b", b"", "0")

    def test_a_version_from_before_a_delete_is_refused(self, store: CasStore) -> None:
        """A holder from before the key was made anew is told so."""
        before = store.create("key", b"value")
        store.delete("key", before.version)
        store.create("key", b"value")
        with pytest.raises(Conflict):
            store.replace("key", b"stale", before.version)

    def test_versions_of_other_keys_do_not_fit(self, store: CasStore) -> None:
        """A version belongs to its key."""
        store.create("one", b"")
        other = store.create("two", b"")
        with pytest.raises(Conflict):
            store.replace("one", b"", other.version)

    @table(KEYS)
    def test_any_printable_key_works(self, store: CasStore, case: str) -> None:
        """Keys are text, whatever it means elsewhere."""
        created = store.create(case, case.encode())
        replaced = store.replace(case, case.encode() + b"!", created.version)
        assert [(case, case.encode() + b"!")] == [(entry.key, entry.value) for entry in store.scan(case).entries]
        store.delete(case, replaced.version)
        assert store.get(case) is None

    @table(BAD_KEYS)
    @pytest.mark.parametrize("call", list(CALLS.values()), ids=list(CALLS))
    def test_a_key_that_some_store_could_not_hold_is_refused(
        self, store: CasStore, case: str, call: Callable[[CasStore, str], Any]
    ) -> None:
        """What one store refuses, all refuse."""
        with pytest.raises(StoreError) as caught:
            call(store, case)
        assert caught.value.reason == "invalid_key"

    def test_keys_that_look_alike_are_different(self, store: CasStore) -> None:
        """Case and Unicode normal forms are not folded."""
        alike = ("key", "Key", "KEY", "k\u00e9y", "ke\u0301y")
        for key in alike:
            store.create(key, key.encode())
        assert [key.encode() for key in alike] == [read(store, key).value for key in alike]

    @table(VALUES)
    def test_any_bytes_come_back_as_they_went(self, store: CasStore, case: bytes) -> None:
        """Values are opaque."""
        store.create("key", case)
        assert read(store, "key").value == case

    def test_a_value_too_large_is_refused_by_create(self, store: CasStore) -> None:
        """100 KiB is what every store can hold."""
        with pytest.raises(StoreError) as caught:
            store.create("key", b"x" * 102401)
        assert caught.value.reason == "value_too_large"
        assert store.get("key") is None

    def test_a_value_too_large_is_refused_by_replace(self, store: CasStore) -> None:
        """The old value stays."""
        created = store.create("key", b"small")
        with pytest.raises(StoreError) as caught:
            store.replace("key", b"x" * 102401, created.version)
        assert caught.value.reason == "value_too_large"
        assert read(store, "key").value == b"small"

    def test_times_are_in_utc_and_do_not_run_back(self, store: CasStore) -> None:
        """A lease is judged by the store's clock alone."""
        created = store.create("key", b"1")
        replaced = store.replace("key", b"2", created.version)
        entry = read(store, "key")
        assert created.server_time <= replaced.server_time <= entry.server_time
        assert {entry.server_time.utcoffset(), entry.server_time.astimezone(UTC).utcoffset()} == {timedelta(0)}

    def test_the_update_time_moves_with_writes_and_not_with_reads(self, store: CasStore) -> None:
        """The age of a lease is the time since its last write."""
        created = store.create("key", b"1")
        assert read(store, "key").update_time == read(store, "key").update_time == created.update_time
        replaced = store.replace("key", b"2", created.version)
        assert created.update_time is not None
        assert replaced.update_time is not None
        assert created.update_time < replaced.update_time
        assert read(store, "key").update_time == replaced.update_time

    def test_a_write_happened_at_the_time_of_its_answer(self, store: CasStore) -> None:
        """One clock tells both, so that a lease just taken is not an old one."""
        created = store.create("key", b"1")
        replaced = store.replace("key", b"2", created.version)
        for entry in (created, replaced):
            assert entry.update_time is not None
            assert timedelta(0) <= entry.server_time - entry.update_time < timedelta(seconds=1)

    def test_the_time_goes_on_between_reads(self, store: CasStore) -> None:
        """That of the answer, not that of the write: so a lease runs out."""
        store.create("key", b"1")
        first, second = read(store, "key"), read(store, "key")
        assert first.update_time == second.update_time
        assert first.server_time < second.server_time

    @table(SCANS)
    def test_a_scan_finds_the_keys_of_a_prefix_in_order(
        self, store: CasStore, case: tuple[str, str | None, int, set[str]]
    ) -> None:
        """The order is that of the UTF-8 bytes."""
        for key in reversed(SCANNED):
            store.create(key, key.encode())
        prefix, cursor, limit, expected = case
        page = store.scan(prefix, cursor, limit)
        assert sorted(expected, key=str.encode) == [entry.key for entry in page.entries]
        assert [key.encode() for key in sorted(expected, key=str.encode)] == [entry.value for entry in page.entries]
        assert page.cursor is None

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9])
    def test_the_pages_of_a_scan_are_the_whole(self, store: CasStore, limit: int) -> None:
        """No page is over its limit, none is empty, and no key is left out or told twice."""
        for key in SCANNED:
            store.create(key, b"")
        found = list(pages(store, "a", limit))
        assert sorted((key for key in SCANNED if key.startswith("a")), key=str.encode) == list(chain(*found))
        assert all(0 < len(page) <= limit for page in found)

    def test_a_scan_of_an_empty_store_is_one_empty_page(self, store: CasStore) -> None:
        """Nothing is no error."""
        assert list(pages(store, "", 10)) == [[]]

    def test_a_scan_goes_on_where_its_cursor_was_deleted(self, store: CasStore) -> None:
        """A cursor is a place in the order, not an entry."""
        versions = {key: store.create(key, b"").version for key in ("k1", "k2", "k3")}
        page = store.scan("k", None, 2)
        store.delete("k2", versions["k2"])
        assert [entry.key for entry in store.scan("k", page.cursor, 2).entries] == ["k3"]

    def test_a_scanned_entry_can_be_replaced(self, store: CasStore) -> None:
        """A scan is as good as a read."""
        store.create("key", b"old")
        (entry,) = store.scan("key").entries
        assert entry.update_time == read(store, "key").update_time
        assert store.replace("key", b"new", entry.version).value == b"new"

    def test_many_are_read_as_one_by_one(self, store: CasStore) -> None:
        """Each in its place, in the order that was asked for, twice where it was asked for twice."""
        for key in ("b", "a", "c"):
            store.create(key, key.encode(), unfinished=key == "a")
        keys = ["c", "nothing", "a", "c", "nothing", "b"]
        found = store.get_many(keys)
        assert [entry and (entry.key, entry.value) for entry in found] == [
            ("c", b"c"),
            None,
            ("a", b"a"),
            ("c", b"c"),
            None,
            ("b", b"b"),
        ]
        for key, entry in zip(keys, found, strict=True):
            alone = store.get(key)
            if entry is not None:
                assert alone is not None
                assert (entry.version, entry.update_time, entry.unfinished) == (
                    alone.version,
                    alone.update_time,
                    alone.unfinished,
                )

    def test_many_may_be_none_at_all(self, store: CasStore) -> None:
        """Of no keys there are no entries, and of keys that nobody wrote none is there."""
        assert store.get_many([]) == ()
        assert store.get_many(["one", "two"]) == (None, None)

    def test_what_was_read_with_others_can_be_replaced(self, store: CasStore) -> None:
        """Each entry has its own version."""
        for key in ("one", "two"):
            store.create(key, b"old")
        for entry in store.get_many(["one", "two"]):
            assert entry is not None
            store.replace(entry.key, b"new", entry.version)
        assert [entry and entry.value for entry in store.get_many(["one", "two"])] == [b"new", b"new"]

    def test_as_many_as_can_be_read_at_once(self, store: CasStore) -> None:
        """A hundred keys are one request; more are a mistake, and none is left out in silence."""
        keys = [f"key/{number}" for number in range(100)]
        for key in keys[::3]:
            store.create(key, b"")
        assert [key for key, entry in zip(keys, store.get_many(keys), strict=True) if entry] == keys[::3]
        with pytest.raises(StoreError) as caught:
            store.get_many([*keys, "one more"])
        assert caught.value.reason == "invalid_limit"

    def test_what_is_unfinished_says_so_until_a_write_takes_it_back(self, store: CasStore) -> None:
        """Each write says it anew, and every way to read tells it."""
        entry = store.create("key", b"1", unfinished=True)
        for number, unfinished in enumerate((True, False, True, False)):
            entry = store.replace("key", b"%d" % number, entry.version, unfinished=unfinished)
            told = [entry, read(store, "key"), *store.get_many(["key"]), *store.scan("key").entries]
            assert [one and one.unfinished for one in told] == [unfinished] * 4
            assert [one.key for one in store.scan("", unfinished=True).entries] == ["key"] * unfinished

    def test_nothing_is_unfinished_by_itself(self, store: CasStore) -> None:
        """Who does not say so is not asked about it."""
        created = store.create("key", b"")
        assert (created.unfinished, read(store, "key").unfinished) == (False, False)
        assert store.scan("", unfinished=True).entries == ()

    def test_a_refused_write_leaves_what_is_unfinished(self, store: CasStore) -> None:
        """The mark is written with the value, or not at all."""
        created = store.create("key", b"", unfinished=True)
        with pytest.raises(AlreadyExists):
            store.create("key", b"")
        with pytest.raises(Conflict):
            store.replace("key", b"", "0")
        assert read(store, "key").unfinished
        store.delete("key", created.version)
        assert store.scan("", unfinished=True).entries == ()

    @table(SCANS)
    def test_a_scan_of_the_unfinished_differs_in_nothing_else(
        self, store: CasStore, case: tuple[str, str | None, int, set[str]]
    ) -> None:
        """The same order, the same prefixes, the same cursors, which may be those of finished entries."""
        with_unfinished(store)
        prefix, cursor, limit, expected = case
        page = store.scan(prefix, cursor, limit, unfinished=True)
        assert sorted(expected & UNFINISHED, key=str.encode) == [entry.key for entry in page.entries]
        assert [entry.key.encode() for entry in page.entries] == [entry.value for entry in page.entries]
        assert page.cursor is None

    @pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
    def test_the_pages_of_the_unfinished_are_the_whole(self, store: CasStore, limit: int) -> None:
        """Finished entries between them fill no page."""
        with_unfinished(store)
        found = list(pages(store, "a", limit, unfinished=True))
        assert sorted((key for key in UNFINISHED if key.startswith("a")), key=str.encode) == list(chain(*found))
        assert all(len(page) == limit for page in found[:-1])
        assert found[-1]

    def test_what_is_due_comes_in_the_order_of_its_moments(self, store: CasStore) -> None:
        """To the microsecond, in whatever zone the moment was said; what is due later, or never, is not read."""
        for number, moment in enumerate(MOMENTS):
            store.create(f"case/{number}", b"%d" % number, due_at=moment, unfinished=number == 1)
        store.create("never", b"")
        due = store.scan_due(MOMENTS[0], 100)
        assert [(entry.value, entry.due_at) for entry in due] == [
            (b"%d" % MOMENTS.index(moment), moment) for moment in sorted(MOMENTS) if moment <= MOMENTS[0]
        ]
        assert [entry.unfinished for entry in due if entry.value == b"1"] == [True]
        assert all(entry.version == read(store, entry.key).version for entry in due)
        assert store.scan_due(min(MOMENTS) - timedelta(microseconds=1)) == ()

    def test_each_write_says_anew_when_an_entry_is_due(self, store: CasStore) -> None:
        """One that does not say so takes it back, a refused one changes nothing, and every way to read tells it."""
        now = MOMENTS[0]
        entry = store.create("key", b"0", due_at=now)
        for due_at in (now + timedelta(hours=1), None, now, now - timedelta(days=1)):
            entry = store.replace("key", b"1", entry.version, due_at=due_at)
            with pytest.raises(Conflict):
                store.replace("key", b"2", "0", due_at=None if due_at else now)
            told = [entry, read(store, "key"), *store.get_many(["key"]), *store.scan("key").entries]
            assert [each and each.due_at for each in told] == [due_at] * 4
            assert [each.key for each in store.scan_due(now)] == ["key"] * bool(due_at and due_at <= now)
        store.delete("key", entry.version)
        assert store.scan_due(now) == ()

    @pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
    def test_the_pages_of_what_is_due_are_the_whole(self, store: CasStore, limit: int) -> None:
        """Each once, those of one moment too, also where the last entry of a page was moved on since."""
        for number in range(6):
            store.create(f"case/{number}", b"", due_at=MOMENTS[0] + timedelta(seconds=number // 3))
        after, keys = None, []
        while page := store.scan_due(MOMENTS[0] + timedelta(minutes=1), limit, after=after):
            assert len(page) <= limit
            keys += [entry.key for entry in page]
            after = page[-1]
            store.replace(after.key, b"", after.version, due_at=MOMENTS[0] + timedelta(days=1))
        assert sorted(keys) == [f"case/{number}" for number in range(6)]

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_no_more_is_due_than_a_page_holds(self, store: CasStore, limit: int) -> None:
        """A mistake is not taken for "nothing is due"."""
        with pytest.raises(StoreError) as caught:
            store.scan_due(MOMENTS[0], limit)
        assert caught.value.reason == "invalid_limit"

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    def test_a_page_size_out_of_range_is_refused(self, store: CasStore, limit: int) -> None:
        """A mistake is not taken for "no entries"."""
        with pytest.raises(StoreError) as caught:
            store.scan("", None, limit)
        assert caught.value.reason == "invalid_limit"

    @pytest.mark.parametrize(("prefix", "cursor"), [("a\0", None), ("", "\ud800")], ids=["prefix", "cursor"])
    def test_what_no_key_can_start_with_cannot_be_scanned(
        self, store: CasStore, prefix: str, cursor: str | None
    ) -> None:
        """A prefix and a cursor are parts of keys."""
        with pytest.raises(StoreError) as caught:
            store.scan(prefix, cursor)
        assert caught.value.reason == "invalid_key"

    def test_what_one_opener_writes_another_sees(self, opener: Opener) -> None:
        """The store is one, however often it is opened."""
        one, other = opener(), opener()
        created = one.create("key", b"1")
        other.replace("key", b"2", created.version)
        assert read(one, "key").value == b"2"

    def test_of_eight_threads_that_create_a_key_one_wins(self, store: CasStore) -> None:
        """100 keys, 100 winners."""
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda racer: create_all(store, f"{racer}", 100), range(8)))
        assert sorted(chain(*won)) == sorted(f"race/{number}" for number in range(100))

    def test_of_threads_that_replace_a_version_one_wins(self, store: CasStore) -> None:
        """Eight heirs of one expired lease: one has it, and its value stands."""
        for number in range(10):
            version = store.create(f"key/{number}", b"").version
            won = in_threads(8, lambda number=number, version=version: replaced(store, f"key/{number}", version))
            (winner,) = [value for value in won if value]
            assert read(store, f"key/{number}").value == winner

    def test_of_processes_that_replace_a_version_one_wins(self, opener: Opener) -> None:
        """The same among processes."""
        store = opener()
        for number in range(20):
            store.create(f"race/{number}", b"")
        won = in_processes(4, replace_all, opener, 20)
        assert sorted(chain(*won)) == sorted(f"race/{number}" for number in range(20))
        assert {entry.value for entry in store.scan("race/").entries} <= {b"0", b"1", b"2", b"3"}

    def test_of_processes_that_create_a_key_one_wins(self, opener: Opener) -> None:
        """The same among processes."""
        won = in_processes(4, create_all, opener, 100)
        assert sorted(chain(*won)) == sorted(f"race/{number}" for number in range(100))

    def test_sixteen_threads_that_count_up_lose_no_count(self, opener: Opener) -> None:
        """No lost update, and no version is handed out twice."""
        store = opener()
        store.create("counter", b"0")
        versions = in_threads(16, lambda: count_up(store, "", 20))
        assert read(store, "counter").value == b"320"
        assert len(set(chain(*versions))) == 320

    def test_processes_that_count_up_lose_no_count(self, opener: Opener) -> None:
        """The same among processes."""
        opener().create("counter", b"0")
        versions = in_processes(4, count_up, opener, 50)
        assert read(opener(), "counter").value == b"200"
        assert len(set(chain(*versions))) == 200

    def test_of_threads_that_delete_a_key_one_wins(self, store: CasStore) -> None:
        """A delete succeeds once."""
        version = store.create("key", b"").version

        def deleted() -> bool:
            try:
                store.delete("key", version)
            except Conflict:
                return False
            return True

        assert sum(in_threads(8, deleted)) == 1

    def test_writers_killed_at_any_moment_lose_no_acknowledged_write(self, opener: Opener) -> None:
        """What was answered is there after SIGKILL, and what was not is whole or absent."""
        acknowledged = kept_by_killed_writers(opener, rounds=4, writers=2)
        store = opener()
        assert len(acknowledged) > 50
        assert [key for key in acknowledged if read(store, key).value != key.encode() * 50] == []
