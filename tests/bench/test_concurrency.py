"""What is measured of concurrency is also held: with the function killed in a burst, each write happens once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.bench.concurrency import Burst, deviations, measured, moments
from tests.bench.rig import Rig, rig_on
from tests.cluster.control_plane import ControlPlane
from tests.e2e.scene import EACH_ONCE

FINDINGS = 4
MOST_BURSTS = 3
"""A busy machine sees late that it is time to kill: that may be between two cases."""


@pytest.fixture
def parts(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Rig]:
    """A rig on the control plane of the run."""
    with rig_on(control_plane, tmp_path) as made:
        yield made


@pytest.mark.timeout(300)
@pytest.mark.parametrize("threads", [1, 4])
def test_a_function_killed_in_a_burst_writes_each_thing_once(parts: Rig, threads: int) -> None:
    """However many findings it works on at a time: none is lost, none doubled, and none is left half done."""
    for seed in range(threads, threads + MOST_BURSTS):
        figures = measured(parts, threads, parts.victims(FINDINGS), moments(FINDINGS, kills=1, seed=seed))
        assert (figures["not_exactly_once"], figures["unsettled"]) == ([], [])
        if figures["cases_interrupted"] and figures["deliveries_repeated"]["cut_off"]:
            return
    pytest.fail(f"in {MOST_BURSTS} bursts no kill came while a case was open")


@pytest.mark.timeout(300)
def test_a_write_that_is_lost_or_doubled_is_told(parts: Rig) -> None:
    """The measurement would see what it says did not happen."""
    burst = Burst(parts, 2, parts.victims(2))
    burst.run([])
    writes = burst.writes()
    other = replace(writes[0], name="web-other")

    assert deviations(writes, 2) == []
    assert len(deviations(writes[1:], 2)) == 1
    assert [line.rpartition(": ")[2] for line in deviations([*writes, writes[-1]], 2)] == ["2 times"]
    assert len(deviations([*writes, other], 2)) == 1
    assert len(deviations([], 2)) == len(EACH_ONCE)


def test_the_moments_of_the_kills_are_within_the_burst_and_the_same_for_a_seed() -> None:
    """A function is killed after some write and before the last, at the same ones for every thread count."""
    drawn = [moments(24, 2, seed) for seed in range(200)]

    assert drawn == [moments(24, 2, seed) for seed in range(200)]
    assert all(1 <= first < second < 24 * len(EACH_ONCE) for first, second in drawn)
    assert len({tuple(pair) for pair in drawn}) > 100
