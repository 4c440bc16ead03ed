"""Show which policies answer to which threats, and where none does.

Every policy is tried on a plain finding of each threat of the catalogue, its target known in full: `when`, `unless` and
`condition` are really matched, and its actions really planned. For each threat: the policies that match, their modes,
what their actions come to, and how far they go at the furthest: observe, reversible or irreversible.

A gap is a threat with no policy; with disabled ones only; with policies that ask for more than the threat (a namespace,
an image, a `condition`), so that they cover some targets only; or with policies of whose actions none can be planned.
Policies that match no threat at all are named as well.

JSON and the page also say what happens to each threat at `dry_run`, `approve` and `enforce` under the guardrails, alone
and where related findings raise its confidence.

    scc-responder policy coverage
    scc-responder policy coverage --format html --output coverage.html
    scc-responder policy coverage --strict > /dev/null    # in CI: exit 1 while there is a gap

The page is one file that loads nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec.structs import replace

from scc_responder.cli.policy.reports import coverage_page, coverage_report
from scc_responder.cli.terminal.policy_folder import add_policy_arguments, asked_policies, require_policies
from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.policy.policy_set import policy_paths
from scc_responder.workbench.policies.answers_by_mode import answers_by_mode
from scc_responder.workbench.policies.threat_coverage import Coverage, coverage
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.policy_layout import told_name

_FORMATS: Mapping[str, Callable[[Coverage], str]] = {
    "text": coverage_report.coverage_text,
    "markdown": coverage_report.coverage_markdown,
    "html": coverage_page.html,
    "json": coverage_report.coverage_json,
}

_BY_MODE = frozenset({"html", "json"})
"""The formats that have room for what happens at each mode."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy coverage`."""
    add_policy_arguments(parser)
    parser.add_argument("--format", choices=tuple(_FORMATS), default="text", help="what to print")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to this file instead")
    parser.add_argument("--strict", action="store_true", help="exit 1 if there is a gap, or a policy without a threat")


def run(options: argparse.Namespace) -> int:
    """Print or write the coverage; 1 if `--strict` and something is not covered."""
    asked = asked_policies(options.paths, options.policies)
    own = {path.stem for path in policy_paths(asked.folder)}
    wanted = {path.stem for path in policy_paths(asked.folder) if asked.concerns(told_name(path, asked.folder))}
    loaded = load_policies(asked.folder)
    shipped = () if asked.chosen else (policy.name for policy in loaded.policies if policy.name not in own)
    wanted |= set(shipped)
    policies = tuple(policy for policy in loaded.policies if policy.name in wanted)
    require_policies(len(policies), asked.folder)
    found = coverage(policies)
    if options.format in _BY_MODE:
        rows = (threat.row for threat in found.threats)
        found = replace(found, by_mode=answers_by_mode(rows, replace(loaded, policies=policies)))
    print_report(_FORMATS[options.format](found), options.output, coverage_report.coverage_summary(found))
    return 1 if options.strict and (found.gaps or found.idle) else 0
