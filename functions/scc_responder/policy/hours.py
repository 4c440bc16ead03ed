"""Times of the week, by the wall clock of a time zone, also when clocks change. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from scc_responder.domain.value import StrictValue


class Day(StrEnum):
    """The days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


_DAYS = tuple(Day)

TimeOfDay = Annotated[
    str | int,
    msgspec.Meta(
        description='A time of day such as "22:00", in quotes: YAML reads 22:00 as a number.',
        extra_json_schema={"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"},
    ),
]
"""`HH:MM`. A number is accepted only to explain the mistake."""


class Hours(StrictValue, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """A time of the week. `from` after `to` is a night; an empty `days` is every day.

    The day is the one on which the time begins, by the wall clock of `timezone`, an IANA name. `to` may be `24:00`.
    """

    start: TimeOfDay
    end: TimeOfDay
    days: tuple[Day, ...] = ()
    timezone: str = "UTC"


def is_within(hours: Hours, now: datetime) -> bool:
    """Whether it is this time of the week now."""
    # Only who writes hours pays for time zones.
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    local = now.astimezone(ZoneInfo(hours.timezone))
    time, today, yesterday = f"{local:%H:%M}", local.date(), local.date() - timedelta(days=1)
    start, end = str(hours.start), str(hours.end)
    days = hours.days or _DAYS
    if start < end:
        return start <= time < end and _DAYS[today.weekday()] in days
    began_today = time >= start and _DAYS[today.weekday()] in days
    return began_today or (time < end and _DAYS[yesterday.weekday()] in days)
