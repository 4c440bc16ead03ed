"""A parser of a command whose module is imported once somebody asks for the command, for imports cost the most."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
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
        if self.imported:
            module = import_module(self.imported)
            self.imported = ""
            self.description = module.__doc__
            module.add_options(self)
            self.set_defaults(**{self.run_by: module.run})
        return super().parse_known_args(args, namespace)


def add_late_commands(
    parser: argparse.ArgumentParser, folder: str, commands: Mapping[str, str], *, dest: str, run_by: str, formatter: Any
) -> None:
    """Declare the commands of a folder of modules, each with its name and line of help."""
    late = parser.add_subparsers(dest=dest, metavar="COMMAND", required=True, parser_class=LateParser)
    for name, help_line in commands.items():
        command = late.add_parser(name, help=help_line, formatter_class=formatter)
        command.imported, command.run_by = f"{folder}.{name}", run_by
