"""Who looks at the whole machine waits until no process of the tests begins or ends a node, and these wait for it."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def machine_held(*, alone: bool) -> Iterator[None]:
    """Hold the machine: with others that begin or end a node, or `alone`, so that none of these changes it."""
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        yield
