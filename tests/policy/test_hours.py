"""Times of the week go by the wall clock of their zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from scc_responder.policy.hours import Day, Hours, is_within

BERLIN, YORK = "Europe/Berlin", "America/New_York"
MINUTE = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")


@given(
    start=MINUTE,
    end=MINUTE,
    days=st.sets(st.sampled_from(Day), min_size=1),
    zone=st.sampled_from(["UTC", BERLIN, YORK, "Australia/Lord_Howe", "Asia/Kathmandu"]),
    now=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),  # noqa: DTZ001 - hypothesis adds the zone
)
def test_against_a_calendar(start: str, end: str, days: set[Day], zone: str, now: datetime) -> None:
    """A time of the week is what a wall calendar would show: every day's time, from its beginning to its end."""
    moment = now.replace(tzinfo=UTC)
    local = moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    wanted = Hours(start=start, end=end, days=tuple(days), timezone=zone)

    def spans(day: date) -> bool:
        begin = datetime.fromisoformat(f"{day}T{start}")
        until = datetime.fromisoformat(f"{day}T{end}") + timedelta(days=end <= start)
        return f"{day:%a}".lower() in days and begin <= local < until

    assert is_within(wanted, moment) is any(spans(local.date() + timedelta(days=shift)) for shift in (-1, 0))
