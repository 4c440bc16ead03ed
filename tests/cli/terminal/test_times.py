"""Times and lengths of time on the command line."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scc_responder.cli.terminal.times import end, length, moment

DAY = datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02", DAY),
        ("2026-03-02T09:31:00", DAY.replace(hour=9, minute=31)),
        ("2026-03-02T09:31:00Z", DAY.replace(hour=9, minute=31)),
        ("2026-03-02T09:31:00+01:00", datetime(2026, 3, 2, 9, 31, tzinfo=timezone(timedelta(hours=1)))),
    ],
)
def test_a_time_without_zone_is_utc(text: str, expected: datetime) -> None:
    """A day is its beginning."""
    assert moment(text) == expected


def test_a_day_ends_with_its_end() -> None:
    """A time ends where it says."""
    assert end("2026-03-02") == DAY + timedelta(days=1)
    assert end("2026-03-02T09:31:00") == DAY.replace(hour=9, minute=31)


@pytest.mark.parametrize("text", ["0001-01-01", "1999-12-31T23:59:59Z", "2100-01-01", "9999-12-31T23:59:59-12:00"])
def test_a_time_of_another_age_is_refused(text: str) -> None:
    """Nothing can be counted from it in either direction: the message says which times can be meant."""
    for read in (moment, end):
        with pytest.raises(ArgumentTypeError, match="write 2000-01-01 to 2099-12-31"):
            read(text)


def test_a_wrong_time_shows_the_form() -> None:
    """So does a wrong length."""
    with pytest.raises(ArgumentTypeError, match="write a day such as 2026-03-02"):
        moment("yesterday")
    with pytest.raises(ArgumentTypeError, match="write a number and a unit"):
        length("soon")
    assert length("30m") == timedelta(minutes=30)
