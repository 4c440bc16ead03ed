"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from scc_responder.domain.duration import parse_duration


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("24h", 86400), ("7d", 604800), ("0s", 0)])
def test_a_duration_is_number_and_unit(text: str, seconds: int) -> None:
    """Seconds, minutes, hours and days."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "30", "m", "1.5h", "-1h", "1 h", "1w", "1h30m", "\u0663\u0660m", "1h\n", "1234567s"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    """It is refused with the form that is expected."""
    with pytest.raises(ValueError, match="write a number and a unit"):
        parse_duration(text)
