"""`case resume`: what would be tried again, and with --apply that it is. One case, or those that a policy just held."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial

from scc_responder.cli.case.odd_records import report_unreadable
from scc_responder.cli.case.stored_cases import stored_cases
from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.cli.terminal.times import length
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import is_namespace
from scc_responder.domain.status import StepStatus
from scc_responder.guard.kill_switch import KillSwitchCeiling
from scc_responder.guard.resumed_case import resume, resume_refused
from scc_responder.guard.switch_documents import SwitchDocuments
from scc_responder.guard.timed.exempted_case import exemption_by
from scc_responder.guard.timed.timed_ceilings import TimedScope
from scc_responder.journal.again.reopening import gone_on_with
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import not_undone
from scc_responder.journal.journal import Journal
from scc_responder.journal.step import Step
from scc_responder.workbench.revision_choice import choose_revision, revision_candidates

_NOT_DONE = frozenset({StepStatus.HELD, StepStatus.DRY_RUN})
_OF_POLICY = frozenset({TimedScope.POLICY, TimedScope.ERROR_BUDGET})
_AFTER = "the finding and its target are read again before, and every guard is asked again"


def resume_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `case resume`."""
    parser.add_argument("case", nargs="?", default="", metavar="CASE", help="the case's id, as `case list` says it")
    parser.add_argument("--policy", default="", metavar="NAME", help="instead: the cases that this policy just held")
    parser.add_argument(
        "--since", type=length, default="2h", metavar="TIME", help="with --policy: held so long ago at most"
    )
    parser.add_argument("--apply", action="store_true", help="open them again; else it only says what would be tried")
    parser.add_argument("--revision", default="", metavar="NAME", help="of several revisions the one that is meant")
    store_option(parser)


def resume_cases(options: argparse.Namespace) -> int:
    """Open again what the options name, or say what would be tried; 0 where that is possible, else 1.

    Raises SettingsError, also for a policy that no case knows: a misspelt name must not look as if nothing was held.
    """
    if bool(options.case) == bool(options.policy) or (options.policy and options.revision):
        raise SettingsError(
            "invalid_arguments", "case resume: give a case, or --policy, and --revision for a case alone"
        )
    if options.revision and not is_namespace(options.revision):
        raise SettingsError(
            "invalid_revision", f"--revision {options.revision}: give a name such as checkout-00042-abc"
        )
    with closing(existing_store(options.store)) as opened:
        journal = Journal(opened, _now)
        if options.policy:
            return _resume_policy(journal, options)
        return _resume_case(journal, options, SwitchDocuments(opened))


def _resume_case(journal: Journal, options: argparse.Namespace, switch: SwitchDocuments) -> int:
    key = journal.find(options.case)
    record = journal.read(key) if key else None
    if record is None:
        return _refused(options, Reason.NO_SUCH_CASE)
    if not (options.apply or options.revision):
        refused = resume_refused(record)
        if refused:
            return _refused(options, refused)
        return _shown(options, (record,), [*_standing_against(switch.ceiling(record.cluster), record)])
    chosen = partial(choose_revision, revision=options.revision, now=_now())
    rule = chosen if options.revision else partial(resume, now=_now())
    reason = journal.apply(record.finding_key, rule, leaves_line=False)[0].reason
    if reason != Reason.RESUMED_BY_PERSON:
        return _refused(options, reason, revision_candidates(record) if reason == Reason.REVISION_NOT_OFFERED else ())
    if options.format == "json":
        print(json.dumps({"case": options.case, "resumed": True, "reason": reason}))
    else:
        print(f"scc-responder: case {visible_lines(options.case)}: open again; a sweep resumes it")
        for line in _standing_against(switch.ceiling(record.cluster), record):
            print(visible_lines(line), file=sys.stderr)
    return 0


def _standing_against(limit: KillSwitchCeiling, record: CaseRecord) -> Iterator[str]:
    """What a person set that would hold the case again, and what ends it."""
    if limit.mode is not Mode.ENFORCE:
        yield f"  the kill switch lets it go as far as {limit.mode}: see `scc-responder control show`"
    policies = {step.policy for step in record.current_steps}
    for ceiling in limit.timed:
        if ceiling.scope in _OF_POLICY and ceiling.name in policies:
            yield f"  policy {ceiling.name} goes as far as {ceiling.mode}: see `scc-responder control show`"
    own = exemption_by(record, by="", said="", at=_now(), until=_now())
    for exemption in limit.exemptions:
        if own and exemption.key == own.key:
            until = exemption.until.isoformat(timespec="seconds")
            ends = f"scc-responder control clear --exemption {exemption.case} --reason 'WHY' ends that"
            yield f"  it is exempt until {until}, and nothing is changed: {ends}"


def _resume_policy(journal: Journal, options: argparse.Namespace) -> int:
    known: set[str] = set()
    cases = stored_cases(journal)
    unread = report_unreadable(cases.unreadable)
    records = _just_held(_noting(cases.records, known), options.policy, _now(), options.since)
    if options.policy not in known:
        raise SettingsError("no_such_policy", f"--policy {options.policy}: no case has a step of such a policy")
    if not options.apply:
        return _shown(options, records) or unread
    rule = partial(resume, now=_now())
    opened = [record for record in records if journal.apply(record.finding_key, rule, leaves_line=False)[0].record]
    names = [case_id(record.finding_key) for record in opened]
    if options.format == "json":
        print(json.dumps({"policy": options.policy, "resumed": names}))
    else:
        count = f"{len(names)} case{'s' * (len(names) != 1)}"
        print(f"scc-responder: {count} open again, for sweeps to resume{_listed(names)}")
    return unread if len(opened) == len(records) else 1


def _noting(records: Iterable[CaseRecord], known: set[str]) -> Iterator[CaseRecord]:
    """The same records; `known` gets the policies of their steps."""
    for record in records:
        known.update(step.policy for step in record.current_steps)
        yield record


def _shown(options: argparse.Namespace, records: Sequence[CaseRecord], against: Sequence[str] = ()) -> int:
    """Say what would be tried of these cases."""
    if options.format == "json":
        cases = [{**_case(record), "steps": [_step(step) for step in _left_undone(record)]} for record in records]
        print(json.dumps(cases if options.policy else {**cases[0], "resumed": False}, indent=2))
        return 0
    for record in records:
        print(visible_lines(f"case {case_id(record.finding_key)} is {record.state}: {record.reason}"))
        standing = not_undone(record.steps)
        lines = [_line(step, taken_back=step not in standing) for step in _left_undone(record)]
        print("\n".join(lines or ["  nothing was asked for: the policies decide anew"]))
    print("\n".join([*map(visible_lines, against), f"{len(records)} to be tried again with --apply; {_AFTER}"]))
    return 0


def _case(record: CaseRecord) -> dict[str, str]:
    return {"case": case_id(record.finding_key), "state": str(record.state), "reason": record.reason}


def _step(step: Step) -> dict[str, str]:
    fields = {"policy": step.policy, "action": step.action, "target": _target(step)}
    return {**fields, "status": str(step.status), "reason": step.reason}


def _line(step: Step, *, taken_back: bool = False) -> str:
    if taken_back:
        return visible_lines(f"  {step.action} {_target(step)} ({step.policy}) was taken back by a person")
    reason = Reason.read(step.reason)
    why = f": {reason.meaning}" if reason else ""
    return visible_lines(f"  {step.action} {_target(step)} ({step.policy}) is {step.status}, {step.reason}{why}")


def _target(step: Step) -> str:
    parts = (step.change.get(name) for name in ("namespace", "name", "pod_name", "path"))
    return "/".join(str(part) for part in parts if part) or step.expected_uid


def _refused(options: argparse.Namespace, reason: Reason, candidates: Sequence[str] = ()) -> int:
    if options.format == "json":
        offered = {"candidates": candidates} if candidates else {}
        print(json.dumps({"case": options.case, "resumed": False, "reason": reason, **offered}))
        return 1
    offer = f": choose one of {', '.join(candidates)}" if candidates else ""
    text = f"case {visible_lines(options.case)}: not resumed: {reason}: {reason.meaning}{visible_lines(offer)}"
    print(f"scc-responder: {text}", file=sys.stderr)
    return 1


def _listed(names: Sequence[str]) -> str:
    return f": {', '.join(names)}" if names else ""


def _now() -> datetime:
    return datetime.now(UTC)


def _left_undone(record: CaseRecord) -> tuple[Step, ...]:
    """The steps that would be tried again: those that are not done, or were taken back."""
    kept = {step.name for step in gone_on_with(record, record.event_time).steps if not step.is_undone}
    return tuple(step for step in record.current_steps if not step.undoes and step.name not in kept)


def _just_held(records: Iterable[CaseRecord], policy: str, now: datetime, since: timedelta) -> tuple[CaseRecord, ...]:
    """The cases closed since then of which a step of this policy was held or rehearsed, and that may be tried again."""
    return tuple(
        record
        for record in records
        if resume_refused(record) is None
        and record.word is None
        and record.closed_at is not None
        and now - record.closed_at <= since
        and any(step.policy == policy and step.status in _NOT_DONE for step in record.current_steps)
    )
