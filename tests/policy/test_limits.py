"""Limits as people write them: how many they allow, for how long, and what is wrong with one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scc_responder.policy.limits import Limit, allowed_count, duration_mistakes, limit_mistakes, window


@pytest.mark.parametrize(
    ("most", "share_of", "allowed"),
    [(3, None, 3), (3, 100, 3), ("25%", 10, 2), ("25%", 3, 1), ("25%", None, 1), ("100%", 4, 4), ("1%", 0, 1)],
)
def test_a_limit_allows_a_number_or_share(most: int | str, share_of: int | None, allowed: int) -> None:
    """A share is rounded down, and one target is always allowed."""
    assert allowed_count(Limit(most=most, within="10m"), share_of) == allowed


def test_a_limit_counts_within_its_window() -> None:
    """The window is the time that was written."""
    assert window(Limit(most=1, within="24h")) == timedelta(hours=24)


@pytest.mark.parametrize(
    ("limit", "field", "told"),
    [
        (Limit(most="0%", within="10m"), "most", "is no share"),
        (Limit(most="101%", within="10m"), "most", "is no share"),
        (Limit(most="many", within="10m"), "most", "is no share"),
        (Limit(most=0, within="10m"), "most", "would allow nothing"),
        (Limit(most=1, within="soon"), "within", "is no duration"),
        (Limit(most=1, within="0m"), "within", "is no time at all"),
    ],
)
def test_a_wrong_limit_names_its_field(limit: Limit, field: str, told: str) -> None:
    """The mistake stands at the field, with what to write."""
    (mistake,) = limit_mistakes(limit, ("limits", 0))
    assert mistake.path == ("limits", 0, field)
    assert told in mistake.text


def test_a_right_limit_has_no_mistake() -> None:
    """The defaults' forms are accepted."""
    assert list(limit_mistakes(Limit(most="25%", within="10m"), ())) == []
    assert list(duration_mistakes("7d", ())) == []
