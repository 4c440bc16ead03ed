"""Say whom the policies would have touched, by findings that were recorded: nothing is carried out.

FINDINGS are files and folders, read in the order of the findings' event times, each decided upon at its event time:

    gcloud scc findings list ORGANIZATION --filter 'finding_class="THREAT"' --format=json > findings.json
    scc-responder simulate findings.json --assume-present

A file is such an export, JSON Lines, an answer of the API, or one notification; a folder has any of these.

What was known of a finding's target comes from the first of these that there is:
  --snapshot         the snapshot of its cluster (`scc-responder snapshot`): with replicas, budgets and node pool
  NAME.context.json  a file beside NAME.json
  --assume-present   the target was there as the finding tells of it, with replicas to spare
Without any, what needs a target is held.

For each policy and day (UTC): findings matched, actions that would act, what would have been
held and why, and how many different pods, nodes, workloads and namespaces would have been changed. `--targets` lists
them. Modes do not matter for that: a policy in dry_run is counted as if it acted, and so it is by the limits.

`--sources` names the sources that the deployment lists: a finding of another is left alone, and raises no confidence.

The limits of the guardrails and of each policy, and the storm breakers, count in the order of time. After a breaker has
tripped nothing acts in its cluster, until a person resets it: `--reset-after 1h` supposes that somebody does. Without
it, the report says how much would have been done if somebody had.

What a policy does first in a cluster that cannot be undone waits for `warm_up`: the report says what waits, and whether
all of it is then done, or none, with the one notice. It says as well what people would be told: of a finding of HIGH or
above that anything holds, with the command for what to do then.

`--against OTHER_POLICIES` compares with another folder, such as the one that is deployed: what these policies add, and
what they take away, each under its own limits. It ends with 1 when they widen reach: a new target, a new action on one,
or a mode raised. What would be new but for the limits (`behind limits`) widens as well: a limit that happened to be
reached in these findings is no reason why it would be next time. Every edit of a policy, of guardrails.yaml and of
scope.yaml is listed, whether or not a finding met it. It widens where more is met, less is protected, held or waited
for, or more allowed, and where that cannot be told: such as another `condition`, another order of changes, a new value.

    git worktree add /tmp/deployed main
    scc-responder simulate findings.json --assume-present --against /tmp/deployed/policies

A finding of a list is taken as active, as it was when it happened. What cannot be read is counted and named. It ends
with 2 where no finding was there, and with `--against` where one could not be read: a change does not pass on that.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from msgspec import structs

from scc_responder.adapters.local.findings_export import ExportedFinding, FindingsExport
from scc_responder.cli.simulate import simulation_report
from scc_responder.cli.simulate.simulation_report import SimulationReport
from scc_responder.cli.simulate.target_facts import TargetFacts
from scc_responder.cli.terminal.policy_folder import require_policies
from scc_responder.cli.terminal.progress import shown
from scc_responder.cli.terminal.times import end, length, moment
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import PolicyError, RejectedMessage, SettingsError
from scc_responder.intake.notification import parse_notification
from scc_responder.settings import SOURCE_ID
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.policy_files.policy_file import load_former, load_policies
from scc_responder.workbench.simulation.edits.scope_edits import scope_edits
from scc_responder.workbench.simulation.replay import Replay
from scc_responder.workbench.simulation.replay_report import ComparedWith, Comparison, ReplayReport

_FORMATS: Mapping[str, Callable[[SimulationReport], str]] = {
    "text": simulation_report.simulation_text,
    "json": simulation_report.simulation_json,
    "markdown": simulation_report.simulation_markdown,
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `simulate`."""
    parser.add_argument("findings", nargs="*", type=Path, metavar="FINDINGS", help="file or folder of findings")
    parser.add_argument("--catalogue", action="store_true", help="one finding of each known threat, besides FINDINGS")
    parser.add_argument("--policies", type=Path, default=Path("policies"), metavar="DIR", help="folder of policies")
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="what they change of these policies; 1 if they widen"
    )
    parser.add_argument(
        "--snapshot",
        action="append",
        type=Path,
        metavar="FILE",
        help="what is known of one cluster; may be given again",
    )
    parser.add_argument(
        "--sources", type=_sources, metavar="ID,...", help="numeric ids of the SCC sources to believe (default: all)"
    )
    parser.add_argument("--assume-present", action="store_true", help="targets nobody looked at were there, as told")
    parser.add_argument(
        "--from", dest="since", type=moment, metavar="TIME", help="only findings since this day or time"
    )
    parser.add_argument(
        "--to", dest="until", type=end, metavar="TIME", help="only until the end of this day, or this time"
    )
    parser.add_argument(
        "--reset-after", type=length, metavar="TIME", help="a person resets a tripped breaker after this, such as 1h"
    )
    parser.add_argument("--totals", action="store_true", help="do not show each day")
    parser.add_argument("--targets", action="store_true", help="list who would have been touched")
    parser.add_argument("--format", choices=tuple(_FORMATS), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Print the report; with `--against`, 1 if reach is widened, and 2 if not all could be compared by."""
    _check_period(options.since, options.until)
    policies = load_policies(options.policies)
    require_policies(len(policies.policies), options.policies)
    former = load_former(options.against) if options.against else None
    replay = Replay(policies, former, options.reset_after, options.sources)
    facts = TargetFacts(options.snapshot or (), assume_present=options.assume_present)
    export = FindingsExport(_named(options), options.since, options.until)
    for entry in shown(export, len(export), "findings"):
        _take(replay, entry, facts)
    report, comparison = replay.report(), _compared(replay, options)
    if not report.findings:
        raise SettingsError("no_findings", _nothing(report, len(export), "compare by" if comparison else "simulate"))
    told = SimulationReport(
        report=report, comparison=comparison, unseen=facts.unseen, days=not options.totals, targets=options.targets
    )
    print(_FORMATS[options.format](told), end="")
    if comparison and report.bad:
        raise SettingsError("unread_findings", f"{_unread(report)} could not be read: not compared by all there is")
    return 1 if comparison and comparison.widens else 0


def _named(options: argparse.Namespace) -> list[Path]:
    """The files and folders of findings. Raises SettingsError where there is none."""
    of_catalogue = [carried(Carried.FINDINGS) / "catalogue"] if options.catalogue else []
    if not options.findings and not of_catalogue:
        raise SettingsError("wrong_use", "FINDINGS: name a file or folder of findings, or give --catalogue")
    return [*options.findings, *of_catalogue]


def _sources(text: str) -> frozenset[str]:
    """The ids of `--sources`. Raises ArgumentTypeError."""
    ids = frozenset(text.split(","))
    if not all(map(SOURCE_ID.fullmatch, ids)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected numeric ids of Security Command Center sources")
    return ids


def _nothing(report: ReplayReport, count: int, wanted: str) -> str:
    """Why nothing can be told."""
    if report.bad:
        where = next(f"; {bad.where}: {bad.reason}" for bad in report.bad_named)
        return f"nothing to {wanted}: none of {count} could be read as a finding{where}"
    return f"nothing to {wanted}: there is no finding in FINDINGS, or none of the time that --from and --to leave"


def _check_period(since: datetime | None, until: datetime | None) -> None:
    """Raise SettingsError where no time lies between the two."""
    if since and until and since >= until:
        raise SettingsError("empty_period", "--from: it is not before --to, so that no time is left; exchange the two")


def _unread(report: ReplayReport) -> int:
    return sum(report.bad.values())


def _compared(replay: Replay, options: argparse.Namespace) -> Comparison | None:
    """What the change comes to, with the edits that only the folders show."""
    comparison = replay.comparison(utc_now().date())
    if comparison is None:
        return None
    comparison = structs.replace(comparison, scopes=scope_edits(options.against, options.policies))
    if options.against.samefile(options.policies):
        return structs.replace(comparison, compared_with=ComparedWith.ITSELF)
    return comparison


def _take(replay: Replay, entry: ExportedFinding, facts: TargetFacts) -> None:
    if entry.fault:
        replay.bad(entry.where, entry.fault)
        return
    try:
        finding = parse_notification(entry.content)
        replay.add(finding, facts.of(entry, finding))
    except (RejectedMessage, PolicyError) as error:
        replay.bad(entry.where, error.reason)
