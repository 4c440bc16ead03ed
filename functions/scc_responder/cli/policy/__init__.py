"""Check, test and document a folder of policies."""

from __future__ import annotations

import argparse
from importlib import import_module
from pkgutil import iter_modules


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the commands under `policy`: one module beside this one each, whose docstring is its help."""
    commands = parser.add_subparsers(dest="policy_command", metavar="COMMAND", required=True)
    for name in sorted(module.name for module in iter_modules(__path__) if not module.ispkg):
        module = import_module(f"{__name__}.{name}")
        help_line = (module.__doc__ or "").partition("\n")[0]
        command = commands.add_parser(
            name, help=help_line, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_options(command)
        command.set_defaults(run_policy_command=module.run)


def run(options: argparse.Namespace) -> int:
    """Run the command under `policy`."""
    return int(options.run_policy_command(options))
