"""What every compare-and-set store accepts, so that a key or value good for one is good for all."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.domain.errors import StoreError

MAX_VALUE_BYTES = 100 * 1024
MAX_KEY_BYTES = 512
MAX_SCAN = 1000
MAX_KEYS = 100


def check_key(key: str) -> None:
    """Refuse a key that is empty, over 512 UTF-8 bytes or not printable. Raises StoreError `invalid_key`."""
    if not key or not key.isprintable() or len(key.encode(errors="replace")) > MAX_KEY_BYTES:
        raise StoreError("invalid_key", f"a key is 1 to {MAX_KEY_BYTES} bytes of printable text, not {key[:40]!a}")


def check_keys(keys: Sequence[str]) -> None:
    """Refuse more than 100 keys at once (`invalid_limit`), and those of them that `check_key` refuses."""
    if len(keys) > MAX_KEYS:
        raise StoreError("invalid_limit", f"{len(keys)} keys, of at most {MAX_KEYS} in one request")
    for key in keys:
        check_key(key)


def check_value(value: bytes) -> None:
    """Refuse a value over 100 KiB. Raises StoreError `value_too_large`."""
    if len(value) > MAX_VALUE_BYTES:
        raise StoreError("value_too_large", f"{len(value)} bytes, of at most {MAX_VALUE_BYTES}")


def check_scan(prefix: str, cursor: str | None, limit: int) -> None:
    """Refuse a page size outside 1 to 1000 (`invalid_limit`) and what no key can start with (`invalid_key`)."""
    if not 1 <= limit <= MAX_SCAN:
        raise StoreError("invalid_limit", f"a page holds 1 to {MAX_SCAN} entries, not {limit}")
    for part in (prefix, cursor):
        if part:
            check_key(part)
