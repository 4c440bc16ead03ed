"""Say everything that is wrong with a folder of policies, each with file, line and fix.

Errors keep the policies from loading: exit 1. Warnings are allowed, and seldom meant: exit 1 with --strict.

    scc-responder policy lint                                 # the folder policies/, with its subfolders
    scc-responder policy lint policies/isolate-key-theft.yaml # what concerns this file, as a hook before a commit asks
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from scc_responder.cli.policy.reports.sarif_report import sarif
from scc_responder.cli.terminal.policy_folder import (
    AskedPolicies,
    add_policy_arguments,
    asked_policies,
    require_policies,
)
from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.cli.terminal.terminal import styled, visible_lines
from scc_responder.domain.errors import SettingsError
from scc_responder.policy.policy_set import policy_paths
from scc_responder.workbench.policies.cases.case_situation import USUAL_FINDINGS
from scc_responder.workbench.policies.policy_lint import Linted, lint
from scc_responder.workbench.policy_files.mistakes import Fault
from scc_responder.workbench.policy_files.policy_layout import told_name
from scc_responder.workbench.policy_files.shipped_pack import takes_shipped


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy lint`."""
    add_policy_arguments(parser)
    parser.add_argument(
        "--findings", type=Path, default=USUAL_FINDINGS, metavar="DIR", help="the findings that cases name"
    )
    parser.add_argument("--strict", action="store_true", help="let warnings fail too")
    parser.add_argument("--format", choices=("text", "json", "sarif"), default="text", help="what to print")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to this file instead")


def run(options: argparse.Namespace) -> int:
    """Print every error and warning; 1 if there is one that fails."""
    asked = asked_policies(options.paths, options.policies)
    found = lint(asked.folder, datetime.now(UTC).date(), options.findings)
    require_policies(found.policies + len(found.errors) + takes_shipped(asked.folder), asked.folder)
    found = _about(found, asked)
    _require_read(found, asked)
    formats: dict[str, Callable[[], str]] = {
        "text": lambda: _text(found),
        "json": lambda: json.dumps(msgspec.to_builtins(found), indent=2),
        "sarif": lambda: sarif(found, asked.folder),
    }
    print_report(formats[options.format](), options.output, _summary(found))
    return 1 if found.errors or (options.strict and found.warnings) else 0


def _about(found: Linted, asked: AskedPolicies) -> Linted:
    """What was found in the files that were asked for."""
    return Linted(
        policies=sum(asked.concerns(told_name(path, asked.folder)) for path in policy_paths(asked.folder)),
        errors=tuple(fault for fault in found.errors if asked.concerns(fault.file)),
        warnings=tuple(fault for fault in found.warnings if asked.concerns(fault.file)),
    )


def _require_read(found: Linted, asked: AskedPolicies) -> None:
    """Raise SettingsError where nothing that was asked for is ever read: "nothing is wrong" would mislead."""
    paths = map(Path, asked.chosen)
    is_read = any(path.suffix == ".yaml" and not any(part.startswith(".") for part in path.parts) for path in paths)
    if asked.chosen and not (is_read or found.policies or found.errors or found.warnings):
        text = f"{', '.join(asked.chosen)}: not read: policies, cases and guardrails end in .yaml; name one of these"
        raise SettingsError("not_read", text)


def _text(found: Linted) -> str:
    faults = [(fault, "") for fault in found.errors] + [(fault, "warning: ") for fault in found.warnings]
    faults.sort(key=lambda item: (item[0].file, item[0].line))
    return "\n".join([*(_line(fault, kind) for fault, kind in faults), _summary(found)])


def _line(fault: Fault, kind: str) -> str:
    place = f"{fault.file}:{fault.line}: " if fault.line else f"{fault.file}: " if fault.file else ""
    told = visible_lines(str(fault).removeprefix(place))
    name = f" [{fault.reason}]" if kind else ""
    return f"{styled(place, 'bold')}{styled(kind, 'yellow') if kind else ''}{told}{name}"


def _summary(found: Linted) -> str:
    counts = ((found.policies, "policy"), (len(found.errors), "error"), (len(found.warnings), "warning"))
    return ", ".join(f"{count} {word if count == 1 else _PLURALS.get(word, f'{word}s')}" for count, word in counts)


_PLURALS = {"policy": "policies"}
