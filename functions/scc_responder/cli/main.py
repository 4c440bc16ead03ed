"""`scc-responder`: the commands, their options, and how errors reach a person."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from io import TextIOWrapper

from scc_responder import __version__
from scc_responder.cli.terminal.late_parser import add_late_commands
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.domain.errors import ResponderError

COMMANDS = {
    "serve": "run the function on this machine",
    "demo": "show the main job on this machine, with a simulated cluster",
    "explain": "say what every policy would do with a finding, and why",
    "case": "list and show cases, and answer a plan that waits for a person",
    "console": "show cases in a browser on this machine, and answer there",
    "control": "show the kill switch, or turn it",
    "redrive": "publish dead-lettered messages again",
    "simulate": "say whom policies would have touched, by recorded findings",
    "threats": "list the threats that are understood",
    "breaker": "show the storm breakers, or reset one that tripped",
    "notify": "try a route, or list the notices that wait",
    "permissions": "say which IAM and RBAC permissions the enabled policies need",
    "doctor": "probe a deployment: what is wrong with it, and what fixes it",
    "snapshot": "copy what decisions need from a cluster into a file",
    "init": "make a repository of your own policies",
    "bundle": "make the zip that is deployed, and what goes with it",
    "completion": "print what makes a shell complete these commands",
    "policy": "check, test and document a folder of policies",
}
"""Every command and its one line of help; `scc_responder.cli.<command>` holds it."""
_ASKED_BY_SHELL = "_ARGCOMPLETE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when it is done, 1 when a problem was found, 2 for wrong use."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A letter that the terminal's encoding lacks is shown by its number: nothing ends for it half told.
            stream.reconfigure(errors="backslashreplace")
    parser = _parser()
    if _ASKED_BY_SHELL in os.environ:
        from scc_responder.cli.completion import complete  # noqa: PLC0415 - only a shell asks for it

        complete(parser)
    options = parser.parse_args(given)
    empty = next(_empty(given), None)
    if empty:
        print(f"scc-responder: {visible_lines(empty)}: it is empty: is a variable not set?", file=sys.stderr)
        return 2
    try:
        status = int(options.run(options))
        # Here, not when the interpreter ends: a disk that is full is told like any other error.
        sys.stdout.flush()
    except ResponderError as error:
        print(f"scc-responder: {visible_lines(str(error))}", file=sys.stderr)
        return 2
    except OSError as error:
        return _unwritten(error)
    except KeyboardInterrupt:
        print("\nscc-responder: interrupted", file=sys.stderr)
        return 130
    return status


def _empty(given: Sequence[str]) -> Iterator[str]:
    """The options and other arguments whose value is empty: `--cluster ""` must not mean all clusters."""
    for number, word in enumerate(given):
        before = given[number - 1] if number else ""
        if not word:
            yield before if before.startswith("-") else f"argument {number + 1}"
        elif word.startswith("--") and word.endswith("="):
            yield word[:-1]


def _unwritten(error: OSError) -> int:
    """Say what could not be read or written; nothing to a reader that has gone, such as `head`."""
    if not isinstance(error, BrokenPipeError):
        print(f"scc-responder: {visible_lines(str(error))}", file=sys.stderr)
    try:
        sys.stdout.flush()
    except OSError:
        # What is left in the buffer cannot be written, and must not fail again when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


def _parser() -> argparse.ArgumentParser:
    """All commands by name and help. A command's module is imported when it is asked for."""
    parser = argparse.ArgumentParser(
        prog="scc-responder", description="Contain the threats that Security Command Center finds in GKE and Cloud Run."
    )
    parser.add_argument("--version", action="version", version=f"scc-responder {__version__}")
    add_late_commands(parser, "scc_responder.cli", COMMANDS, dest="command", run_by="run", formatter=_Wide)
    return parser


class _Wide(argparse.RawDescriptionHelpFormatter):
    """Keep the description's lines, and show the defaults that say something."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        is_given = bool(action.default) and action.default != argparse.SUPPRESS
        told = is_given and "%(default)" not in (action.help or "")
        return f"{action.help} (default: %(default)s)" if told and action.option_strings else action.help


if __name__ == "__main__":
    sys.exit(main())
