"""What reaches a terminal, and what reaches a file or a pipe."""

from __future__ import annotations

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.cli.terminal.screen import Screen
from scc_responder.cli.terminal.terminal import styled, visible_lines

CLEAR = "\r\x1b[2K"


class FakeTerminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_the_waiting_line_gives_way() -> None:
    """On a terminal the waiting line is there until the next line is written."""
    stream = FakeTerminal()
    screen = Screen(stream)
    screen.wait_for("reading")
    screen.wait_for("reading")
    screen.wait_for("writing")
    screen.line("done")
    screen.line("more")
    plain = stream.getvalue().replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert plain == f"reading{CLEAR}writing{CLEAR}done\nmore\n"


def test_waiting_line_elsewhere() -> None:
    """In a file or a pipe there is no waiting line, and no pause."""
    stream = io.StringIO()
    screen = Screen(stream)
    began = time.monotonic()
    screen.wait_for("reading")
    screen.pause(10)
    screen.line("do", "ne  ")
    assert stream.getvalue() == "done\n"
    assert time.monotonic() - began < 5


def test_waiting_line_is_one_line() -> None:
    """A text that is wider than the terminal is cut, so that it can be cleared, and cannot steer the terminal."""
    stream = FakeTerminal()
    Screen(stream).wait_for("\x1b[2J\n" + "x" * 1000)
    shown = stream.getvalue().removeprefix("\x1b[2m").removesuffix("\x1b[0m")
    assert "\n" not in shown
    assert "\x1b" not in shown
    assert len(shown) < 1000


@pytest.mark.parametrize("style", ["bold", "dim", "red", "green", "yellow", "blue"])
def test_styles_appear_only_on_a_terminal(style: str) -> None:
    """A style begins and ends with its text on a terminal, and is left out elsewhere."""
    shown = styled("text", style, FakeTerminal())
    assert shown.startswith("\x1b[")
    assert shown.endswith("mtext\x1b[0m")
    assert styled("text", style, io.StringIO()) == "text"


@given(text=st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    """Whatever the text, what is written of it is printable."""
    assert not any(item < " " or item == "\x7f" for item in styled(text, "bold", io.StringIO()))


@given(text=st.text())
def test_lines_stay_lines(text: str) -> None:
    """Text of several lines keeps its line ends and nothing else that a terminal acts on."""
    shown = visible_lines(text)
    assert shown.count("\n") == text.count("\n")
    assert not any(item < " " and item != "\n" for item in shown)
