"""Durations as people write them: `90s`, `30m`, `24h`, `7d`."""

from __future__ import annotations

from datetime import timedelta

from scc_responder.domain.text import LatePattern

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DURATION = LatePattern(r"([0-9]{1,6})([smhd])")
_LONGEST = timedelta(days=36500)


def parse_duration(text: str) -> timedelta:
    """The length of time that the text says, a hundred years at most. Raises ValueError with what was expected.

    >>> parse_duration("30m")
    datetime.timedelta(seconds=1800)
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no duration; write a number and a unit, such as 30m or 24h")
    return min(timedelta(**{_UNITS[match[2]]: int(match[1])}), _LONGEST)
