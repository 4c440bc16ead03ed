"""Incidents: cases that one attack may have made, side by side. A view: no case is changed or held by it. Pure.

Cases about one pod, one workload, or one service account that acted are one incident while their events follow each
other closely. An image or a node in common only links incidents: an image runs in many places, and a node has many
tenants.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from scc_responder.domain.finding import case_id
from scc_responder.domain.value import Value
from scc_responder.journal.account.about_target import digests_of, facts_of
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.outbox.incident_threads import INCIDENT_WINDOW


class Incident(Value, frozen=True, kw_only=True):
    """Cases that belong together, the earliest event first. `id` is the case id of the first."""

    id: str
    records: tuple[CaseRecord, ...]

    @property
    def span(self) -> tuple[datetime, datetime]:
        """When its first event was, and its last."""
        return self.records[0].event_time, self.records[-1].event_time

    @property
    def places(self) -> tuple[str, ...]:
        """The clusters, or projects of Cloud Run, in which it is."""
        return tuple(dict.fromkeys(record.cluster for record in self.records if record.cluster))


class IncidentLinks(Value, frozen=True, kw_only=True):
    """Other incidents that have an image digest, or a node, in common with one."""

    same_image: tuple[Incident, ...] = ()
    same_node: tuple[Incident, ...] = ()


def incidents(records: Iterable[CaseRecord], window: timedelta = INCIDENT_WINDOW) -> tuple[Incident, ...]:
    """Every case in exactly one incident, whatever the order of the records; the earliest incident first.

    Two cases are joined where they are about the same pod, workload or acting service account, and no more than
    `window` lies between their events; so are cases that others join.
    """
    group_of: dict[str, list[CaseRecord]] = {}
    latest: dict[str, CaseRecord] = {}
    for record in sorted(records, key=_moment):
        group_of[record.finding_key] = [record]
        for key in _keys(record):
            before = latest.get(key)
            if before is not None and record.event_time - before.event_time <= window:
                _join(group_of, before, record)
            latest[key] = record
    groups = {id(group): sorted(group, key=_moment) for group in group_of.values()}
    found = (Incident(id=case_id(group[0].finding_key), records=tuple(group)) for group in groups.values())
    return tuple(sorted(found, key=lambda incident: _moment(incident.records[0])))


def in_incidents(records: Sequence[CaseRecord], found: Iterable[Incident]) -> list[CaseRecord]:
    """The same cases in their order; the others of an incident follow its first one. No incidents: as they are."""
    incident_of = {record.finding_key: each.id for each in found for record in each.records}
    together: dict[str, list[CaseRecord]] = {}
    for record in records:
        together.setdefault(incident_of.get(record.finding_key, record.finding_key), []).append(record)
    return [record for group in together.values() for record in group]


def incident_links(incident: Incident, others: Iterable[Incident]) -> IncidentLinks:
    """Which of the other incidents have an image or a node in common with it."""
    rest = [other for other in others if other.id != incident.id]
    digests, nodes = _digests(incident), _nodes(incident)
    return IncidentLinks(
        same_image=tuple(other for other in rest if digests & _digests(other)),
        same_node=tuple(other for other in rest if nodes & _nodes(other)),
    )


def _join(group_of: dict[str, list[CaseRecord]], one: CaseRecord, other: CaseRecord) -> None:
    """Make one group of two; the smaller goes into the larger, so that many cases of one workload cost little."""
    small, large = sorted((group_of[one.finding_key], group_of[other.finding_key]), key=len)
    if small is not large:
        large.extend(small)
        group_of.update({record.finding_key: large for record in small})


def _moment(record: CaseRecord) -> tuple[datetime, str]:
    return record.event_time, record.finding_key


def _keys(record: CaseRecord) -> tuple[str, ...]:
    """What the case keeps of what it is about; cases of versions that kept none stand alone."""
    kept = record.decision.get("subject")
    about = kept.get("about") if isinstance(kept, dict) else None
    return tuple(map(str, about)) if isinstance(about, list) else ()


def _digests(incident: Incident) -> set[str]:
    return {digest for record in incident.records for digest in digests_of(record, facts_of(record)[0])}


def _nodes(incident: Incident) -> set[tuple[str, str]]:
    named = ((record.cluster, (record.decision.get("pod") or {}).get("node", "")) for record in incident.records)
    return {(cluster, node) for cluster, node in named if node}
