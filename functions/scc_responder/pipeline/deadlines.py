"""How a request's time is divided, so that nothing starts that the function's timeout would cut off. Pure.

A request that is cut off logs and records nothing: its case is resumed only after its lease has run out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scc_responder.settings import Settings

STEPS_SHARE = 2 / 3
"""Share of the timeout after which no step starts: the rest is for the last step, its check and the record."""
WAITS_SHARE = 5 / 6
"""Share of the timeout after which no step waits for an answer: the rest is for what was told, and the record."""
CASES_SHARE = 1 / 3
"""Share of the timeout after which a sweep starts no case: the rest is for the last case."""


def steps_end(began: datetime, settings: Settings) -> datetime:
    """Until when a request that began then may start steps."""
    return began + timedelta(seconds=settings.timeout_seconds * STEPS_SHARE)


def waits_end(began: datetime, settings: Settings) -> datetime:
    """Until when a step of a request that began then may wait for an answer."""
    return began + timedelta(seconds=settings.timeout_seconds * WAITS_SHARE)


def cases_end(began: datetime, settings: Settings) -> datetime:
    """Until when a sweep that began then may begin cases."""
    return began + timedelta(seconds=settings.timeout_seconds * CASES_SHARE)
