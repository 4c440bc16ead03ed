"""A bar that shows how far long work has come: on a terminal only, and not on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TextIO, TypeVar

_CLEAR = "\r\x1b[2K"
_WIDTH = 30
_EVERY_SECONDS = 0.1

_T = TypeVar("_T")


def shown(
    items: Iterable[_T], total: int, what: str, stream: TextIO | None = None, clock: Callable[[], float] = monotonic
) -> Iterator[_T]:
    """The items, with a bar for as long as they last."""
    stream = stream or sys.stderr
    live = stream.isatty() and os.environ.get("TERM") != "dumb"
    began = last = clock()
    try:
        for done, item in enumerate(items):
            if live and clock() - last >= _EVERY_SECONDS:
                last = clock()
                stream.write(_CLEAR + _bar(done, total, what, last - began))
                stream.flush()
            yield item
    finally:
        if live:
            stream.write(_CLEAR)
            stream.flush()


def _bar(done: int, total: int, what: str, seconds: float) -> str:
    share = done / total if total else 1.0
    filled = int(share * _WIDTH)
    left = f", {seconds / share - seconds:.0f} s left" if share else ""
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {done:,} of {total:,} {what}{left}"
