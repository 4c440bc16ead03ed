"""A terminal that is written to line by line, with one line at its foot that says what is being waited for."""

from __future__ import annotations

import os
import shutil
import sys
import time
from typing import TextIO

from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.text import visible

_CLEAR = "\r\x1b[2K"


class Screen:
    """Lines on a stream. Where it is no terminal there is no waiting line, and no pause."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self.live = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._waiting = ""

    def line(self, *parts: str) -> None:
        """Write one line of parts that are styled already."""
        self._write(f"{self._cleared()}{''.join(parts).rstrip()}\n")

    def wait_for(self, text: str) -> None:
        """Show what is being waited for, until the next line or text."""
        width = shutil.get_terminal_size().columns - 1
        text = visible(text)[:width]
        if self.live and text != self._waiting:
            self._write(self._cleared() + styled(text, "dim", self._stream))
            self._waiting = text

    def pause(self, seconds: float) -> None:
        """Give a person time to read."""
        if self.live:
            time.sleep(seconds)

    def _cleared(self) -> str:
        was, self._waiting = self._waiting, ""
        return _CLEAR if was else ""

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
