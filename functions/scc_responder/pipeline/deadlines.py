"""How a request's time is shared out, so that nothing is begun which the function's timeout would cut off. Pure.

A request that is cut off says nothing and records nothing: its case is taken up again only when its lease has run out.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from scc_responder.settings import Settings

STEPS_SHARE = 2 / 3
"""Of the timeout. Later no step starts: what is left is for the last one, its check and the record."""
CASES_SHARE = 1 / 3
"""Of the timeout. Later a sweep begins no case: what is left is for the last one, with the reads before its steps."""


def steps_end(began: datetime, settings: Settings) -> datetime:
    """Until when a request that began then may start steps."""
    return began + timedelta(seconds=settings.timeout_seconds * STEPS_SHARE)


def cases_end(began: datetime, settings: Settings) -> datetime:
    """Until when a sweep that began then may begin cases."""
    return began + timedelta(seconds=settings.timeout_seconds * CASES_SHARE)
