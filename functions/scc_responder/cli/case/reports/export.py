"""`case export`: one case in a form that other programs read, one JSON object a line."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.cli.terminal.existing_store import existing_store, store_option
from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import case_id
from scc_responder.journal.account.ocsf_events import OCSF_VERSION, ocsf_events
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.messages import step_summary

EXPORTS = ("timesketch", "ocsf")


def export_options(command: argparse.ArgumentParser) -> None:
    """Declare the options of `case export`."""
    command.add_argument("case", metavar="CASE", help="the case's id, or the first digits of it")
    store_option(command)
    command.add_argument("--output", type=Path, metavar="FILE", help="write it there, not to the screen")


def export_case(options: argparse.Namespace) -> int:
    """Print or write the lines. Raises SettingsError."""
    with closing(existing_store(options.store)) as opened:
        journal = Journal(opened, utc_now)
        key = journal.find(options.case)
        record = None if key is None else journal.read(key)
    if record is None:
        raise SettingsError("no_such_case", f"{options.case[:40]!a}: no such case can be read; see `case list`")
    rows = _FORMS[options.format](record)
    lines = "".join(f"{json.dumps(row)}\n" for row in rows)
    what = "rows for Timesketch" if options.format == "timesketch" else f"events of OCSF {OCSF_VERSION}"
    print_report(lines, options.output, f"{len(rows)} {what} of case {case_id(record.finding_key)}")
    return 0


def _ocsf(record: CaseRecord) -> list[dict[str, Any]]:
    steps = [{**step_summary(step), **_of_step(step)} for step in record.steps]
    found = {"name": record.finding_name, "category": record.category, "event_time": record.event_time.isoformat()}
    facts = {
        "case": case_id(record.finding_key),
        "finding": found,
        "threat": record.decision.get("threat") or {},
        "reason": record.reason,
        "steps": steps,
    }
    return ocsf_events(facts, record.state, record.closed_at or record.updated_at or record.event_time)


def _of_step(step: Any) -> dict[str, Any]:
    settled = {"settled_at": step.settled_at.isoformat()} if step.settled_at else {}
    return {"frozen": msgspec.to_builtins(step.frozen), **settled}


def _timesketch(record: CaseRecord) -> list[dict[str, Any]]:
    from scc_responder.cli.case.reports.timesketch_rows import timesketch_rows  # noqa: PLC0415 - for this form alone

    return timesketch_rows(record)


_FORMS = {"timesketch": _timesketch, "ocsf": _ocsf}
