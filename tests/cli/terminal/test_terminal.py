"""What is styled for a terminal, and what may never reach one."""

from __future__ import annotations

import os
from io import StringIO

import pytest

from scc_responder.cli.main import main
from scc_responder.cli.terminal.terminal import styled, user_name, visible_lines


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


@pytest.mark.parametrize("unknown", [KeyError("uid not found"), OSError("no username")])
def test_an_account_without_a_name_is_its_number(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unknown: Exception
) -> None:
    """A container may run as any number: each command that says who asks works there all the same."""

    def nobody() -> str:
        raise unknown

    monkeypatch.setattr("getpass.getuser", nobody)
    assert user_name() == f"uid {os.getuid()}"
    for command in ("case", "control", "breaker"):
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
    assert "usage" in capsys.readouterr().out
