"""A listing that goes on: on a terminal alone, and ended by Ctrl-C."""

from __future__ import annotations

import sys
from io import StringIO

import pytest

from scc_responder.cli.case.watching import EVERY_SECONDS, watched
from scc_responder.domain.errors import SettingsError
from tests.cli.terminal.test_progress import Terminal


def test_it_is_shown_anew_until_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the top of the screen each time, for as many lines as fit; the last one says how it ended."""
    stream, waits, codes = Terminal(), [], iter([1, 0, 1])
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LINES", "10")
    monkeypatch.setenv("COLUMNS", "80")

    def show(room: int) -> int:
        stream.write(f"{room} lines")
        return next(codes)

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    assert watched(show, wait) == 1
    assert stream.getvalue() == "\x1b[H\x1b[2J7 lines" * 3
    assert waits == [EVERY_SECONDS] * 3


@pytest.mark.parametrize(("stream", "term"), [(StringIO(), "xterm"), (Terminal(), "dumb")])
def test_elsewhere_it_is_refused(stream: StringIO, term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file would grow for ever, and a dumb terminal cannot be cleared."""
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", term)
    with pytest.raises(SettingsError, match="needs a terminal"):
        watched(lambda _room: 0)
    assert stream.getvalue() == ""
