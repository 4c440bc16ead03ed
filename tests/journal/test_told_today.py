"""What people were told today is not told again before tomorrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.errors import StoreUnavailable
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import Entry
from scc_responder.journal.told_today import is_first_today, is_first_within

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_reason_is_told_once_a_day(tmp_path: Path) -> None:
    """The same reason about the same cluster counts once; another reason, cluster or day counts anew."""
    store = SqliteStore(tmp_path / "journal.db")
    asked = [
        ("paused", "a", NOON),
        ("paused", "a", NOON + timedelta(hours=11)),
        ("paused", "b", NOON),
        ("lost", "a", NOON),
        ("paused", "a", NOON + timedelta(hours=12)),
        ("paused", "a", NOON + timedelta(hours=13)),
    ]
    assert [is_first_today(store, *each) for each in asked] == [True, False, True, True, True, False]


def test_an_unread_store_silences_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told twice is better than never."""
    store = SqliteStore(tmp_path / "journal.db")

    def away(_key: str) -> Entry | None:
        raise StoreUnavailable(Reason.STORE_UNAVAILABLE)

    monkeypatch.setattr(store, "get", away)
    assert is_first_today(store, "paused", "a", NOON)
    assert is_first_today(store, "paused", "a", NOON)


def test_one_case_tells_for_the_others(tmp_path: Path) -> None:
    """Within the time other cases are silent; the case that told may tell again, as its message may have been lost."""
    store = SqliteStore(tmp_path / "journal.db")
    asked = [("w", "a", 0), ("w", "b", 1), ("w", "a", 2), ("x", "b", 2), ("w", "b", 11), ("w", "b", 13)]
    ten = timedelta(minutes=10)
    told = [is_first_within(store, about, case, NOON + timedelta(minutes=at), ten) for about, case, at in asked]
    assert told == [True, False, True, True, False, True]
