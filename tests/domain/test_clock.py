"""The machine's clock."""

from __future__ import annotations

from datetime import UTC, timedelta

from scc_responder.domain.clock import utc_now


def test_the_clock_is_in_utc_and_moves_on() -> None:
    """Times can be compared with those of findings."""
    before = utc_now()
    assert before.tzinfo is UTC
    assert timedelta() <= utc_now() - before < timedelta(minutes=1)
