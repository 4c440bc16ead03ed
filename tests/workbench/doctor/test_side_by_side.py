"""Many probes at once, and no answer later than the deadline."""

from __future__ import annotations

import threading
import time
from typing import Any

from scc_responder.workbench.doctor.side_by_side import JobResult, side_by_side


def answers(*jobs: Any, seconds: float = 5.0) -> dict[int, JobResult[Any]]:
    """Each job's answer by its number."""
    return {answer.number: answer for answer in side_by_side(jobs, seconds, workers=2)}


def test_side_by_side() -> None:
    """Each job has one answer: its value, or its error."""
    found = answers(lambda: "a", lambda: 1 / 0, lambda: None, *[lambda: "b"] * 50)
    assert len(found) == 53
    assert found[0].value == "a"
    assert isinstance(found[1].error, ZeroDivisionError)


def test_a_hanging_probe_delays_nobody() -> None:
    """One that hangs takes no other's answer, and nobody waits for it beyond the deadline."""
    for_ever = threading.Event()
    began = time.monotonic()
    found = answers(for_ever.wait, *[lambda: "b"] * 9, seconds=0.5)
    for_ever.set()
    assert time.monotonic() - began < 5
    assert (found[0].value, found[0].error) == (None, None)
    assert [found[number].value for number in range(1, 10)] == ["b"] * 9
