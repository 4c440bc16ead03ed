"""Named points between two effects on the world, at which a crash test can kill the process.

It exists for crash tests alone and does nothing unless the environment asks for it when the process starts:

SCC_RESPONDER_KILL_AT=N               SIGKILL this process at its N-th boundary (from 1)
SCC_RESPONDER_KILL_ONCE=FILE          with KILL_AT: only the process that creates FILE dies, so a respawned worker lives
SCC_RESPONDER_COUNT_BOUNDARIES=FILE   append the name of each boundary to FILE, one a line

On Cloud Run (`K_SERVICE` is set) all three are ignored.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path


def _nothing(name: str) -> None:
    """Pass a boundary outside a crash test."""


def observer(environment: Mapping[str, str]) -> Callable[[str], None]:
    """What is called at each boundary under this environment: nothing, unless a crash test asked for something."""
    kill_at = environment.get("SCC_RESPONDER_KILL_AT", "")
    log = environment.get("SCC_RESPONDER_COUNT_BOUNDARIES", "")
    if "K_SERVICE" in environment or not (kill_at.isdecimal() or log):
        return _nothing
    passed = count(1)
    fatal = int(kill_at) if kill_at.isdecimal() else 0
    once = environment.get("SCC_RESPONDER_KILL_ONCE", "")

    def observe(name: str) -> None:
        if log:
            _append(log, name)
        if next(passed) == fatal and (not once or _is_first(once)):
            os.kill(os.getpid(), signal.SIGKILL)

    return observe


def _append(path: str, name: str) -> None:
    # One write of a short line in append mode is not interleaved with those of other processes.
    with Path(path).open("ab", buffering=0) as file:
        file.write(f"{name}\n".encode())


def _is_first(path: str) -> bool:
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        return False
    return True


boundary: Callable[[str], None] = observer(os.environ)
"""Pass the boundary of this name. Call it before and after each write to the store and each request to an API."""
