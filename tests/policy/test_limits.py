"""Limits as people write them: how many they allow, for how long, and what is wrong with one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scc_responder.policy.limits import Limit, allowed_count, window


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
