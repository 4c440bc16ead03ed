"""Print what makes a shell complete the commands, their options, and files: for bash, zsh or fish.

The library that does it, argcomplete, is in the extra `desk`. Load it once, or let each new shell do so:

  eval "$(scc-responder completion bash)"                                 in ~/.bashrc
  eval "$(scc-responder completion zsh)"                                  in ~/.zshrc, after compinit
  scc-responder completion fish > ~/.config/fish/completions/scc-responder.fish
"""

from __future__ import annotations

import argparse
import os
import shlex
from importlib import import_module
from types import ModuleType

from scc_responder.cli.terminal.late_parser import load_named
from scc_responder.domain.errors import SettingsError

_PROGRAM = "scc-responder"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `completion`."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell that is to complete")


def run(options: argparse.Namespace) -> int:
    """Print the shell's code. Raises SettingsError where the library is not installed."""
    print(_library().shellcode([_PROGRAM], shell=options.shell))
    return 0


def complete(parser: argparse.ArgumentParser) -> None:
    """Answer the shell that asks how the line in its environment may go on, and end the process."""
    load_named(parser, _words(os.environ.get("COMP_LINE", "")))
    _library().autocomplete(parser)


def _words(line: str) -> list[str]:
    """The words of a line that is being written: a quote may be open."""
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _library() -> ModuleType:
    try:
        return import_module("argcomplete")
    except ImportError as error:
        told = "argcomplete is not installed; install the extra: pip install 'scc-responder[desk]'"
        raise SettingsError("extra_not_installed", told) from error
