"""A parser of a command whose module is imported once somebody asks for the command, for imports cost the most."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from typing import Any


class LateParser(argparse.ArgumentParser):
    """Takes description and options from a module, when its command is parsed: others are not imported."""

    imported = ""
    """The module, by its whole name; empty where there is none, or it was imported."""
    run_by = ""
    """Under which name of the options the module's `run` stands."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> Any:
        """What the arguments say, by the options that the module declares."""
        self.load()
        return super().parse_known_args(args, namespace)

    def load(self) -> None:
        """Take description and options from the module, unless that was done."""
        if self.imported:
            module = import_module(self.imported)
            self.imported = ""
            self.description = module.__doc__
            module.add_options(self)
            self.set_defaults(**{self.run_by: module.run})


def load_named(parser: argparse.ArgumentParser, words: Collection[str]) -> None:
    """Load the commands that these words name, and those within them: who completes words has to know their options."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to a parser's commands
        for name, command in (action.choices if isinstance(action.choices, Mapping) else {}).items():
            if name in words and isinstance(command, LateParser):
                command.load()
                load_named(command, words)


def add_late_commands(
    parser: argparse.ArgumentParser, folder: str, commands: Mapping[str, str], *, dest: str, run_by: str, formatter: Any
) -> None:
    """Declare the commands of a folder of modules, each with its name and line of help."""
    late = parser.add_subparsers(dest=dest, metavar="COMMAND", required=True, parser_class=LateParser)
    for name, help_line in commands.items():
        command = late.add_parser(name, help=help_line, formatter_class=formatter)
        command.imported, command.run_by = f"{folder}.{name}", run_by
