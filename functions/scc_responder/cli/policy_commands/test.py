"""Run the cases beside the policies (`x.test.yaml`), and say what they do not show.

Exit 1 if a case fails, or a policy lacks one.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scc_responder.cli.terminal import visible_lines
from scc_responder.policy import load_policies
from scc_responder.policy_cases import check_policies


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy test`."""
    parser.add_argument("folder", nargs="?", type=Path, default=Path("policies"), metavar="DIR", help="the policies")
    parser.add_argument(
        "--findings", type=Path, default=Path("tests/findings"), metavar="DIR", help="the findings that cases name"
    )


def run(options: argparse.Namespace) -> int:
    """Print every fault; 1 if there is one."""
    policies = load_policies(options.folder)
    faults = check_policies(policies, options.folder, options.findings)
    for fault in faults:
        print(visible_lines(fault))
    print(f"{len(policies.policies)} policies, {len(faults)} faults")
    return 1 if faults else 0
