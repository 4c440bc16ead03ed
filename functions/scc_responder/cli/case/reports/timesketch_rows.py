"""A case as rows of a timeline: one for each moment that its record knows.

Source: Timesketch, "Import from JSON or CSV": `message`, `datetime` and `timestamp_desc` are mandatory.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from scc_responder.domain.finding import case_id
from scc_responder.journal.account.inert_text import inert
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step


def timesketch_rows(record: CaseRecord) -> list[dict[str, Any]]:
    """The rows, the earliest first. Every text that an attacker can write is inert in them."""
    common = {"case": case_id(record.finding_key), "finding": inert(record.finding_name), "source": "scc-responder"}
    rows = [{**_time(moment), "timestamp_desc": what, **said, **common} for moment, what, said in _moments(record)]
    return sorted(rows, key=lambda row: row["timestamp"])


def _time(moment: datetime) -> dict[str, Any]:
    return {"datetime": moment.isoformat(), "timestamp": round(moment.timestamp() * 1_000_000)}


def _moments(record: CaseRecord) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    category = inert(record.category)
    yield record.event_time, "Finding", {"message": f"{category} was found"}
    if record.opened_at:
        yield record.opened_at, "Case opened", {"message": f"the case of {category} was opened"}
    for step in (*record.steps, *(step for closing in record.history for step in closing.taken_back)):
        yield from _of_step(step)
    for closing in record.history:
        if closing.closed_at:
            yield closing.closed_at, "Case closed", {"message": f"it ended {closing.state}", "reason": closing.reason}
    yield from _by_persons(record)
    for look in record.watch.looks if record.watch else ():
        yield look.at, "Look", {"message": f"a look at what was done: {inert(look.summary)}"}
    if record.closed_at:
        yield record.closed_at, "Case closed", {"message": f"it ended {record.state}", "reason": record.reason}


def _by_persons(record: CaseRecord) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    """What people said of the case, of its earlier openings too: approvals, words, the mark."""
    approvals = [given for closing in record.history for given in closing.approvals]
    for given in (*approvals, *(record.plan.approvals if record.plan else ())):
        yield given.at, "Approval", {"message": f"{inert(given.by)} approved the plan"}
    for word in dict.fromkeys((*(closing.word for closing in record.history), record.word)):
        if word:
            yield word.at, "Person's word", {"message": f"{inert(word.by)} said {word.kind}: {inert(word.said)}"}
    if mark := record.mark:
        verdict = "wrong" if mark.is_wrong else "right"
        yield mark.at, "Person's mark", {"message": f"{inert(mark.by)} marked it {verdict}: {inert(mark.said)}"}


def _of_step(step: Step) -> Iterator[tuple[datetime, str, dict[str, Any]]]:
    about = {"action": step.action, "policy": step.policy, "target_uid": step.expected_uid}
    if step.intended_at:
        yield step.intended_at, "Intent written", {"message": f"{step.action} is about to be tried", **about}
    if step.settled_at:
        ended = {"status": str(step.status), "reason": step.reason}
        yield step.settled_at, "Outcome", {"message": f"{step.action} ended {step.status}", **ended, **about}
    if step.contained_at:
        reached = {"message": f"{step.action} contained the threat: {step.containment}", **about}
        yield step.contained_at, "Contained", reached
