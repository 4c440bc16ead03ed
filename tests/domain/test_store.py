"""What every store accepts, so that a key or value good for one is good for all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain import store
from scc_responder.domain.errors import AlreadyExists, Conflict, StoreError

CHECKS: list[tuple[Callable[[], None], str]] = [
    (lambda: store.check_key(""), "invalid_key"),
    (lambda: store.check_key("a\nb"), "invalid_key"),
    (lambda: store.check_key("ä" * 257), "invalid_key"),
    (lambda: store.check_keys(["a"] * 101), "invalid_limit"),
    (lambda: store.check_keys(["a", ""]), "invalid_key"),
    (lambda: store.check_value(b"x" * (store.MAX_VALUE_BYTES + 1)), "value_too_large"),
    (lambda: store.check_scan("a", None, 0), "invalid_limit"),
    (lambda: store.check_scan("a", None, store.MAX_SCAN + 1), "invalid_limit"),
    (lambda: store.check_scan("a", "\n", 1), "invalid_key"),
]


@pytest.mark.parametrize(("check", "reason"), CHECKS)
def test_what_no_store_takes_is_refused(check: Callable[[], None], reason: str) -> None:
    """By the same word, whichever store it is."""
    with pytest.raises(StoreError) as caught:
        check()
    assert caught.value.reason == reason


def test_what_every_store_takes_is_accepted() -> None:
    """Up to the bounds themselves."""
    store.check_key("ä" * 256)
    store.check_keys(["a"] * 100)
    store.check_value(b"x" * store.MAX_VALUE_BYTES)
    store.check_scan("", None, store.MAX_SCAN)
    store.check_scan("cases/", "cases/1", 1)


def test_a_write_is_over_what_was_seen(tmp_path: Path) -> None:
    """A new entry where none was seen, else another version of the one that was; never over a third one."""
    sqlite = SqliteStore(tmp_path / "store.db")
    first = store.write_over(sqlite, "key", b"1", None)
    second = store.write_over(sqlite, "key", b"2", first)
    stored = sqlite.get("key")
    assert stored is not None
    assert (stored.value, stored.version) == (b"2", second.version)
    with pytest.raises(AlreadyExists):
        store.write_over(sqlite, "key", b"3", None)
    with pytest.raises(Conflict):
        store.write_over(sqlite, "key", b"3", first)
