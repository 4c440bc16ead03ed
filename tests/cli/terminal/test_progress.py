"""The bar over a long run: on a terminal, and gone at its end."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from itertools import count

import pytest

from scc_responder.cli.terminal.progress import shown


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def seconds() -> Iterator[float]:
    return map(float, count())


def test_a_terminal_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Items pass unchanged; at the end the line is cleared."""
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), seconds()
    assert list(shown(range(4), 4, "findings", stream, lambda: next(clock))) == [0, 1, 2, 3]
    told = stream.getvalue()
    assert "] 0 of 4 findings" in told
    assert "] 2 of 4 findings" in told
    assert "s left" in told
    assert told.endswith("\r\x1b[2K")


def test_a_bar_of_nothing_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A total that is wrong breaks nothing."""
    monkeypatch.setenv("TERM", "xterm")
    stream, clock = Terminal(), seconds()
    assert list(shown(["a"], 0, "findings", stream, lambda: next(clock))) == ["a"]
    assert "#" * 30 in stream.getvalue()


@pytest.mark.parametrize("stream", [StringIO(), Terminal()], ids=["file", "dumb-terminal"])
def test_elsewhere_nothing_is_written(stream: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file nor a dumb terminal gets a bar."""
    monkeypatch.setenv("TERM", "dumb")
    assert list(shown(range(3), 3, "findings", stream)) == [0, 1, 2]
    assert stream.getvalue() == ""
