"""Ask Cloud Logging once more for a finding's entries: some arrive minutes after what they tell of.

A case that captured them leaves a note in the store. A sweep asks the same questions five minutes later and stores what
it gets beside what is there: an answer that says the same is the same object.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from scc_responder.actions import actions
from scc_responder.collect.confirm import finding_named
from scc_responder.domain.changes import kind_of_stored
from scc_responder.domain.changes.capture_cloud_logs import CAPTURES_CLOUD_LOGS
from scc_responder.domain.context import Context
from scc_responder.domain.errors import AlreadyExists, ApiError, Conflict
from scc_responder.domain.finding import Confidence, Surface, Threat, ThreatKind, case_id
from scc_responder.domain.mode import Mode
from scc_responder.domain.ports import CloudLogs
from scc_responder.domain.status import StepStatus
from scc_responder.domain.store import Entry
from scc_responder.domain.value import Value, resolved
from scc_responder.execute.evidence import EvidenceItem, Source, sources_for
from scc_responder.execute.evidence.capture import store_sealed
from scc_responder.execute.evidence.log_entries import LogNames, ask_logs
from scc_responder.execute.evidence.log_filters import LogQuery, identities, log_project, log_queries, resources
from scc_responder.execute.evidence.manifest import evidence_objects, evidence_statement
from scc_responder.execute.evidence.reading import Reading, SourceOutcome
from scc_responder.execute.execution import manifests_of
from scc_responder.journal.case import Step
from scc_responder.pipeline.services import Services

NOTES = "logs/"
ASKED_AFTER = timedelta(minutes=5)
NOTES_KEPT = timedelta(days=2)
MOST_TRIES = 12
MOST_NOTES = 10
"""Notes that one sweep asks for: two requests each, of the 60 that a project has a minute."""

_UNNAMED = Threat(name="unknown", surface=Surface.UNKNOWN, kind=ThreatKind.BEHAVIORAL, confidence=Confidence.POSSIBLE)
"""A manifest says nothing of the threat."""


class LaterLogs(Value, frozen=True, kw_only=True):
    """What is to be asked again, and when. `resources` and `identities` are those of `LogNames`."""

    finding_name: str
    event_time: datetime
    project: str
    queries: tuple[LogQuery, ...]
    due_at: datetime
    resources: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    tries: int = 0


def note_later(context: Context, steps: Iterable[Step], services: Services) -> None:
    """Leave a note where the case captured entries of Cloud Logging. Raises StoreError."""
    captured = any(
        kind_of_stored(step.change) is CAPTURES_CLOUD_LOGS and step.status is StepStatus.DONE for step in steps
    )
    project, queries = log_project(context), log_queries(context)
    if not captured or services.logs is None or not (project and queries):
        return
    note = LaterLogs(
        finding_name=context.finding.name,
        event_time=context.finding.event_time,
        project=project,
        queries=queries,
        due_at=services.clock() + ASKED_AFTER,
        resources=resources(context),
        identities=identities(context),
    )
    with suppress(AlreadyExists):
        services.store.create(NOTES + context.finding.key, msgspec.json.encode(note), keep=NOTES_KEPT)


def ask_later(services: Services) -> int:
    """Ask for the notes that are due, and return how many were answered. Raises StoreError.

    The store is asked only where an enabled policy captures these entries.
    """
    if not _is_asked_for(services) or services.logs is None or services.evidence is None:
        return 0
    answered = 0
    for entry in services.store.scan(NOTES, limit=MOST_NOTES).entries:
        answered += _answered(entry, services, services.logs)
    return answered


def _is_asked_for(services: Services) -> bool:
    steps = (step for policy in services.policies.policies if policy.mode != Mode.DISABLED for step in policy.then)
    return any(kind is CAPTURES_CLOUD_LOGS for step in steps for kind in actions()[step.action].makes)


def _answered(entry: Entry, services: Services, logs: CloudLogs) -> bool:
    """Whether the note was due and is done with; one that fails is tried again by a later sweep."""
    note = msgspec.json.decode(entry.value, type=resolved(LaterLogs))
    now = services.clock()
    if note.due_at > now:
        return False
    try:
        _keep(note, services, logs, now)
    except ApiError:
        if note.tries + 1 < MOST_TRIES:
            again = msgspec.structs.replace(note, tries=note.tries + 1, due_at=now + ASKED_AFTER)
            with suppress(Conflict):
                services.store.replace(entry.key, msgspec.json.encode(again), entry.version, keep=NOTES_KEPT)
            return False
    with suppress(Conflict):
        services.store.delete(entry.key, entry.version)
    return True


def _keep(note: LaterLogs, services: Services, logs: CloudLogs, now: datetime) -> None:
    """Store what is answered now. Raises ApiError."""
    names = LogNames(note.resources, note.identities)
    items = tuple(ask_logs(logs, note.project, query, names) for query in note.queries)
    (source,) = sources_for(CAPTURES_CLOUD_LOGS)
    readings = (_reading(source, items),)
    finding = msgspec.structs.replace(finding_named(note.finding_name), event_time=note.event_time)
    context = Context(finding=finding, threat=_UNNAMED)
    objects = evidence_objects(finding.key, readings)
    record = services.journal.read(finding.key)
    earlier = manifests_of(record) if record else ()
    statement = evidence_statement(context, readings, [item.stored for item in objects], now, earlier)
    store_sealed(objects, statement, case_id(finding.key), services)


def _reading(source: Source, items: tuple[EvidenceItem, ...]) -> Reading:
    is_empty = all(item.is_empty for item in items)
    return Reading(source=source, outcome=SourceOutcome.EMPTY if is_empty else SourceOutcome.KEPT, items=items)
