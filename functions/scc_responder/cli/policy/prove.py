"""Prove what policies never do, for every finding and target there may be, and what a change of them adds.

Decide and guard are asked together, about every situation that the policies and guardrails can tell apart. Shown is:
  reaches_protected   a pod in a namespace of Kubernetes itself or of Google is changed
  no_evidence_before  something is done for good that waits for no evidence
  policies_fight      two policies of one mode ask for different things, and nothing but a name decides
  held_by_guardrails  a protected target would be changed but for the guardrails: a warning

    scc-responder policy prove
    scc-responder policy prove --against /tmp/deployed/policies --counterexamples /tmp/found

`--against OTHER_POLICIES` says what these policies do that the others do not (added, mode_raised, loosened), and what
they do no more (taken_away, mode_lowered, tightened): all of it, each with the threats it is so for. By which policy
does not count: one that is renamed changes nothing. Edits of limits, breakers and approval are listed as well.

Each has a finding and a target that show it, and is confirmed: the finding's notification is read, and decided upon by
the policies as they are. `--counterexamples DIR` writes them there, for `scc-responder explain`. A policy's `condition`
is not looked into: it is taken to hold and not to hold, and the policy is named as not proved.

The target is taken to be there, with all facts read: what is missing only ever holds more. Exit 1 where anything is
shown that must not be, or that makes a target more affected.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from scc_responder.cli.policy.reports.proof_report import (
    proof_json,
    proof_summary,
    proof_text,
    write_counterexamples,
)
from scc_responder.cli.terminal.policy_folder import require_policies
from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.cli.terminal.times import moment
from scc_responder.domain.clock import utc_now
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.policy_files.policy_file import load_former, load_policies
from scc_responder.workbench.proof.proof import prove


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy prove`."""
    parser.add_argument("--policies", type=Path, default=Path("policies"), metavar="DIR", help="folder of policies")
    parser.add_argument("--against", type=Path, metavar="DIR", help="what they change of these policies")
    parser.add_argument(
        "--at", type=moment, metavar="TIME", help="when findings arrive, if not now; in UTC unless it says otherwise"
    )
    parser.add_argument("--counterexamples", type=Path, metavar="DIR", help="write findings and contexts there")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to this file instead")


def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 where a person has to look at it before it is deployed."""
    pack = load_policies(options.policies)
    require_policies(len(pack.policies), options.policies)
    now = options.at or utc_now().replace(second=0, microsecond=0)
    proof = prove(pack, now, _former(options.against))
    if options.counterexamples:
        write_counterexamples(proof, options.counterexamples)
    shown = proof_json(proof) if options.format == "json" else proof_text(proof, options.policies)
    print_report(shown, options.output, proof_summary(proof))
    return 1 if proof.fails else 0


def _former(folder: Path | None) -> PolicySet | None:
    """The policies to compare with."""
    if folder is None:
        return None
    former = load_former(folder)
    require_policies(len(former.policies), folder)
    return former
