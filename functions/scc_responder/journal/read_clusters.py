"""Whether a cluster was ever read: one that refuses now was then taken away from us, and not merely not handed over.

The cases in the store tell. What they tell is kept for each cluster that refuses, in one small document: that it was
read for good, that it was not for a day.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from scc_responder.domain.errors import AlreadyExists, Conflict, ResponderError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, stored_as, write_over
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode

CASES_LOOKED_AT = 10_000
ASK_AGAIN_AFTER = timedelta(days=1)
_PAGE = 200


class ReadCluster(Value, frozen=True, kw_only=True):
    """The document: whether any case was about something that was read in the cluster, and when that was looked up.

    `cursor`: where the next look goes on; empty where all cases were looked at.
    """

    cluster: str
    was_read: bool
    looked_up_at: AwareDatetime
    cursor: str = ""


def was_ever_read(store: CasStore, cluster: str, now: datetime) -> bool:
    """Whether a case shows that the cluster, given by its path, answered before. Raises StoreError.

    One call looks at 10,000 cases at most; the next call goes on behind them.
    """
    key = _key(cluster)
    entry = store.get(key)
    known = stored_as(ReadCluster, entry)
    if known and (known.was_read or (not known.cursor and now - known.looked_up_at < ASK_AGAIN_AFTER)):
        return known.was_read
    was_read, cursor = _look(store, cluster, known.cursor if known else "")
    value = msgspec.json.encode(ReadCluster(cluster=cluster, was_read=was_read, looked_up_at=now, cursor=cursor))
    with suppress(AlreadyExists, Conflict):
        write_over(store, key, value, entry)
    return was_read


def forget_refusal(store: CasStore, cluster: str) -> None:
    """The cluster answers now: what was looked up while it refused no longer counts. Raises StoreError."""
    entry = store.get(_key(cluster))
    if entry is not None:
        store.delete(entry.key, entry.version)


def _key(cluster: str) -> str:
    return f"cluster/{hashlib.sha256(cluster.encode()).hexdigest()[:32]}"


def _look(store: CasStore, cluster: str, after: str) -> tuple[bool, str]:
    """Whether one of the next cases is about an object that was read in the cluster, and where to go on if not."""
    cursor: str | None = after or None
    for _ in range(CASES_LOOKED_AT // _PAGE):
        page = store.scan("case/", cursor, _PAGE)
        if any(_is_in(entry.value, cluster) for entry in page.entries):
            return True, ""
        cursor = page.cursor
        if cursor is None:
            return False, ""
    return False, cursor or ""


def _is_in(value: bytes, cluster: str) -> bool:
    try:
        record = decode(value)
    except ResponderError:
        return False
    return record.cluster == cluster and shows_a_read(record)


def shows_a_read(record: CaseRecord) -> bool:
    """Whether the case shows that the cluster said what the target is, or that there is none."""
    decision = record.decision
    is_absent = decision.get("missing", {}).get("pod") == Reason.TARGET_ABSENT
    return bool(decision.get("pod")) or is_absent or any(step.expected_uid for step in record.steps)
