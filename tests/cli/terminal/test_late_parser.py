"""A command's module is imported when its command is parsed, and gives the parser all that it declares."""

from __future__ import annotations

import argparse
import sys

import pytest

from scc_responder.cli.terminal.late_parser import add_late_commands


def parser_of(*names: str) -> argparse.ArgumentParser:
    """A parser with commands of the product's command line."""
    parser = argparse.ArgumentParser()
    helps = {name: f"does {name}" for name in names}
    formatter = argparse.RawDescriptionHelpFormatter
    add_late_commands(parser, "scc_responder.cli.policy", helps, dest="command", run_by="run", formatter=formatter)
    return parser


def test_a_command_is_imported_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options and what runs it come from its module; a second use adds nothing twice."""
    monkeypatch.delitem(sys.modules, "scc_responder.cli.policy.schema", raising=False)
    parser = parser_of("schema", "no_such_module")
    assert "scc_responder.cli.policy.schema" not in sys.modules
    for _ in range(2):
        options = parser.parse_args(["schema", "--write", "x"])
    assert str(options.write) == "x"
    assert options.run is sys.modules["scc_responder.cli.policy.schema"].run


def test_the_help_of_a_command_is_that_of_its_module(capsys: pytest.CaptureFixture[str]) -> None:
    """Asking for the help of a command is asking for the command."""
    with pytest.raises(SystemExit):
        parser_of("schema").parse_args(["schema", "--help"])
    shown = capsys.readouterr().out
    assert "Print the JSON Schema" in shown
    assert "--write" in shown


def test_all_commands_are_named_without_being_imported(capsys: pytest.CaptureFixture[str]) -> None:
    """The help of the whole needs no module, be it that there is none."""
    with pytest.raises(SystemExit):
        parser_of("no_such_module").parse_args(["--help"])
    assert "does no_such_module" in capsys.readouterr().out
