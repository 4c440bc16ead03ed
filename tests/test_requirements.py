from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = """
import pytest
from tests.requirements import RequirementsReport, missing

def pytest_configure(config):
    config.pluginmanager.register(RequirementsReport())

@pytest.fixture(scope="session")
def gadget():
    missing("the gadget", "it was not found on PATH", "apt-get install gadget")
"""

TESTS = """
def test_one(gadget): pass
def test_two(gadget): pass
def test_other(): pass
"""


def run_pytest(folder: Path, *arguments: str, ci: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_gadget.py").write_text(TESTS)
    repository = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(repository), "CI": ci}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", str(folder), "-ra", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["in one process", "with pytest-xdist"])
def test_a_missing_requirement_is_said_loudly_with_reason_remedy_and_count(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Someone who runs the tests without a requirement cannot overlook what was not tested, nor what to do."""
    result = run_pytest(tmp_path, *arguments)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.count("! NOT TESTED: the gadget is missing !") == 1
    assert "2 tests did not run.\nReason: it was not found on PATH\nRemedy: apt-get install gadget\n" in result.stdout
    assert "1 passed, 2 skipped" in result.stdout
    assert result.stdout.index("SKIPPED [") < result.stdout.index("NOT TESTED")


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["in one process", "with pytest-xdist"])
def test_a_missing_requirement_fails_the_run_in_ci(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A CI run that could not test everything is red, even where all the tests that ran passed."""
    result = run_pytest(tmp_path, *arguments, ci="true")
    assert result.returncode == 1, result.stdout + result.stderr
    assert "CI=true: this fails the run." in result.stdout


def test_a_run_with_everything_present_is_silent_and_green_in_ci(tmp_path: Path) -> None:
    """Nothing is reported where nothing is missing."""
    result = run_pytest(tmp_path, "-k", "other", ci="true")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "NOT TESTED" not in result.stdout
