"""What is wrong with times of the week, in words for their author."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from scc_responder.policy.effective_mode import is_out_of_hours
from scc_responder.policy.hours import Hours
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, did_you_mean

_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
WEEK = tuple(_MONDAY + timedelta(minutes=minute) for minute in range(7 * 24 * 60))
"""Every minute of a week."""


def policy_hours_mistakes(policy: Policy) -> Iterator[Mistake]:
    """Every mistake in the hours of a policy: what is no time, and what leaves no time, or all."""
    found: list[Mistake] = []
    for field in ("quiet_hours", "office_hours"):
        for index, hours in enumerate(getattr(policy, field)):
            found += hours_mistakes((field, index), hours)
    yield from found
    if found or not (policy.quiet_hours or policy.office_hours):
        return
    answers = {is_out_of_hours(policy, minute) for minute in WEEK}
    if len(answers) == 1:
        field = "quiet_hours" if policy.quiet_hours else "office_hours"
        told = "it is always out of hours; leave some time" if answers.pop() else "no time of the week is out of hours"
        yield Mistake(path=(field,), text=f"{told}, or remove them")


def hours_mistakes(place: DocumentPath, hours: Hours) -> Iterator[Mistake]:
    """Every mistake in one time of the week."""
    times = [("from", hours.start, False), ("to", hours.end, True)]
    wrong_times = [fault for field, time, ends in times for fault in _time((*place, field), time, ends=ends)]
    yield from wrong_times
    if not wrong_times and hours.start == hours.end:
        yield Mistake(path=(*place, "to"), text='the same as from; for whole days write from: "00:00" and to: "24:00"')
    yield from _timezone((*place, "timezone"), hours.timezone)


def _time(place: DocumentPath, time: str | int, *, ends: bool) -> Iterator[Mistake]:
    if isinstance(time, int):
        hours, minutes = divmod(time, 60)
        meant = f'"{hours:02}:{minutes:02}"' if 1 <= hours <= 24 else 'a time such as "22:00"'
        yield Mistake(path=place, text=f"{time} is a number to YAML; write {meant}, in quotes")
    elif not _TIME.fullmatch(time) and not (ends and time == "24:00"):
        yield Mistake(
            path=place, text=f'{time!r} is no time of day; write hours and minutes, such as "07:30" or "22:00"'
        )


def _timezone(place: DocumentPath, name: str) -> Iterator[Mistake]:
    # Only who writes hours pays for time zones.
    import zoneinfo  # noqa: PLC0415

    try:
        zoneinfo.ZoneInfo(name)
        known = name != "localtime"  # what it means differs from machine to machine
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = False
    if not known:
        meant = did_you_mean(name, zoneinfo.available_timezones())
        yield Mistake(path=place, text=f"unknown timezone {name!r}; write an IANA name such as 'Europe/Berlin'{meant}")
