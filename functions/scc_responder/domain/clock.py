"""The machine's clock, and what another machine's is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def utc_now() -> datetime:
    """The present time, in UTC."""
    return datetime.now(UTC)


_CUT = timedelta(seconds=1)
"""Kubernetes cuts its times to the second."""
_NEAR = timedelta(seconds=5)
"""Reads of one delivery, that are no further apart, tell enough where another clock is wrong. A sweep's do not."""


def bounded(moment: datetime, after: datetime | None, before: datetime) -> datetime | None:
    """When something happened, by another machine's clock, within the bounds of two reads by this one.

    It had not happened when the first read began, at `after` (None: there was none), and had when the other one ended,
    at `before`. None where the clock contradicts reads that are far apart: then nobody knows.
    """
    first = moment if after is None else after
    if first - _CUT < moment <= before:
        return max(moment, first)
    return before if after is not None and before - after <= _NEAR else None
