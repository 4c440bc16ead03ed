"""Notes in the store of what a sweep asks once more, some minutes after a case: an answer may come late, or change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from scc_responder.collect.confirm import finding_named
from scc_responder.domain.context import Context
from scc_responder.domain.errors import AlreadyExists, Conflict, DeliveryError
from scc_responder.domain.finding import Confidence, Surface, Threat, ThreatKind, case_id
from scc_responder.domain.store import Entry, stored_as
from scc_responder.domain.value import ODD, AwareDatetime, Value
from scc_responder.execute.evidence import EvidenceItem, Source
from scc_responder.execute.evidence.capture import store_sealed
from scc_responder.execute.evidence.manifest import evidence_objects, evidence_statement
from scc_responder.execute.evidence.reading import Reading, SourceOutcome
from scc_responder.execute.evidence.sealing import Sealed
from scc_responder.journal.account.manifest_names import manifests_of
from scc_responder.journal.chain.chain_check import chain_statement
from scc_responder.pipeline.services import Services

ASKED_AFTER = timedelta(minutes=5)
NOTES_KEPT = timedelta(days=2)
MOST_TRIES = 12
MOST_NOTES = 10
"""Notes of one kind that one sweep asks for: two requests each, of the 60 that a project has a minute."""
_MOST_READ = 100

_UNNAMED = Threat(name="unknown", surface=Surface.UNKNOWN, kind=ThreatKind.BEHAVIORAL, confidence=Confidence.POSSIBLE)
"""A manifest says nothing of the threat."""


class LaterNote(Value, frozen=True, kw_only=True):
    """What a note of any kind has: the finding, and when it is due."""

    finding_name: str
    event_time: AwareDatetime
    due_at: AwareDatetime
    tries: int = 0


Note = TypeVar("Note", bound=LaterNote)


def leave_note(prefix: str, finding_key: str, note: LaterNote, services: Services) -> None:
    """Leave a note of a finding, unless it has one of this kind. Raises StoreError."""
    with suppress(AlreadyExists):
        services.store.create(prefix + finding_key, msgspec.json.encode(note), keep=NOTES_KEPT)


def answer_notes(prefix: str, kind: type[Note], answer: Callable[[Note], bool], services: Services) -> int:
    """Answer the notes of a kind that are due, and return how many were. Raises StoreError.

    `answer` says whether a note is done with; one that is not, or fails, is tried again by a later sweep.
    """
    entries, now = services.store.scan(prefix, limit=_MOST_READ).entries, services.clock()
    # What cannot be read, or is not due, is in nothing's way.
    due = [(entry, note) for entry in entries if (note := stored_as(kind, entry)) and note.due_at <= now]
    return sum(_answered(entry, note, answer, services, now) for entry, note in due[:MOST_NOTES])


def _answered(entry: Entry, note: Note, answer: Callable[[Note], bool], services: Services, now: datetime) -> bool:
    is_done = False
    with suppress(DeliveryError, *ODD):
        is_done = answer(note)
    if not is_done and note.tries + 1 < MOST_TRIES:
        again = msgspec.structs.replace(note, tries=note.tries + 1, due_at=now + ASKED_AFTER)
        with suppress(Conflict):
            services.store.replace(entry.key, msgspec.json.encode(again), entry.version, keep=NOTES_KEPT)
        return False
    with suppress(Conflict):
        services.store.delete(entry.key, entry.version)
    return True


def add_evidence(note: LaterNote, source: Source, items: tuple[EvidenceItem, ...], services: Services) -> Sealed:
    """Store what a source says now beside what the case has: what says the same is the same object. Raises ApiError."""
    is_empty = all(item.is_empty for item in items)
    outcome = SourceOutcome.EMPTY if is_empty else SourceOutcome.KEPT
    readings = (Reading(source=source, outcome=outcome, items=items),)
    finding = msgspec.structs.replace(finding_named(note.finding_name), event_time=note.event_time)
    objects = evidence_objects(finding.key, readings)
    record = services.journal.read(finding.key)
    earlier = manifests_of(record) if record else ()
    described = [item.stored for item in objects]
    context = Context(finding=finding, threat=_UNNAMED)
    statement = evidence_statement(
        context, readings, described, services.clock(), earlier, chain=chain_statement(record)
    )
    return store_sealed(objects, statement, case_id(finding.key), services)
