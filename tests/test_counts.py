from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kills import fatal

CONFTEST = """
from tests.counts import CountsReport
from tests.requirements import RequirementsReport

def pytest_configure(config):
    config.pluginmanager.register(RequirementsReport())
    config.pluginmanager.register(CountsReport())
"""

TESTS = """
import pytest

from tests.kills import fatal
from tests.counts import Cases, Count

LETTERS = Cases("letters", "ac", "abcd")
ROUNDS = Count("rounds", 3, 2_000)
WHOLE = Count("things that are never reduced", 7, 7)

@pytest.mark.parametrize("letter", LETTERS.chosen)
def test_letter(letter): print(letter, ROUNDS.number)
"""
OTHER = """
from tests.counts import Count

UNUSED = Count("things of a file that does not run", 1, 2)
def test_other(): pass
"""


def run_pytest(folder: Path, *arguments: str, soak: str = "") -> str:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_letters.py").write_text(TESTS)
    (folder / "test_other.py").write_text(OTHER)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), "SCC_RESPONDER_SOAK": soak}
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(folder),
        "-rP",
        "-k",
        "letter",
    ]
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["in one process", "with pytest-xdist"])
def test_what_ran_at_a_reduced_count_is_told(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Each part of a file that ran has one line, which says how much of it ran and what runs the rest."""
    told = run_pytest(tmp_path, *arguments)
    assert [line for line in told.splitlines() if line.startswith("Reduced")] == [
        "Reduced: 2 of 4 letters (make soak runs all).",
        "Reduced: 3 of 2,000 rounds (make soak runs all).",
    ]
    assert "2 passed" in told
    assert "a 3\n" in told
    assert "c 3\n" in told


def test_make_soak_runs_all(tmp_path: Path) -> None:
    """With SCC_RESPONDER_SOAK=1 everything runs, and nothing is told as reduced."""
    told = run_pytest(tmp_path, soak="1")
    assert "Reduced" not in told
    assert "4 passed" in told
    assert "d 2000\n" in told


NAMES = [
    pytest.param(["before a", "after a", "before b", "after b"], [1, 3, 4], id="one-after-another"),
    pytest.param(["put:before"] * 3 + ["put:after"] * 3 + ["put:before", "put:after"], [1, 7, 8], id="side-by-side"),
    pytest.param(["before a", "before b", "after b", "after a"], [1, 2, 4], id="two-kinds-side-by-side"),
]


@pytest.mark.parametrize(("names", "numbers"), NAMES)
def test_where_processes_are_killed(names: list[str], numbers: list[int]) -> None:
    """Before each call, at the first of several that begin side by side, and at the very end."""
    assert fatal(names) == numbers
