"""SIGKILL at any point between two calls, then redelivery: nothing lost, nothing doubled, by the audit log.

`make test` kills before each call, once; `make soak` after each as well, in five rounds.
"""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.counts import Count
from tests.e2e.scene import EACH_ONCE, Scene
from tests.kills import Noted, killed_at

SIDE_BY_SIDE = 3
ROUNDS = Count("rounds of crashes at every point", 1, 5)


def set_up(plane: ControlPlane, folder: Path) -> Scene:
    """A scene in a namespace and on a node of its own."""
    node = objects.create_node(plane.admin)["metadata"]["name"]
    return Scene(plane, objects.create_namespace(plane.admin), node, folder)


def points_of(plane: ControlPlane, folder: Path) -> list[str]:
    """The failpoints of one undisturbed delivery, in the order they were passed."""
    scene = set_up(plane, folder)
    log = folder / "points"
    assert scene.deliver(FAILPOINTS_LOG=str(log)) == 204
    assert scene.writes() == EACH_ONCE
    return log.read_text().splitlines()


def killed(number: int, plane: ControlPlane, folder: Path) -> Scene:
    """Kill one delivery at a point and deliver again."""
    scene = set_up(plane, folder / str(number))
    assert scene.deliver(FAILPOINT=str(number)) == -signal.SIGKILL
    scene.let_lease_run_out()
    scene.deliver()
    return scene


@pytest.mark.timeout(900)
@pytest.mark.parametrize("round_number", range(ROUNDS.number))
def test_crash_at_every_point(
    control_plane: ControlPlane, tmp_path: Path, round_number: int, record_property: Noted
) -> None:
    """A crash at any point loses nothing and doubles nothing: each write is accepted exactly once."""
    names = points_of(control_plane, tmp_path / "whole")

    numbers = killed_at("a delivery", names, record_property, each=2)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        scenes = list(pool.map(lambda number: killed(number, control_plane, tmp_path), numbers))

    assert len(names) > 30
    for where, scene in zip((f"{number} {names[number - 1]}" for number in numbers), scenes, strict=True):
        unsettled = [step for step in scene.outcomes if step.endswith(("failed", "intent", "unknown"))]
        assert (where, scene.writes(), unsettled) == (where, EACH_ONCE, [])
