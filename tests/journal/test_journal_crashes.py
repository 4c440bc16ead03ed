"""A process killed at any point loses nothing and doubles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.clock import utc_now
from scc_responder.journal.journal import Journal
from tests.counts import Cases
from tests.journal.case_program import ACTIONS, main
from tests.kills import fatal
from tests.kits.journal_worlds import finding

ROOT = Path(__file__).parents[2]
POINTS = [
    *("before store.create case", "after store.create case"),
    *("before store.replace case", "after store.replace case", "before label_pod", "after label_pod"),
    *("before store.replace case", "after store.replace case"),
    *("before store.replace case", "after store.replace case", "before isolate_pod", "after isolate_pod"),
    *("before store.replace case", "after store.replace case"),
    *("before store.replace case", "after store.replace case"),
]
KILLED_AT = Cases("points at which a case is killed on SQLite", fatal(POINTS), range(1, len(POINTS) + 1))
KILLED = -9


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    path = tmp_path / "effects"
    path.write_text("")
    return path


def run(tmp_path: Path, effects: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """One delivery in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.journal.case_program", str(tmp_path / "store.db"), str(effects)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/functions:{ROOT}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_points_of_a_case_are_counted_by_a_first_run(tmp_path: Path, effects: Path) -> None:
    """A crash test learns from a first run how often to kill."""
    log = tmp_path / "points"
    done = run(tmp_path, effects, FAILPOINTS_LOG=str(log))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "claimed", "")
    assert log.read_text().splitlines() == POINTS


@pytest.mark.parametrize("number", KILLED_AT.chosen, ids=lambda n: f"{n} {POINTS[n - 1]}")
def test_killed_at_a_point_and_delivered_again_everything_is_done_once(
    tmp_path: Path, effects: Path, number: int
) -> None:
    """Nothing lost, nothing doubled."""
    assert run(tmp_path, effects, FAILPOINT=str(number)).returncode == KILLED
    expected = "claimed" if number == 1 else "duplicate" if number == len(POINTS) else "resumed"
    assert main(str(tmp_path / "store.db"), str(effects)) == expected
    assert tuple(effects.read_text().split()) == ACTIONS
    store = SqliteStore(tmp_path / "store.db")
    record = Journal(store, utc_now).read(finding().key)
    store.close()
    assert record is not None
    assert (record.state, [step.status.value for step in record.steps]) == ("done", ["done", "done"])


def test_killed_again_and_again_it_still_comes_to_an_end(tmp_path: Path, effects: Path) -> None:
    """Each delivery dies at its fifth point: the case goes on a little each time."""
    codes = [run(tmp_path, effects, FAILPOINT="5").returncode for _ in range(8)]
    assert codes[0] == KILLED
    assert codes[-1] == 0
    assert tuple(effects.read_text().split()) == ACTIONS


def test_a_respawned_worker_is_not_killed_again(tmp_path: Path, effects: Path) -> None:
    """A server starts a new worker in the same environment: FAILPOINT_ONCE names the one death."""
    environment = {"FAILPOINT": "3", "FAILPOINT_ONCE": str(tmp_path / "died")}
    assert [run(tmp_path, effects, **environment).returncode for _ in range(2)] == [KILLED, 0]
