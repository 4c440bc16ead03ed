"""A process killed at any boundary loses nothing and doubles nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore, utc_now
from scc_responder.journal.failpoints import observer
from scc_responder.journal.journal import Journal
from tests.core.journal_worlds import finding
from tests.core.scenario import ACTIONS, main
from tests.counts import Cases
from tests.kills import fatal

ROOT = Path(__file__).parents[2]
BOUNDARIES = [
    *("before journal claim", "after journal claim"),
    *("before journal save", "after journal save", "before label_pod", "after label_pod"),
    *("before journal save", "after journal save"),
    *("before journal save", "after journal save", "before isolate_pod", "after isolate_pod"),
    *("before journal save", "after journal save"),
    *("before journal close", "after journal close"),
]
KILLED_AT = Cases("boundaries at which a case is killed on SQLite", fatal(BOUNDARIES), range(1, len(BOUNDARIES) + 1))
KILLED = -9


@pytest.fixture
def effects(tmp_path: Path) -> Path:
    path = tmp_path / "effects"
    path.write_text("")
    return path


def run(tmp_path: Path, effects: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """One delivery in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "tests.core.scenario", str(tmp_path / "store.db"), str(effects)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/functions:{ROOT}", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_the_boundaries_of_a_case_are_counted_by_the_code_itself(tmp_path: Path, effects: Path) -> None:
    """A crash test learns from a first run how often to kill."""
    log = tmp_path / "boundaries"
    done = run(tmp_path, effects, SCC_RESPONDER_COUNT_BOUNDARIES=str(log))
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "claimed", "")
    assert log.read_text().splitlines() == BOUNDARIES


@pytest.mark.parametrize("number", KILLED_AT.chosen, ids=lambda n: f"{n} {BOUNDARIES[n - 1]}")
def test_killed_at_a_boundary_and_delivered_again_everything_is_done_once(
    tmp_path: Path, effects: Path, number: int
) -> None:
    """Nothing lost, nothing doubled."""
    assert run(tmp_path, effects, SCC_RESPONDER_KILL_AT=str(number)).returncode == KILLED
    expected = "claimed" if number == 1 else "duplicate" if number == len(BOUNDARIES) else "resumed"
    assert main(str(tmp_path / "store.db"), str(effects)) == expected
    assert tuple(effects.read_text().split()) == ACTIONS
    store = SqliteStore(tmp_path / "store.db")
    record = Journal(store, utc_now).read(finding().key)
    store.close()
    assert record is not None
    assert (record.state, [step.status.value for step in record.steps]) == ("done", ["done", "done"])


def test_killed_again_and_again_it_still_comes_to_an_end(tmp_path: Path, effects: Path) -> None:
    """Each delivery dies at its fifth boundary: the case goes on a little each time."""
    codes = [run(tmp_path, effects, SCC_RESPONDER_KILL_AT="5").returncode for _ in range(8)]
    assert codes[0] == KILLED
    assert codes[-1] == 0
    assert tuple(effects.read_text().split()) == ACTIONS


def test_a_respawned_worker_is_not_killed_again(tmp_path: Path, effects: Path) -> None:
    """A server starts a new worker in the same environment: KILL_ONCE names the one death."""
    environment = {"SCC_RESPONDER_KILL_AT": "3", "SCC_RESPONDER_KILL_ONCE": str(tmp_path / "died")}
    assert [run(tmp_path, effects, **environment).returncode for _ in range(2)] == [KILLED, 0]


QUIET = {
    "nothing is asked for": {},
    "no number": {"SCC_RESPONDER_KILL_AT": "soon"},
    "a negative number": {"SCC_RESPONDER_KILL_AT": "-1"},
    "on Cloud Run": {"SCC_RESPONDER_KILL_AT": "1", "SCC_RESPONDER_COUNT_BOUNDARIES": "/x/y", "K_SERVICE": "responder"},
}


@pytest.mark.parametrize("environment", list(QUIET.values()), ids=list(QUIET))
def test_a_boundary_does_nothing_when(environment: dict[str, str]) -> None:
    """Crash tests must not be able to reach production."""
    observe = observer(environment)
    for _ in range(3):
        observe("name")
    assert observe is observer({})
