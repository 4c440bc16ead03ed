"""`scc-responder`: the commands, their options, and how errors reach a person."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

from scc_responder import __version__
from scc_responder.errors import ResponderError

COMMANDS = {
    "serve": "run the function on this machine",
    "demo": "show the main job on this machine, with a simulated cluster",
    "explain": "say what every policy would do with a finding, and why",
}
"""Every command and its one line of help; `scc_responder.cli.<command>` holds it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when it is done, 1 when a problem was found, 2 for wrong use."""
    parser = argparse.ArgumentParser(
        prog="scc-responder",
        description="Contain the threats that Security Command Center finds in GKE and Cloud Run.",
    )
    parser.add_argument("--version", action="version", version=f"scc-responder {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, help_line in COMMANDS.items():
        module = import_module(f"scc_responder.cli.{name}")
        command = commands.add_parser(name, help=help_line, description=module.__doc__, formatter_class=_Wide)
        module.add_options(command)
        command.set_defaults(run=module.run)
    options = parser.parse_args(arguments)
    try:
        return int(options.run(options))
    except ResponderError as error:
        print(f"scc-responder: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


class _Wide(argparse.RawDescriptionHelpFormatter, argparse.ArgumentDefaultsHelpFormatter):
    """Keep the description's lines, and show defaults."""


if __name__ == "__main__":
    sys.exit(main())
