from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.schedule import DIVIDED, EMULATED, LONGEST, place, unit

ROOT = Path(__file__).parents[1]

TESTS = """
import os
import pytest

@pytest.mark.parametrize("number", range({count}))
def test_{name}(number): print("ran", "{name}", number, os.getpid())
"""


@pytest.mark.parametrize("start", [*LONGEST, *DIVIDED, *EMULATED])
def test_what_begins_first_is_there(start: str) -> None:
    """A file that was renamed would begin last."""
    assert (ROOT / start).exists()


def test_order_and_units() -> None:
    """The rehearsal begins, as one unit; a file is one unit; what is not named comes last."""
    assert unit("tests/rehearsal/test_outage.py::test_a") == unit("tests/rehearsal/test_shipped_pack.py::test_b")
    assert unit("tests/guard/test_a.py::test_a[x::y]") == "tests/guard/test_a.py"
    assert [unit(f"{file}::test_a[x::y]") for file in DIVIDED] == [f"{file}::test_a" for file in DIVIDED]
    assert {unit(f"{start}::test_a") for start in EMULATED} == {"emulated"}
    places = [
        place(f"{name}::test") for name in ("tests/rehearsal/test_a.py", "tests/cli/test_a.py", "tests/test_a.py")
    ]
    assert places == sorted(set(places))


def test_a_file_stays_whole(tmp_path: Path) -> None:
    """Whatever the number of processes, all tests of a file run in one of them, and no test is left out."""
    (tmp_path / "conftest.py").write_text(
        "from tests.schedule import Schedule\n"
        "def pytest_xdist_make_scheduler(config, log): return Schedule(config, log)\n"
    )
    for name, count in {"one": 20, "two": 20, "three": 1}.items():
        (tmp_path / f"test_{name}.py").write_text(TESTS.format(name=name, count=count))
    command = [sys.executable, "-m", "pytest", "-n", "2", "-rP", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    environment = {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    ran = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("ran ")]
    assert len(ran) == 41
    assert len({(name, process) for name, _, process in ran}) == 3
    assert len({process for _, _, process in ran}) == 2
