"""Where tests write: in memory where there is room. On a disk each commit of SQLite's is waited for."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ROOM = 8 * 1024**3
"""Bytes that have to be free: a run of all tests writes less than half of it."""
NAMED = "scc-responder-tests-"
ASKED = "PYTEST_DEBUG_TEMPROOT"


def folder_in_memory(memory: Path = MEMORY, room: int = ROOM) -> Path | None:
    """A fresh folder that no disk keeps; None where there is none from which programs start, or too little room.

    Folders of runs that were killed are removed.
    """
    try:
        _remove_left(memory)
        found = os.statvfs(memory)
        if found.f_flag & os.ST_NOEXEC or min(found.f_bavail * found.f_frsize, _available()) < room:
            return None
        made = memory / f"{NAMED}{os.getpid()}"
        made.mkdir(mode=0o700)
    except OSError:
        return None
    return made


def _remove_left(memory: Path) -> None:
    for left in memory.glob(f"{NAMED}*"):
        if not Path("/proc", left.name.removeprefix(NAMED)).exists():
            shutil.rmtree(left, ignore_errors=True)


def _available() -> int:
    known = re.search(r"^MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text(), re.MULTILINE)
    return int(known[1]) * 1024 if known else 0


class ScratchFolder:
    """The pytest plugin that gives a run, and its workers, their folder, and removes it at the end.

    Whoever wants to look at it after a failure sets `PYTEST_DEBUG_TEMPROOT` to another folder.
    """

    def __init__(self) -> None:
        self._made: Path | None = None

    def pytest_configure(self) -> None:
        """Before the first folder is made."""
        if ASKED not in os.environ and (made := folder_in_memory()):
            self._made = made
            os.environ[ASKED] = str(made)

    def pytest_unconfigure(self) -> None:
        """After the last one was used."""
        if self._made:
            del os.environ[ASKED]
            shutil.rmtree(self._made, ignore_errors=True)
