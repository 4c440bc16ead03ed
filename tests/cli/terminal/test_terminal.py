"""What is styled for a terminal, and what may never reach one."""

from __future__ import annotations

from io import StringIO

import pytest

from scc_responder.cli.terminal.terminal import styled, visible_lines


class Terminal(StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_only_a_terminal_gets_a_style(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file gets the text alone, and so does a person who asked for no colour."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert styled("done", "green", Terminal()) == "\x1b[32mdone\x1b[0m"
    assert styled("done", "green", StringIO()) == "done"
    monkeypatch.setenv("NO_COLOR", "1")
    assert styled("done", "green", Terminal()) == "done"


def test_control_characters_become_visible() -> None:
    """In a style as in plain lines; a new line stays one in text of several."""
    assert "\x1b" not in styled("a\x1b[2Jb", "red", StringIO())
    assert visible_lines("a\x1bb\nc").split("\n")[1] == "c"
    assert "\x1b" not in visible_lines("a\x1bb\nc")
