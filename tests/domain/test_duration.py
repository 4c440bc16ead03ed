"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scc_responder.domain.duration import parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("0s", 0)])
def test_a_duration_is_number_and_unit(text: str, seconds: int) -> None:
    """Seconds, minutes, hours and days."""
    assert parse_duration(text) == timedelta(seconds=seconds)


def test_a_hundred_years_are_the_longest() -> None:
    """Any time that can be written can be added to a moment, and taken from one."""
    assert parse_duration("999999d") == parse_duration("36500d") < parse_duration("36501d") + timedelta(seconds=1)
    assert datetime(2026, 3, 2, tzinfo=UTC) - parse_duration("999999d") == datetime(1926, 3, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "30", "m", "1.5h", "-1h", "1 h", "1w", "1h30m", "\u0663\u0660m", "1h\n", "1234567s"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    """It is refused with the form that is expected."""
    with pytest.raises(ValueError, match="write a number and a unit"):
        parse_duration(text)
