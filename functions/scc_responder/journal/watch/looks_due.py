"""When a case is looked at again: some moments after its last change, while nobody works on it. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.domain.changes import Disruption, is_about_node, kind_of_stored, owner_uid
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import not_undone
from scc_responder.journal.step import Step
from scc_responder.journal.watch.watch import KEEP_LOOKS, Look, Watch

Looks = tuple[timedelta, ...]
"""How long after its last change a case is looked at, each time."""
ASKED_AGAIN = timedelta(minutes=5)
"""After a look that could not be made."""
MOST_UNREAD = 12
"""Looks in a row that could not be made: then the next moment of the schedule is waited for."""
_IN_EFFECT = frozenset({StepStatus.DONE, StepStatus.NOT_EFFECTIVE})
_WATCHED = frozenset({Disruption.PODS, Disruption.SERVICES})


def watched_steps(record: CaseRecord) -> tuple[Step, ...]:
    """The steps whose effect is to last, on the pod and node, or service or job, that the case acted upon last."""
    steps = [step for step in not_undone(record.steps) if step.status in _IN_EFFECT and _is_watched(step)]
    last = {is_about_node(step.change): _owner(step) for step in sorted(steps, key=_settled)}
    return tuple(step for step in steps if _owner(step) == last[is_about_node(step.change)])


def _is_watched(step: Step) -> bool:
    kind = kind_of_stored(step.change)
    acts = is_about_node(step.change) or (kind is not None and kind.disrupts in _WATCHED)
    return acts and step.settled_at is not None


def _owner(step: Step) -> str:
    return owner_uid(step.change, step.expected_uid)


def _settled(step: Step) -> float:
    return step.settled_at.timestamp() if step.settled_at else 0.0


def scheduled(record: CaseRecord, schedule: Looks, now: datetime) -> CaseRecord:
    """The case with its next look. A change since the last look begins the schedule anew; the looks are kept."""
    since = max((step.settled_at for step in watched_steps(record) if step.settled_at), default=None)
    if since is None or (record.watch and record.watch.since == since):
        return record
    looks = record.watch.looks if record.watch else ()
    return replace(record, watch=Watch(since=since, next_at=_next(since, schedule, now), looks=looks))


def looked(record: CaseRecord, look: Look, schedule: Looks) -> CaseRecord:
    """The case with this look, and when the next one is due."""
    watch = record.watch
    if watch is None:
        return record
    unread = watch.unread + 1 if look.unread else 0
    next_at = _next(watch.since, schedule, look.at)
    if 0 < unread < MOST_UNREAD:
        again = look.at + ASKED_AGAIN
        next_at = min(again, next_at) if next_at else again
    kept = (*watch.looks, look)[-KEEP_LOOKS:]
    return replace(record, watch=replace(watch, next_at=next_at, unread=unread % MOST_UNREAD, looks=kept))


def due_at(record: CaseRecord) -> datetime | None:
    """When a sweep is to look at the case; None while it is worked on, where no look is left, or a person spoke."""
    return record.watch.next_at if record.watch and not (record.owner or record.word) else None


def _next(since: datetime, schedule: Looks, now: datetime) -> datetime | None:
    return min((since + after for after in schedule if since + after > now), default=None)
