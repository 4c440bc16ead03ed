"""One thread and one page for the cases of one incident, whatever the routes that tell of them.

incident/about/HASH  the incidents that one pod, workload or acting account had, and from when until when
incident/of/CASE     the incident of a case, from its first notice on
incident/told/ID     what its notices told of so far, and which case did so first
incident/in/ID/CASE  a case of it, unfinished until it needs nobody

Asked when a notice is put together, after the acts. The first case that is told of gives the incident its id. What was
said stays where it was said: two threads that a later case joins go on side by side, and further cases go into the
elder. A process that dies in between asks again, and gets the same answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Set
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.store import CasStore, Entry, stored_as, write_over
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.journal.outbox.outbox import BY_CASE, KEEP, NoticeThread
from scc_responder.policy.match import Severity
from scc_responder.policy.routes import is_severe_for_routes

INCIDENT_WINDOW = timedelta(hours=1)
"""How far apart the events of two cases may be that are joined directly; a chain of them may be longer."""
_ABOUT, _OF, _TOLD, _IN = (f"incident/{name}/" for name in ("about", "of", "told", "in"))
_EXTENDED_AFTER = timedelta(minutes=1)
"""So much later an event must be for a span to be written again: a storm would contend for it."""
_MOST_SPANS, _MOST_TOLD = 8, 500
_TRIES = 8
_AGAIN = "again"
_HIGH = [*Severity].index(Severity.HIGH)


class IncidentSpan(Value, frozen=True, kw_only=True):
    """The first and the last event of an incident that were about one thing."""

    incident: str
    first: AwareDatetime
    last: AwareDatetime

    def reaches(self, moment: datetime) -> bool:
        """Whether an event at this moment belongs to it."""
        return self.first - INCIDENT_WINDOW <= moment <= self.last + INCIDENT_WINDOW


class IncidentSpans(Value, frozen=True, kw_only=True):
    """The incidents about one thing, the one that was told of last first."""

    spans: tuple[IncidentSpan, ...] = ()


class JoinedIncident(Value, frozen=True, kw_only=True):
    """The incident of a case. `has_alert`: it paged people beside the case that opened the incident's alert."""

    incident: str
    has_alert: bool = False


class IncidentTold(Value, frozen=True, kw_only=True):
    """What an incident's notices told of. `opener` told first of all, `first` has the case that did so of each thing.

    `opened`: one of them opened an alert. `ended_by` is the case with which the incident was over, empty while it is
    not.
    """

    opener: str
    first: dict[str, str] = {}
    opened: bool = False
    ended_by: str = ""


def incident_thread(store: CasStore, notice: Notice, environment: str) -> NoticeThread:
    """Where the notice of a case goes. `environment`: that of its cluster. Raises StoreError.

    A case that joins an incident pages nobody again, except where the incident had no such severity, environment,
    namespace or surface, or was over; and where something severe is held, or was undone by others. Whoever loses too
    many races pages.
    """
    for _ in range(_TRIES):
        with suppress(AlreadyExists, Conflict):
            return _thread(store, notice, environment)
    return BY_CASE


def _thread(store: CasStore, notice: Notice, environment: str) -> NoticeThread:
    case, is_over, told_of = notice.case, notice.subject.is_over, {*_told_of(notice, environment)}
    joined = _joined(store, notice)
    if joined is None:
        return BY_CASE
    entry, known = joined
    told = _told(store, notice, known.incident, told_of)
    is_first = any(told.first.get(name, case) == case for name in told_of) or told.first.get(_AGAIN) == case
    pages = is_first or _is_loud(notice)
    now_is = replace(known, has_alert=known.has_alert or (pages and not is_over and told.opener != case))
    if entry is None or now_is != known:
        write_over(store, f"{_OF}{case}", msgspec.json.encode(now_is), entry, keep=KEEP)
    ends = is_over and told.ended_by == case
    return NoticeThread(
        id=known.incident,
        alert=case if now_is.has_alert else known.incident,
        is_quiet=not pages,
        ends_alert=is_over and (now_is.has_alert or (ends and told.opened)),
        closes=tuple(dict.fromkeys((case, *([known.incident] if ends else ())))) if is_over else (),
    )


def _joined(store: CasStore, notice: Notice) -> tuple[Entry | None, JoinedIncident] | None:
    """The incident of the case, and where that is stored, if it is yet; None where nothing says what it is about.

    What the case is about is known to belong to the incident from now on.
    """
    case, at = notice.case, notice.subject.event_time
    keys = [f"{_ABOUT}{hashlib.sha256(text.encode()).hexdigest()}" for text in notice.subject.about]
    own, *entries = store.get_many([f"{_OF}{case}", *keys])
    joined = stored_as(JoinedIncident, own)
    if at is None or not (joined or keys):
        return None
    known = [stored_as(IncidentSpans, entry) or IncidentSpans() for entry in entries]
    near = [span for spans in known for span in spans.spans if span.reaches(at) and (joined or span.incident != case)]
    elder = min(near, key=lambda span: (span.first, span.incident)).incident if near else ""
    joined = joined or JoinedIncident(incident=elder or case)
    for key, entry, spans in zip(keys, entries, known, strict=True):
        grown = _grown(spans, elder or joined.incident, at)
        if grown != spans:
            write_over(store, key, msgspec.json.encode(grown), entry, keep=KEEP)
    return own, joined


def _grown(spans: IncidentSpans, incident: str, at: datetime) -> IncidentSpans:
    """The spans, of which those that reach the moment are one of this incident."""
    near = [span for span in spans.spans if span.reaches(at)]
    first, last = min([at, *(span.first for span in near)]), max([at, *(span.last for span in near)])
    one = IncidentSpan(incident=incident, first=first, last=last)
    if [replace(span, first=first, last=last) for span in near] == [one]:
        (span,) = near
        if span.first - first < _EXTENDED_AFTER and last - span.last < _EXTENDED_AFTER:
            return spans
    return IncidentSpans(spans=(one, *(span for span in spans.spans if span not in near))[:_MOST_SPANS])


def _told(store: CasStore, notice: Notice, incident: str, told_of: Set[str]) -> IncidentTold:
    """What the incident tells of with this notice, whose case counts as its own from now on."""
    case, is_over = notice.case, notice.subject.is_over
    key, member = f"{_TOLD}{incident}", f"{_IN}{incident}/{case}"
    entry, own = store.get_many([key, member])
    if own is None:
        store.create(member, b"", keep=KEEP, unfinished=not is_over)
    elif own.unfinished is is_over:
        store.replace(member, b"", own.version, keep=KEEP, unfinished=not is_over)
    told = stored_as(IncidentTold, entry) or IncidentTold(opener=case)
    first = {name: case for name in told_of if name not in told.first and len(told.first) < _MOST_TOLD}
    now_is = replace(told, first={**told.first, **first}, opened=told.opened or not is_over)
    if not is_over and told.ended_by:
        now_is = replace(now_is, first={**now_is.first, _AGAIN: case}, ended_by="")
    elif is_over and not told.ended_by and not store.scan(f"{_IN}{incident}/", limit=1, unfinished=True).entries:
        now_is = replace(now_is, ended_by=case)
    if now_is != told:
        write_over(store, key, msgspec.json.encode(now_is), entry, keep=KEEP)
    return now_is


def leaves_nothing(store: CasStore, notice: Notice) -> bool:
    """Whether what it is about needs nobody any more. Raises StoreError.

    A digest of an incident goes by how that is now: told late, it opens no alert that nothing would resolve.
    """
    if notice.kind is not NoticeKind.DIGEST or not notice.case:
        return notice.subject.is_over
    told = stored_as(IncidentTold, store.get(f"{_TOLD}{notice.case}"))
    return told is not None and bool(told.ended_by)


def _told_of(notice: Notice, environment: str) -> Iterator[str]:
    """What people are paged for once in an incident: each severity with all below it, and each place."""
    subject, severities, levels = notice.subject, [*Severity], [*NoticeSeverity]
    # A severity that nobody knows counts as HIGH, as it does for routes.
    highest = severities.index(Severity(subject.severity)) if subject.severity in severities else _HIGH
    yield from (f"severity {word}" for word in severities[: highest + 1])
    yield from (f"level {word}" for word in levels[: levels.index(notice.severity) + 1])
    yield f"environment {environment}"
    yield f"namespace {subject.namespace}"
    yield f"surface {subject.surface}"


def _is_loud(notice: Notice) -> bool:
    """Whether it pages whatever was told before."""
    return is_severe_for_routes(notice) and (notice.subject.is_held or notice.kind is NoticeKind.UNDONE_BY_OTHERS)
