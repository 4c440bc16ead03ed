"""Waiting for another process, with a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(predicate: Callable[[], T], *, what: str, seconds: float = 15.0, interval: float = 0.02) -> T:
    """The first true answer of `predicate`. Raises TimeoutError, naming `what` and the last answer."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        answer = predicate()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}; last answer: {answer!r}")
        pause.wait(interval)
