"""Cordons whose time is over: their policy said `release_after`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from scc_responder.domain.changes import is_about_node
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.labels import RELEASE_AFTER
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.taken_back import standing


def expired_cordons(records: Sequence[CaseRecord], now: datetime) -> dict[str, frozenset[str]]:
    """The names of the steps whose cordon's time is over, by the key of their case.

    The time is counted from the cordon, or from when another case last found the node cordoned.
    """
    found_again = _found_cordoned(records)
    expired: dict[str, frozenset[str]] = {}
    for record in records:
        over = (step for step in standing(record) if _is_over(step, found_again, now))
        if names := frozenset(step.name for step in over):
            expired[record.finding_key] = names
    return expired


def _is_over(step: Step, found_again: Mapping[str, datetime], now: datetime) -> bool:
    length = _length(step)
    if length is None or step.settled_at is None:
        return False
    since = found_again.get(str(step.change.get("name", "")), step.settled_at)
    return now >= max(since, step.settled_at) + length


def _length(step: Step) -> timedelta | None:
    """How long the cordon is to stay; None where the step is none, or says no time that can be read."""
    annotations = step.change.get("annotations")
    if not isinstance(annotations, dict) or not is_about_node(step.change):
        return None
    try:
        return parse_duration(annotations.get(RELEASE_AFTER, ""))
    except (ValueError, TypeError):
        return None


def _found_cordoned(records: Iterable[CaseRecord]) -> dict[str, datetime]:
    """When a case last found a node cordoned that it was to cordon, by the node's name."""
    found: dict[str, datetime] = {}
    for record in records:
        node = str((record.decision.get("pod") or {}).get("node", ""))
        if node and any(step.reason == Reason.ALREADY_CORDONED for step in record.current_steps):
            at = record.closed_at or record.event_time
            found[node] = max(at, found.get(node, at))
    return found
