"""Make a repository of your own policies in a folder: they stand beside the shipped ones, which are taken as they are.

    scc-responder init our-policies

It has `policies/` with `shipped.yaml`, guardrails, and an example with its test; a workflow, a hook before each commit,
and the pinned requirements. Its README.md says what to do next. Nothing that is there is changed: run it again after an
upgrade, and it writes what is missing.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.workbench.deployment.policy_repository import lay_out_repository


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `init`."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="the folder; it is made where there is none")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Write the files that are missing, and say which."""
    found = lay_out_repository(options.folder)
    if options.format == "json":
        print(json.dumps(msgspec.to_builtins(found), indent=2))
        return 0
    for word, names in (("wrote", found.written), ("kept ", found.kept)):
        for name in names:
            print(visible_lines(f"{word} {options.folder / name}"))
    print(visible_lines(f"{options.folder / 'README.md'} says what to do next"))
    return 0
