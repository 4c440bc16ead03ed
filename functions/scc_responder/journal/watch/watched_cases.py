"""What the store knows of the cases under watch together: which had the same workload and threat, or the same image.

One entry, `watch/cases`, kept by the looks alone: nothing is read or written for it when a finding arrives.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict
from scc_responder.domain.finding import case_id
from scc_responder.domain.store import MAX_VALUE_BYTES, CasStore, stored_as, write_over
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.journal.case import CaseRecord

KEY = "watch/cases"
COMPARED_FOR = timedelta(hours=48)
"""Cases that were looked at no longer ago are compared: the last look is a day after the case."""
MOST_CASES = 200
MOST_ALIKE = 10
_MOST_IMAGES = 5


class WatchedCase(Value, frozen=True, kw_only=True):
    """One case: its id, its threat, the workload with its cluster, or the service, and the digests of its images."""

    case: str
    threat: str
    workload: str
    images: tuple[str, ...] = ()
    at: AwareDatetime


def watched_case(record: CaseRecord, now: datetime) -> WatchedCase | None:
    """What is compared of a case; None where its decision names no workload."""
    decision: dict[str, Any] = record.decision
    pod, threat = decision.get("pod") or {}, decision.get("threat") or {}
    run = decision.get("cloud_run") or {}
    if not (pod.get("workload") or run.get("name")):
        return None
    workload = str(run["name"]) if run else f"{record.cluster} {pod.get('namespace')}/{pod['workload']}"
    images = tuple(decision.get("images", ()))[:_MOST_IMAGES]
    name = str(threat.get("name", ""))
    return WatchedCase(case=case_id(record.finding_key), threat=name, workload=workload, images=images, at=now)


class WatchedCases:
    """The cases under watch, as one sweep knows them. Raises StoreUnavailable."""

    def __init__(self, store: CasStore, now: datetime) -> None:
        self._store = store
        self._entry = store.get(KEY)
        known = stored_as(list[WatchedCase], self._entry) or []
        self._known = {item.case: item for item in known if now - item.at < COMPARED_FOR}
        self._before = dict(self._known)

    def add(self, items: Iterable[WatchedCase]) -> None:
        """Know these cases too."""
        self._known |= {item.case: item for item in items if item.case not in self._known}

    def same_threat(self, own: WatchedCase) -> tuple[str, ...]:
        """The other cases of this threat on this workload."""
        return self._named(own, lambda item: (item.workload, item.threat) == (own.workload, own.threat))

    def same_image(self, own: WatchedCase) -> tuple[str, ...]:
        """The cases of other workloads that ran one of its images."""
        return self._named(own, lambda item: item.workload != own.workload and bool({*item.images} & {*own.images}))

    def keep(self) -> None:
        """Store what was added. Where another sweep stores its own at the same time, either is fine."""
        if self._known == self._before:
            return
        newest = sorted(self._known.values(), key=lambda item: item.at)[-MOST_CASES:]
        value = msgspec.json.encode(newest)
        while len(value) > MAX_VALUE_BYTES:
            newest = newest[len(newest) // 2 :]
            value = msgspec.json.encode(newest)
        with suppress(AlreadyExists, Conflict):
            write_over(self._store, KEY, value, self._entry, keep=COMPARED_FOR)

    def _named(self, own: WatchedCase, is_alike: Any) -> tuple[str, ...]:
        return tuple(item.case for item in self._known.values() if item.case != own.case and is_alike(item))[
            :MOST_ALIKE
        ]
