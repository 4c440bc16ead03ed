"""The machine's clock, and what another machine's is worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scc_responder.domain.clock import bounded, utc_now


def test_the_clock_is_in_utc_and_moves_on() -> None:
    """Times can be compared with those of findings."""
    before = utc_now()
    assert before.tzinfo is UTC
    assert timedelta() <= utc_now() - before < timedelta(minutes=1)


NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("moment", "after", "before", "known"),
    [
        pytest.param(2.0, 1.5, 2.5, 2.0, id="between the reads"),
        pytest.param(2.0, 2.6, 3.1, 2.6, id="cut to the second"),
        pytest.param(9.0, 2.6, 3.1, 3.1, id="fast, and the reads are near"),
        pytest.param(0.0, 2.6, 3.1, 3.1, id="slow, and the reads are near"),
        pytest.param(40.0, 4.0, 300.0, 40.0, id="long before a sweep"),
        pytest.param(900.0, 4.0, 300.0, None, id="fast, and only a sweep knows better"),
        pytest.param(0.0, 4.0, 300.0, None, id="slow, and only a sweep knows better"),
        pytest.param(-60.0, None, 300.0, -60.0, id="before anything was read"),
        pytest.param(900.0, None, 300.0, None, id="fast, and nothing was read before"),
    ],
)
def test_two_reads_bound_another_clock(moment: float, after: float | None, before: float, known: float | None) -> None:
    """Within them it is believed. Where it contradicts them, the later read counts if it came soon, else nothing."""

    def at(seconds: float) -> datetime:
        return NINE + timedelta(seconds=seconds)

    told = bounded(at(moment), None if after is None else at(after), at(before))
    assert told == (None if known is None else at(known))
