"""What came in a storm, told as one: each gathered notice is counted once, whatever dies in between.

gathered/ROUTE/ID       one notice that came when its route had too many
gathered/ROUTE/.digest  what is counted so far

A page of notices is counted by one write, which names them too; then they are taken out. A process that finds such a
write takes out what is left of its page before it counts more. Once nothing is left to count the digest is `sealed`,
and becomes a notice of the outbox: sealed, it never changes, so that it can be made again under the same id.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from secrets import token_hex

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity, NoticeSubject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.store import CasStore, Entry, entries_of, stored_as, write_over
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.journal.outbox.outbox import BURST_WITHIN, KEEP, notice_id

_GATHERED = "gathered/"
_STATE = ".digest"  # stands before every id
_PAGE = 250
MOST_CASES_TOLD = 50
_SEVERITIES = [*NoticeSeverity]
_COUNTED = ("kind", "severity", "reason", "threat", "finding_severity", "incident", "needs")
_MOST_WORDS, _OTHER, _NOBODY = 150, "other", "nobody"
_SIDE_BY_SIDE = 8


class GatheredNotice(Value, frozen=True, kw_only=True):
    """What a digest tells of one notice."""

    kind: NoticeKind
    severity: NoticeSeverity
    at: AwareDatetime
    case: str = ""
    reason: str = ""
    threat: str = ""
    finding_severity: str = ""
    incident: str = ""
    needs: str = "people"


class DigestState(Value, frozen=True, kw_only=True):
    """What is counted by field and word. `batch` are the keys that the last write counted, `cases` the first cases.

    `told_at` is when the route had its last digest.
    """

    id: str
    count: int = 0
    by: dict[str, dict[str, int]] = {}
    cases: tuple[str, ...] = ()
    first_at: AwareDatetime | None = None
    last_at: AwareDatetime | None = None
    batch: tuple[str, ...] = ()
    sealed: bool = False
    told_at: AwareDatetime | None = None


def gather(store: CasStore, route: str, notice: Notice, now: datetime, incident: str = "") -> None:
    """Store the notice for the route's next digest. Raises StoreError."""
    item = GatheredNotice(
        kind=notice.kind,
        severity=notice.severity,
        at=now,
        case=notice.case,
        reason=notice.reason,
        threat=notice.labels.get("threat", ""),
        finding_severity=notice.subject.severity,
        incident=incident,
        needs=_NOBODY if notice.subject.is_over else "people",
    )
    with suppress(AlreadyExists):
        store.create(f"{_GATHERED}{route}/{notice_id(notice)}", msgspec.json.encode(item))


def told_together(
    store: CasStore, route: str, now: datetime, put: Callable[[Notice], object], goes_on: Callable[[], bool]
) -> int:
    """Count what is gathered for a route, and `put` one notice of it where one is due; returns of how many it tells.

    Five minutes after the last digest another is due. Raises StoreError; Conflict where another sweep is at it.
    """
    key = f"{_GATHERED}{route}/{_STATE}"
    page = store.scan(f"{_GATHERED}{route}/", limit=_PAGE).entries
    entry = page[0] if page and page[0].key == key else None
    state = stored_as(DigestState, entry) or DigestState(id=token_hex(8))
    if not state.sealed:
        _take_out(store, [each for each in entries_of(store, state.batch) if each])
        while goes_on() and (page := store.scan(f"{_GATHERED}{route}/", key, _PAGE).entries if page else ()):
            state = with_counted(state, ((item.key, stored_as(GatheredNotice, item)) for item in page))
            entry = write_over(store, key, msgspec.json.encode(state), entry, keep=KEEP)
            _take_out(store, page)
        if state.count == 0 or (state.told_at and now - state.told_at < BURST_WITHIN):
            return 0
        state = replace(state, sealed=True)
        entry = write_over(store, key, msgspec.json.encode(state), entry, keep=KEEP)
    put(digest_notice(route, state))
    fresh = DigestState(id=token_hex(8), told_at=now)
    write_over(store, key, msgspec.json.encode(fresh), entry, keep=KEEP)
    return state.count


def _take_out(store: CasStore, entries: Sequence[Entry]) -> None:
    """Delete them side by side: a store far away answers each late."""

    def delete(entry: Entry) -> None:
        with suppress(Conflict):
            store.delete(entry.key, entry.version)

    if entries:
        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            list(pool.map(delete, entries))


def with_counted(state: DigestState, page: Iterable[tuple[str, GatheredNotice | None]]) -> DigestState:
    """The state with these notices counted, given by their keys. None makes no sense, and counts as well. Pure."""
    by = {field: Counter(words) for field, words in state.by.items()}
    cases, moments, keys = dict.fromkeys(state.cases), [state.first_at, state.last_at], []
    for key, item in page:
        keys.append(key)
        if item:
            moments.append(item.at)
            cases |= {item.case: None} if item.case and len(cases) < MOST_CASES_TOLD else {}
        told = {name: str(getattr(item, name)) for name in _COUNTED} if item else {"kind": _OTHER}
        for field, word in told.items():
            words = by.setdefault(field, Counter())
            words[word if word in words or len(words) < _MOST_WORDS else _OTHER] += 1
    known = [moment for moment in moments if moment]
    return replace(
        state,
        count=state.count + len(keys),
        by={field: dict(words) for field, words in by.items()},
        cases=tuple(cases),
        first_at=min(known, default=None),
        last_at=max(known, default=None),
        batch=tuple(keys),
    )


def digest_notice(route: str, state: DigestState) -> Notice:
    """One notice that tells of many: how many of each kind, threat, reason and severity, and the first cases.

    Where all are of one incident it is about that, and goes into its thread. It is over where it tells of nothing that
    needs a person.
    """
    told, among = state.by.get("severity", {}), state.by.get("incident", {})
    worst = max((word for word in _SEVERITIES if word in told), key=_SEVERITIES.index, default=NoticeSeverity.WARNING)
    return Notice(
        kind=NoticeKind.DIGEST,
        severity=worst,
        case=next((word for word, count in among.items() if count == state.count and word != _OTHER), ""),
        reason=Reason.GATHERED,
        key=state.id,
        labels={"count": str(state.count)},
        subject=NoticeSubject(is_over=state.by.get("needs", {}).get(_NOBODY) == state.count),
        facts={
            "reason": Reason.GATHERED,
            "route": route,
            "count": state.count,
            **{f"by_{field}": {word: words[word] for word in words if word} for field, words in state.by.items()},
            "cases": list(state.cases),
            "first_at": state.first_at,
            "last_at": state.last_at,
        },
    )
