"""`case list` and `case show`: which cases a store has, those that need a person first, and one of them in full."""

from __future__ import annotations

import argparse
import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.cli.case import case_text
from scc_responder.cli.case.incident_list import spread_list, with_headings
from scc_responder.cli.case.odd_records import oddity, report_unreadable
from scc_responder.cli.case.reports.account_screen import print_account
from scc_responder.cli.case.reports.incident_lines import with_incident
from scc_responder.cli.case.reports.same_digest import with_same_digest
from scc_responder.cli.case.stored_cases import stored_cases
from scc_responder.cli.case.watching import watched
from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.terminal import visible_lines
from scc_responder.cli.terminal.times import length
from scc_responder.domain.changes import is_about_node
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.value import ODD
from scc_responder.entrypoint.console.incidents import in_incidents, incidents
from scc_responder.entrypoint.console.spread import named_by, spreads
from scc_responder.journal.account.account import account_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import contained_fields
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import Cases, Unreadable
from scc_responder.journal.plan import plan_summary

MOST_SPREADS = 20
MOST_LISTED = 100
"""So many cases can still be looked through on a terminal; more are counted."""


def list_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `case list`."""
    parser.add_argument("--state", choices=[str(state) for state in CaseState], help="only cases in this state")
    parser.add_argument("--node", metavar="NODE", help="only cases that cordoned this node, or whose pod ran on it")
    changed = "only cases that changed so long ago at most, such as 2h or 7d"
    parser.add_argument("--since", type=length, metavar="TIME", help=changed)
    most = f"list so many at most; 0: all of them (default: {MOST_LISTED}; all in JSON)"
    parser.add_argument("--limit", type=_count, metavar="N", help=most)
    together = "list the cases of one incident together: one pod, workload or service account, events within an hour"
    parser.add_argument("--incidents", action="store_true", help=together)
    parser.add_argument("--watch", action="store_true", help="show them anew every few seconds, until Ctrl-C")
    store_option(parser)


def list_cases(options: argparse.Namespace) -> int:
    """Print the cases, and those that cannot be read whatever the state. 0, also where there are none; else 1."""
    if not options.watch:
        return _list_once(options)
    if options.format == "json":
        raise SettingsError("wrong_use", "--watch shows text: leave --format json out, or --watch")
    # What fits on the screen; `_left_out` counts the rest.
    return watched(lambda room: _list_once(_limited(options, room)))


def _limited(options: argparse.Namespace, room: int) -> argparse.Namespace:
    """The same, and as many cases as there is room for where nobody said how many."""
    limit = room if options.limit is None else options.limit
    return argparse.Namespace(**{**vars(options), "limit": limit})


def _list_once(options: argparse.Namespace) -> int:
    with closing(existing_store(options.store)) as opened:
        cases = _shown_or_told(stored_cases(Journal(opened, _now)))
    records = [record for record in cases.records if _is_asked_for(record, options)]
    records.sort(key=lambda record: (case_text.urgency(record.state), -_moment(record)))
    as_json = options.format == "json"
    most = (0 if as_json else MOST_LISTED) if options.limit is None else options.limit
    found, wide = (incidents(cases.records), spreads(cases.records)) if options.incidents else ((), ())
    records = in_incidents(records, found)
    listed = records[: most or len(records)]
    if as_json:
        marks = {
            record.finding_key: {
                "incident": each.id,
                "spread": [msgspec.to_builtins(one) for one in wide if (one.what, one.value) in named_by(record)],
            }
            for each in found
            for record in each.records
        }
        rows = [_data(record) | marks.get(record.finding_key, {}) for record in listed]
        print(json.dumps([*rows, *map(_unread, cases.unreadable)], indent=2))
    else:
        lines = case_text.case_list(listed, _now(), cases.unreadable)
        left = _left_out(records[len(listed) :])
        print("\n".join([*with_headings(lines, listed, found), *spread_list(wide[:MOST_SPREADS]), *left]))
    return report_unreadable(cases.unreadable)


def show_case(options: argparse.Namespace) -> int:
    """Print one case; 1 where there is none, or several, or it cannot be read."""
    with closing(existing_store(options.store)) as opened:
        journal = Journal(opened, _now)
        cases = _shown_or_told(stored_cases(journal, beginning=options.case))
        whole = _shown_or_told(stored_cases(journal)).records if options.incident else ()
    count = len(cases.records) + len(cases.unreadable)
    if count != 1:
        what = f"{count} cases begin with it: give more digits" if count else "there is none; see `case list`"
        print(f"scc-responder: case {visible_lines(options.case)}: {what}", file=sys.stderr)
        return 1
    for record in cases.records:
        as_json = options.format == "json"
        print(json.dumps(_data(record), indent=2) if as_json else "\n".join(case_text.case(record, _now())))
        if not as_json:
            others = [other for other in whole if other.finding_key != record.finding_key]
            account = account_of(record)
            if options.incident:
                account = with_same_digest(with_incident(account, record, others), record, others)
            print_account(account)
    return report_unreadable(cases.unreadable)


def _shown_or_told(cases: Cases) -> Cases:
    """The same; a record that cannot be shown is among those that cannot be read, so that it hides no other."""
    odd = {record.finding_key: why for record in cases.records if (why := _odd(record))}
    records = tuple(record for record in cases.records if record.finding_key not in odd)
    return replace(cases, records=records, unreadable=(*cases.unreadable, *odd.values()))


def _odd(record: CaseRecord) -> Unreadable | None:
    """Why the record cannot be shown: whoever may write the store could put other parts into it than we do."""
    try:
        [*case_text.case(record, _now()), *case_text.case_list([record], _now())]
        json.dumps(_data(record))
        account_of(record)
    except ODD as error:
        return Unreadable(finding_key=record.finding_key, reason=Reason.RECORD_UNREADABLE, why=oddity(error))
    return None


def _count(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number of cases; write 20, or 0 for all of them")
    return int(text)


def _is_asked_for(record: CaseRecord, options: argparse.Namespace) -> bool:
    since: timedelta | None = options.since
    is_new = since is None or (record.updated_at is not None and record.updated_at >= _now() - since)
    return is_new and options.state in {None, str(record.state)} and options.node in {None, *_nodes(record)}


def _nodes(record: CaseRecord) -> set[str]:
    """Names of the nodes that the case changed, and of the one on which its pod ran."""
    changed = {str(step.change.get("name", "")) for step in record.steps if is_about_node(step.change)}
    return {*changed, str((record.decision.get("pod") or {}).get("node", ""))}


def _left_out(records: Sequence[CaseRecord]) -> Iterator[str]:
    if records:
        yield f"{len(records)} more are not listed: see --limit 0 for all, or --since 2h, --state and --node for fewer"


def _unread(item: Unreadable) -> dict[str, Any]:
    """An unreadable case as JSON data, listed with the others."""
    return {"case": case_id(item.finding_key), "state": "unreadable", **msgspec.to_builtins(item)}


def _data(record: CaseRecord) -> dict[str, Any]:
    """The case as it is stored, with the commands that answer it."""
    data: dict[str, Any] = msgspec.to_builtins(record)
    data |= {"case": case_id(record.finding_key), **contained_fields(record)}
    if record.plan:
        data["plan"] = plan_summary(record.finding_key, record.plan)
    return data


def _moment(record: CaseRecord) -> float:
    return record.updated_at.timestamp() if record.updated_at else 0.0


def _now() -> datetime:
    return datetime.now(UTC)
