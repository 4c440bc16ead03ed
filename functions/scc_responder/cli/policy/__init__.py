"""Check, test and document a folder of policies."""

from __future__ import annotations

import argparse

from scc_responder.cli.terminal.late_parser import add_late_commands

POLICY_COMMANDS = {
    "coverage": "Show which policies answer to which threats, and where none does.",
    "lint": "Say everything that is wrong with a folder of policies, each with file, line and fix.",
    "prove": "Prove what policies never do, for every finding and target there may be, and what a change of them adds.",
    "schema": "Print the JSON Schema of a kind of file, for editors that complete and check while one types.",
    "test": "Run the cases beside the policies (`x.test.yaml`), and say what they do not show.",
}
"""Each command under `policy` and its line of help, which is the first of its module beside this one."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the commands under `policy`."""
    add_late_commands(
        parser,
        __name__,
        POLICY_COMMANDS,
        dest="policy_command",
        run_by="run_policy_command",
        formatter=argparse.RawDescriptionHelpFormatter,
    )


def run(options: argparse.Namespace) -> int:
    """Run the command under `policy`."""
    return int(options.run_policy_command(options))
