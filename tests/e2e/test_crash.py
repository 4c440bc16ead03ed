"""SIGKILL at any point between two calls, then redelivery: nothing lost, nothing doubled, by the audit log."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane
from tests.counts import Count
from tests.e2e.scene import EACH_ONCE, Scene

SIDE_BY_SIDE = 3
ROUNDS = Count("rounds of crashes at every boundary", 1, 5)


def boundaries(plane: ControlPlane, namespace: str, node: str, folder: Path) -> list[str]:
    """The boundaries of one undisturbed delivery, counted by the code itself."""
    scene = Scene(plane, namespace, node, folder)
    log = folder / "boundaries"
    assert scene.deliver(SCC_RESPONDER_COUNT_BOUNDARIES=str(log)) == 204
    assert scene.writes() == EACH_ONCE
    return log.read_text().splitlines()


def killed_at(number: int, plane: ControlPlane, folder: Path) -> Scene:
    """Kill one delivery at a boundary and deliver again."""
    node = objects.create_node(plane.admin)["metadata"]["name"]
    scene = Scene(plane, objects.create_namespace(plane.admin), node, folder / str(number))
    assert scene.deliver(SCC_RESPONDER_KILL_AT=str(number)) == -signal.SIGKILL
    scene.let_lease_run_out()
    scene.deliver()
    return scene


@pytest.mark.timeout(900)
@pytest.mark.parametrize("round_number", range(ROUNDS.number))
def test_crash_at_every_boundary(
    control_plane: ControlPlane, namespace: str, node: dict[str, object], tmp_path: Path, round_number: int
) -> None:
    """A crash at any boundary loses nothing and doubles nothing: each write is accepted exactly once."""
    names = boundaries(control_plane, namespace, node["metadata"]["name"], tmp_path / "whole")

    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        numbers = range(1, len(names) + 1)
        scenes = list(pool.map(lambda number: killed_at(number, control_plane, tmp_path), numbers))

    assert len(names) > 30
    for where, scene in zip(names, scenes, strict=True):
        unsettled = [step for step in scene.outcomes if step.endswith(("failed", "intent", "unknown"))]
        assert (where, scene.writes(), unsettled) == (where, EACH_ONCE, [])
