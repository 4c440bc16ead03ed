"""What a compare-and-set store is, and what every one accepts, so that a key or value good for one is good for all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Protocol, TypedDict, TypeVar, Unpack

import msgspec

from scc_responder.domain.errors import StoreError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, read_json

_T = TypeVar("_T")

MAX_VALUE_BYTES = 100 * 1024
MAX_KEY_BYTES = 512
MAX_SCAN = 1000
MAX_KEYS = 100


def write_over(store: CasStore, key: str, value: bytes, seen: Entry | None, *, keep: timedelta | None = None) -> Entry:
    """Store over the entry that was seen, or anew where there was none. Raises what `create` and `replace` raise."""
    if seen is None:
        return store.create(key, value, keep=keep)
    return store.replace(key, value, seen.version, keep=keep)


def stored_as(kind: type[_T], entry: Entry | None) -> _T | None:
    """What an entry holds, in JSON; None where there is none, or a later version wrote it, or it makes no sense."""
    with suppress(msgspec.DecodeError):
        return read_json(entry.value, kind) if entry else None
    return None


def usable_as(kind: type[_T], entry: Entry) -> _T:
    """What an entry holds. Raises StoreError `ledger_unusable` where it makes no sense, or is of a later version."""
    try:
        return read_json(entry.value, kind)
    except msgspec.DecodeError as error:
        raise StoreError(Reason.LEDGER_UNUSABLE, f"{entry.key}: {error}") from error


def entries_of(store: CasStore, keys: Sequence[str]) -> Iterator[Entry | None]:
    """The entry of each key, or None, however many keys there are. Raises StoreUnavailable."""
    for start in range(0, len(keys), MAX_KEYS):
        yield from store.get_many(keys[start : start + MAX_KEYS])


def check_key(key: str) -> None:
    """Refuse a key that is empty, over 512 UTF-8 bytes or not printable. Raises StoreError `invalid_key`."""
    if not key or not key.isprintable() or len(key.encode(errors="replace")) > MAX_KEY_BYTES:
        raise StoreError(Reason.INVALID_KEY, f"a key is 1 to {MAX_KEY_BYTES} bytes of printable text, not {key[:40]!a}")


def check_keys(keys: Sequence[str]) -> None:
    """Refuse more than 100 keys at once (`invalid_limit`), and those of them that `check_key` refuses."""
    if len(keys) > MAX_KEYS:
        raise StoreError(Reason.INVALID_LIMIT, f"{len(keys)} keys, of at most {MAX_KEYS} in one request")
    for key in keys:
        check_key(key)


def check_value(value: bytes) -> None:
    """Refuse a value over 100 KiB. Raises StoreError `value_too_large`."""
    if len(value) > MAX_VALUE_BYTES:
        raise StoreError(Reason.VALUE_TOO_LARGE, f"{len(value)} bytes, of at most {MAX_VALUE_BYTES}")


def check_scan(prefix: str, cursor: str | None, limit: int) -> None:
    """Refuse a page size outside 1 to 1000 (`invalid_limit`) and what no key can start with (`invalid_key`)."""
    if not 1 <= limit <= MAX_SCAN:
        raise StoreError(Reason.INVALID_LIMIT, f"a page holds 1 to {MAX_SCAN} entries, not {limit}")
    for part in (prefix, cursor):
        if part:
            check_key(part)


class Entry(Value, frozen=True, kw_only=True):
    """One stored value. `version` changes with every write; `server_time` is the store's clock at this answer.

    `update_time` is the store's clock at the last write of this entry, so that the age of a lease is judged by one
    clock alone. None where a store cannot tell: leases in it never expire by themselves. `unfinished` and `due_at` are
    what the last write said.
    """

    key: str
    value: bytes
    version: str
    server_time: datetime
    update_time: datetime | None = None
    unfinished: bool = False
    due_at: datetime | None = None


class SearchedBy(TypedDict, total=False):
    """What a write may say of its entry for scans to search by: see `CasStore`."""

    unfinished: bool
    due_at: datetime | None


class Page(Value, frozen=True, kw_only=True):
    """Some entries in key order. `cursor` continues after them; None means there are no more."""

    entries: tuple[Entry, ...]
    cursor: str | None = None


class CasStore(Protocol):
    """One key, one version, compare-and-set. No transactions over several keys, so that all backends mean the same.

    A write raises StoreUnavailable where it was certainly not stored, and StoreOutcomeUnknown where nobody can tell:
    then what is stored has to be read and recognised. `keep`: the entry is not needed longer, and a store may remove it
    some time after; without it, an entry stays. `unfinished`: a sweep may still have to resume the entry, and a
    scan can ask for those alone. `due_at`: from then on `scan_due` names the entry. A write that does not say one of
    these takes it back.
    """

    def get(self, key: str) -> Entry | None:
        """The entry, or None. Raises StoreUnavailable."""

    def get_many(self, keys: Sequence[str]) -> tuple[Entry | None, ...]:
        """The entry of each key, or None, in one request: all of them, or StoreUnavailable."""

    def create(self, key: str, value: bytes, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]) -> Entry:
        """Store under a new key. Raises AlreadyExists, StoreUnavailable, StoreOutcomeUnknown."""

    def replace(
        self, key: str, value: bytes, version: str, *, keep: timedelta | None = None, **by: Unpack[SearchedBy]
    ) -> Entry:
        """Store over the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""

    def delete(self, key: str, version: str) -> None:
        """Remove the version the caller saw. Raises Conflict, StoreUnavailable, StoreOutcomeUnknown."""

    def scan(self, prefix: str, cursor: str | None = None, limit: int = 100, *, unfinished: bool = False) -> Page:
        """Entries whose key starts with prefix, in key order, after cursor; with `unfinished` no others are read.

        Raises StoreUnavailable.
        """

    def scan_due(self, now: datetime, limit: int = 100, *, after: Entry | None = None) -> tuple[Entry, ...]:
        """Entries that are due at `now`, the longest due first, and no others are read; with `after` those behind it.

        Raises StoreUnavailable.
        """
