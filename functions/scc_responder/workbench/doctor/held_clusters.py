"""Clusters in which nothing can be done, by the latest cases about them: paused, not handed over, or access lost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.read_clusters import shows_a_read
from scc_responder.workbench.doctor.check import OR, Check, fault, ok

RECENT = timedelta(days=1)
"""A sweep tries a held case again for so long, by default: an older one tells nothing of today."""

_NAME = "clusters.held"
_APPLY = "kubectl apply -k terraform/kubernetes"
_HELD: dict[str, tuple[str, str]] = {
    Reason.CLUSTER_PAUSED: (
        "its annotation scc-responder/mode lets nothing be changed; evidence is kept",
        "kubectl annotate namespace default scc-responder/mode=enforce --overwrite",
    ),
    Reason.CLUSTER_NOT_ONBOARDED: (
        "it refused every read, and no case shows that it ever allowed one: nobody handed it over",
        f"{_APPLY}{OR}Terraform variable clusters: take it out",
    ),
    Reason.CLUSTER_ACCESS_LOST: (
        "it refused every read, and allowed them before: somebody took the responder's roles away",
        _APPLY,
    ),
}


def note_cluster(record: CaseRecord, latest: dict[str, CaseRecord]) -> None:
    """Keep the case if it is the latest to tell of its cluster: that it holds the responder up, or that it was read."""
    before = latest.get(record.cluster)
    if not record.cluster or record.closed_at is None or not (record.reason in _HELD or shows_a_read(record)):
        return
    if before is None or before.closed_at is None or record.closed_at > before.closed_at:
        latest[record.cluster] = record


def examine_held_clusters(latest: Mapping[str, CaseRecord], probed: str, now: datetime) -> Iterator[Check]:
    """A fault for each cluster whose latest case it holds; one good check if there is none."""
    held = [record for record in latest.values() if record.reason in _HELD and _is_recent(record, now)]
    if not held:
        yield ok(_NAME, probed, "no cluster is paused or refuses the responder")
    for record in sorted(held, key=lambda each: each.cluster):
        why, fix = _HELD[record.reason]
        yield fault(_NAME, record.cluster, record.reason, f"on {record.closed_at:%Y-%m-%d %H:%M} UTC: {why}", fix)


def _is_recent(record: CaseRecord, now: datetime) -> bool:
    return record.closed_at is not None and now - record.closed_at < RECENT
