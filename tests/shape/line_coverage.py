"""`python -m tests.shape.line_coverage [MODULE ...]`: how many lines of each module its own test file runs.

Modules are paths in the package, as `guard/ledger.py`, or folders; without one it is all of them. Each module's test
file runs once, in a process of its own and without any other test. The least is 80 % of the module's lines.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.shape.mirror import EXCEPTIONS, PACKAGE, ROOT, modules, own_test_file

LEAST = 80.0
"""Percent of a module's lines."""

CONFIGURATION = """
[run]
source = {source}
parallel = true
patch = subprocess
data_file = {folder}/data

[report]
exclude_also =
    if TYPE_CHECKING:
    @overload
    \\.\\.\\.$
"""


def share(module: str) -> float | None:
    """The percentage of a module's lines that its test file runs; None if it has no such file, or its tests fail."""
    path = own_test_file(module)
    if path is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "coverage.cfg"
        configuration.write_text(CONFIGURATION.format(source=PACKAGE, folder=folder))
        pytest = ["pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", str(path)]
        if not _called(configuration, "run", "-m", *pytest):
            return None
        _called(configuration, "combine", "-q")
        report = Path(folder) / "report.json"
        _called(configuration, "json", "-q", "--include", str(PACKAGE / module), "-o", str(report))
        return float(json.loads(report.read_text())["totals"]["percent_covered"]) if report.exists() else 0.0


def _called(configuration: Path, command: str, *arguments: str) -> bool:
    """Whether a command of coverage.py ended well."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}"}
    start = [sys.executable, "-m", "coverage", command, f"--rcfile={configuration}", *arguments]
    ended = subprocess.run(start, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if ended.returncode and command == "run":
        sys.stderr.write(ended.stdout[-2000:])
    return ended.returncode == 0


def main() -> int:
    """Print each module's share, and fail where one is too low."""
    parser = argparse.ArgumentParser(prog="python -m tests.shape.line_coverage", description=__doc__)
    parser.add_argument("module", nargs="*", help="paths in the package, as guard/ledger.py or guard")
    parser.add_argument("-n", type=int, default=2, metavar="N", help="so many at a time")
    given = parser.parse_args()
    chosen = [
        module
        for module in modules()
        if module not in EXCEPTIONS and (not given.module or any(module.startswith(start) for start in given.module))
    ]
    low = 0
    with ThreadPoolExecutor(given.n) as pool:
        for module, percent in zip(chosen, pool.map(share, chosen), strict=True):
            low += percent is None or percent < LEAST
            told = "no tests that pass" if percent is None else f"{percent:.0f} %"
            print(f"{module:60} {told}{'' if (percent or 0) >= LEAST else '  too low'}", flush=True)
    print(f"{len(chosen)} modules, {low} below {LEAST:.0f} %")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
