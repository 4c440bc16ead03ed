"""Say whom the policies would have touched, by findings that were recorded: nothing is carried out.

FINDINGS are files and folders, read in the order of the findings' event times, each decided upon at its event time:

    gcloud scc findings list ORGANIZATION --filter 'finding_class="THREAT"' --format=json > findings.json
    scc-responder simulate findings.json --assume-present

A file is such an export, JSON Lines, an answer of the API, or one notification; a folder has any of these. What was
known of a finding's target stands in NAME.context.json beside NAME.json. Where there is none, `--assume-present` takes
the target to have been there as the finding tells of it; without that, what needs a target is held.

For each policy and day (UTC): findings matched, actions that would act, what would have been
held and why, and how many different pods, nodes, workloads and namespaces would have been changed. `--targets` lists
them. Modes do not matter for that: a policy in dry_run is counted as if it acted.

`--against OTHER_POLICIES` compares with another folder, such as the one that is deployed: what these policies add, and
what they take away. It ends with 1 when they widen reach: a new target, a new action on one, or a mode raised.

    git worktree add /tmp/deployed main
    scc-responder simulate findings.json --assume-present --against /tmp/deployed/policies

A finding of a list is taken as active, as it was when it happened. What cannot be read is counted and named.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scc_responder.adapters.findings_export import Entry, FindingsExport
from scc_responder.cli import simulation_report
from scc_responder.cli.progress import shown
from scc_responder.cli.simulation_report import Told
from scc_responder.errors import PolicyError, RejectedMessage
from scc_responder.explanation import NOTHING_READ, Facts, read_facts
from scc_responder.finding import Finding
from scc_responder.policy import load_policies
from scc_responder.samples import facts_as_told
from scc_responder.simulation import Replay
from scc_responder.wire import parse_notification

_FORMATS: Mapping[str, Callable[[Told], str]] = {
    "text": simulation_report.text,
    "json": simulation_report.as_json,
    "markdown": simulation_report.markdown,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `simulate`."""
    parser.add_argument("findings", nargs="+", type=Path, metavar="FINDINGS", help="file or folder of findings")
    parser.add_argument("--policies", type=Path, default=Path("policies"), metavar="DIR", help="folder of policies")
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="what they change of these policies; 1 if they widen"
    )
    parser.add_argument("--assume-present", action="store_true", help="targets nobody looked at were there, as told")
    parser.add_argument(
        "--from", dest="since", type=_moment, metavar="TIME", help="only findings since this day or time"
    )
    parser.add_argument(
        "--to", dest="until", type=_end, metavar="TIME", help="only until the end of this day, or this time"
    )
    parser.add_argument("--totals", action="store_true", help="do not show each day")
    parser.add_argument("--targets", action="store_true", help="list who would have been touched")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Print the report; 1 if `--against` is given and reach is widened."""
    replay = Replay(load_policies(options.policies), load_policies(options.against) if options.against else None)
    export = FindingsExport(options.findings, options.since, options.until)
    for entry in shown(export, len(export), "findings"):
        _take(replay, entry, present=options.assume_present)
    comparison = replay.comparison()
    told = Told(report=replay.report(), comparison=comparison, days=not options.totals, targets=options.targets)
    print(_FORMATS[options.format](told), end="")
    return 1 if comparison and comparison.widens else 0


def _take(replay: Replay, entry: Entry, *, present: bool) -> None:
    if entry.fault:
        replay.bad(entry.where, entry.fault)
        return
    try:
        finding = parse_notification(entry.content)
        replay.add(finding, _facts(entry, finding, present=present))
    except (RejectedMessage, PolicyError) as error:
        replay.bad(entry.where, error.reason)


def _facts(entry: Entry, finding: Finding, *, present: bool) -> Facts:
    if entry.facts is not None:
        return read_facts(entry.facts, entry.where)
    return facts_as_told(finding, looked_around=False) if present else NOTHING_READ


def _moment(text: str) -> datetime:
    """A day or a time of ISO 8601, in UTC where it does not say."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _end(text: str) -> datetime:
    """As `_moment`; of a day, its end."""
    return _moment(text) + timedelta(days=1 if len(text) <= len("2026-03-02") else 0)
