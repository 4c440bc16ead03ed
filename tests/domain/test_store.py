"""What every store accepts, so that a key or value good for one is good for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scc_responder.domain import store
from scc_responder.domain.errors import StoreError

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
