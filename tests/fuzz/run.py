"""Run the atheris target in a process of its own, and read its figures from what libFuzzer prints."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.findings import push_body
from tests.fuzz.mutate import corpus

MAX_BYTES = 64 * 1024
MAX_MEMORY_MEGABYTES = 1024
SLOW_SECONDS = 5
REMEDY = "atheris has wheels for CPython 3.11 to 3.14 on Linux x86-64 only; run it there"
ROOT = Path(__file__).parents[2]

_STATUS = re.compile(r"#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)/\S+.*? exec/s: (\d+) rss: (\d+)Mb")
_DONE = re.compile(r"Done (\d+) runs in (\d+) second")


class Unavailable(Exception):  # noqa: N818 - a fact about this machine, not a fault
    """Fuzzing by coverage is not possible here."""


def fuzz(seconds: int, crashes: Path, target: Sequence[str] = ("-m", "tests.fuzz.fuzz_notification")) -> dict[str, Any]:
    """The figures of so many seconds of fuzzing; `failed` has the end of what it printed where something was found.

    Inputs that fail are kept in `crashes`. Raises Unavailable.
    """
    if find_spec("atheris") is None:
        raise Unavailable(REMEDY)
    with tempfile.TemporaryDirectory(prefix="scc-responder-fuzz-") as folder:
        _seed(Path(folder))
        ended = subprocess.run(
            [sys.executable, *target, folder, *_options(seconds, crashes)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}", "PYTHONHASHSEED": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds + 120,
        )
    return _figures(ended.stdout, ended.returncode, crashes)


def _seed(folder: Path) -> None:
    """The corpus to begin with: every golden as it is published, and some as they are pushed."""
    for number, content in enumerate(corpus()):
        (folder / f"golden-{number:04}").write_bytes(content)
        if number % 10 == 0:
            (folder / f"pushed-{number:04}").write_bytes(push_body(content))


def _options(seconds: int, crashes: Path) -> Sequence[str]:
    crashes.mkdir(parents=True, exist_ok=True)
    return (
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES}",
        f"-rss_limit_mb={MAX_MEMORY_MEGABYTES}",
        f"-timeout={SLOW_SECONDS}",
        f"-artifact_prefix={crashes.resolve()}/",
        "-print_final_stats=1",
    )


def _figures(printed: str, status: int, crashes: Path) -> dict[str, Any]:
    lines = _STATUS.findall(printed)
    done = _DONE.search(printed)
    with suppress(OSError):
        crashes.rmdir()  # which only an empty folder allows
    raised = printed.find("=== Uncaught Python exception")
    told = printed[raised : raised + 4000] if raised >= 0 else printed[-4000:]
    figures: dict[str, Any] = {"failed": told if status or not done else ""}
    if done:
        figures |= {"executions": int(done[1]), "seconds": int(done[2])}
    if lines:
        started, last = lines[0], lines[-1]
        figures |= {"coverage_before": int(started[1]), "coverage": int(last[1]), "corpus": int(last[3])}
        figures |= {"executions_per_second": int(last[4]), "resident_megabytes": int(last[5])}
        figures["resident_megabytes_before"] = int(started[5])
    return figures
