"""Cold starts: an empty function and ours, started alternately in the same way."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.bench.rig import Rig, first_answer
from tests.findings import push_body

JUNK = push_body(b"not a finding")


def cold(rig: Rig, rounds: int) -> dict[str, Any]:
    """`cold_ready` and `cold_contained` in floors, each with its spread over the rounds."""
    floors, ready, contained = [], [], []
    for document in rig.victims(rounds):
        floors.append(_measured(rig, floor=True))
        ready.append(_measured(rig, floor=False))
        contained.append(_contained(rig, document))
    floor = statistics.median(floors)
    return {
        "floor_seconds": spread(floors),
        "cold_ready": spread([value / floor for value in ready]),
        "cold_contained": spread([value / floor for value in contained]),
    }


def _measured(rig: Rig, *, floor: bool) -> float:
    function = rig.served(floor=floor)
    try:
        return first_answer(function, JUNK)
    finally:
        function.stop()


def _contained(rig: Rig, document: dict[str, Any]) -> float:
    """Seconds from the process's start to the label in the audit log."""
    function, begun, start = rig.served(), datetime.now(UTC), time.monotonic()
    try:
        first_answer(function, push_body(document))
    finally:
        function.stop()
    assert time.monotonic() > start
    patches = [event for event in rig.plane.audit(since=begun, namespace=rig.namespace) if event.verb == "patch"]
    return float((patches[0].completed - begun).total_seconds())


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median and range."""
    return {
        "median": round(statistics.median(values), 3),
        "min": round(min(values), 3),
        "max": round(max(values), 3),
        "rounds": len(values),
    }
