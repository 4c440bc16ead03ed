"""The server's time against this machine's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scc_responder.workbench.doctor.check import CheckResult
from scc_responder.workbench.doctor.clock_check import MOST, judge_clock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("server", "result", "told"),
    [
        (NOON, CheckResult.OK, "agree"),
        (NOON - MOST, CheckResult.OK, "agree"),
        (NOON - MOST - timedelta(seconds=1), CheckResult.FAULT, "11 s ahead of"),
        (NOON + timedelta(seconds=5) + MOST, CheckResult.OK, "agree"),
        (NOON + timedelta(seconds=16), CheckResult.FAULT, "11 s behind"),
    ],
)
def test_the_time_of_an_answer_does_not_count(server: datetime, result: CheckResult, told: str) -> None:
    """The time that an answer took counts for nobody."""
    check = judge_clock("clock", "s", server, (NOON, NOON + timedelta(seconds=5)))
    assert check.result is result
    assert told in check.why
