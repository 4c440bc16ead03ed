"""`case mark`: say whether what was done in a case was right. A wrong act may lower its policy to `approve`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.place_options import place_text
from scc_responder.cli.terminal.terminal import user_name, visible_lines
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import PersonsMark
from scc_responder.journal.journal import Journal
from scc_responder.journal.persons_word import short_words
from scc_responder.pipeline.kept_mark import KeptMark, kept_mark
from scc_responder.policy.guardrails import GUARDRAILS_FILE, Guardrails
from scc_responder.workbench.policy_files.guardrails_file import load_guardrails

_VERDICTS = ("right", "wrong")


def mark_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case mark`."""
    command.add_argument("case", metavar="CASE", help="the case's id, as `case list` says it")
    command.add_argument("verdict", choices=_VERDICTS, help="whether what was done was right; the last word counts")
    command.add_argument("--reason", default="", metavar="TEXT", help="why, in your words; the case keeps it")
    command.add_argument("--by", default=user_name(), help="who says so")
    told = "the folder of the deployment's guardrails, which name its environments (default: policies)"
    command.add_argument("--policies", type=Path, metavar="DIR", help=told)
    store_option(command)


def mark_case(options: argparse.Namespace) -> int:
    """Keep the mark, and count it; 0 if the case takes it, else 1."""
    is_wrong = options.verdict == "wrong"
    mark = PersonsMark(is_wrong=is_wrong, by=short_words(options.by), at=utc_now(), said=short_words(options.reason))
    guardrails = _guardrails(options.policies)
    with closing(existing_store(options.store)) as store:
        journal = Journal(store, utc_now)
        key = journal.find(options.case)
        kept = (
            kept_mark(store, journal, key, mark, guardrails=guardrails) if key else KeptMark(reason=Reason.NO_SUCH_CASE)
        )
    name = visible_lines(case_id(key or options.case))
    if options.format == "json":
        print(
            json.dumps(
                {
                    "case": name,
                    "taken": kept.taken,
                    "reason": kept.reason,
                    "policies": kept.policies,
                    "lowered": kept.lowered,
                }
            )
        )
    else:
        said = _said(options.verdict, kept.policies, kept.lowered)
        text = said if kept.taken else f"{kept.reason}: {kept.reason.meaning}"
        print(f"scc-responder: case {name}: {visible_lines(text)}", file=sys.stdout if kept.taken else sys.stderr)
    return 0 if kept.taken else 1


def _guardrails(folder: Path | None) -> Guardrails:
    """The guardrails, by whose environments it is counted. Raises SettingsError where a folder is named without any."""
    place = folder or Path("policies")
    if not (place / GUARDRAILS_FILE).is_file():
        if folder:
            raise SettingsError("no_guardrails", f"--policies {folder}: there is no {GUARDRAILS_FILE} in it")
        told = f"warning: {place} has no {GUARDRAILS_FILE}: it counts for the cluster alone, for no environment"
        print(f"scc-responder: {told}. Name the deployment's folder with --policies", file=sys.stderr)
    return load_guardrails(place)


def _said(verdict: str, acted: Sequence[str], lowered: Sequence[dict[str, str]]) -> str:
    counts = f"it counts for {', '.join(acted)}" if acted else "no policy did anything there that is counted"
    lines = [f"marked {verdict}; {counts}"]
    for each in lowered:
        policy, place = each["policy"], each["place"]
        raising = f'scc-responder control clear --policy {policy} {place_text(place)} --reason "WHY"'
        lines.append(f"policy {policy} asks a person first in {place} now ({each['why']}). To raise it: {raising}")
    return ". ".join(lines)
