"""The notices that wait for a route: each an entry of its own, until its receiver has it.

outbox/ROUTE/ID     waits, or was given up: then no sweep reads it, and `notify list` shows it
thread/ROUTE/THREAD what the receiver gave for the first message of a thread
route/ROUTE         how many notices the route had within five minutes
gathered/ROUTE/ID   came when it had too many: see `digest.py`

An entry says when it is tried next, which is moved on before each try: of two processes one sends it. A process that
dies after sending and before the entry is gone leaves it: it is said again, once, under the same id.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace

from scc_responder.domain.errors import AlreadyExists, Conflict
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.store import MAX_VALUE_BYTES, CasStore, Entry, Page, stored_as, write_over
from scc_responder.domain.value import AwareDatetime, Value

OUTBOX, _THREADS, _WINDOWS = "outbox/", "thread/", "route/"
FIRST_WAIT = timedelta(minutes=1)
"""So long a process has for the first try before a sweep makes one."""
LONGEST_WAIT = timedelta(hours=1)
TRIED_FOR = timedelta(hours=24)
BURST_WITHIN = timedelta(minutes=5)
"""In which a route's notices are counted, and has one digest at most."""
KEEP = timedelta(days=30)
"""How long what was given up is listed, and a thread is gone on with."""
_MOST_BYTES = MAX_VALUE_BYTES - 4096
_CONTENDED = 5


class NoticeThread(Value, frozen=True, kw_only=True):
    """Where a notice goes, as `incident_threads` finds it. `id` joins messages, `alert` those of one page.

    Empty, it goes by its case. `is_quiet`: it pages nobody again. `closes` are alerts that are over with it;
    `ends_alert`: one of them is open.
    """

    id: str = ""
    alert: str = ""
    is_quiet: bool = False
    ends_alert: bool = False
    closes: tuple[str, ...] = ()


BY_CASE = NoticeThread()


class WaitingNotice(Value, frozen=True, kw_only=True):
    """A notice for one route. `tries` counts the one that is under way, `refused` is why the last one failed.

    `given_up`: no other follows.
    """

    id: str
    route: str
    notice: Notice
    goes_to: NoticeThread = BY_CASE
    first_at: AwareDatetime
    next_at: AwareDatetime
    tries: int = 1
    refused: str = ""
    given_up: bool = False

    @property
    def thread(self) -> str:
        """What joins the messages of one incident, or of a case that is none's."""
        return self.goes_to.id or self.notice.case or self.id


class RouteWindow(Value, frozen=True, kw_only=True):
    """How many notices a route had since a moment."""

    since: AwareDatetime
    count: int = 0


class Waiting(Value, frozen=True, kw_only=True):
    """A stored notice, and the entry that it was read from."""

    entry: Entry
    notice: WaitingNotice


def notice_id(notice: Notice) -> str:
    """The same each time the same is said: of kind, case and `key`, or of everything where it has no key."""
    about = notice.key.encode() or notice.reason.encode() + notice.message
    parts = (notice.kind, notice.case, notice.labels.get("to", ""))
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + about).hexdigest()[:32]


def put(
    store: CasStore,
    route: str,
    notice: Notice,
    now: datetime,
    *,
    due: datetime | None = None,
    goes_to: NoticeThread = BY_CASE,
) -> Waiting | None:
    """Store a notice that its process is about to send; None where it waits already. Raises StoreError.

    A sweep sends it from `due` on, or a minute later than now. One that was given up is tried anew.
    """
    next_at, about = due or now + FIRST_WAIT, notice_id(notice)
    waits = WaitingNotice(id=about, route=route, notice=notice, goes_to=goes_to, first_at=now, next_at=next_at)
    with suppress(AlreadyExists):
        return Waiting(entry=store.create(_key(waits), encoded(waits), unfinished=True), notice=waits)
    known = waiting_in(Page(entries=tuple(filter(None, [store.get(_key(waits))]))))
    return next((_over(store, item, waits) for item in known if item.notice.given_up), None)


def has_room(store: CasStore, route: str, burst: int, now: datetime) -> bool:
    """Count one more notice of the route; False where it had `burst` within five minutes. Raises StoreError.

    Where others count at the same moment again and again, that is a storm as well.
    """
    key = f"{_WINDOWS}{route}"
    for _ in range(_CONTENDED):
        entry = store.get(key)
        known = stored_as(RouteWindow, entry)
        window = known if known and now - known.since < BURST_WITHIN else RouteWindow(since=now)
        if window.count >= burst:
            return False
        with suppress(AlreadyExists, Conflict):
            counted = msgspec.json.encode(replace(window, count=window.count + 1))
            write_over(store, key, counted, entry, keep=KEEP)
            return True
    return False


def waiting_in(page: Page) -> tuple[Waiting, ...]:
    """The notices of a page of `outbox/`; those that a later version wrote are left to that."""
    found = ((entry, stored_as(WaitingNotice, entry)) for entry in page.entries)
    return tuple(Waiting(entry=entry, notice=notice) for entry, notice in found if notice)


def claim(store: CasStore, item: Waiting, now: datetime) -> Waiting | None:
    """Take a notice that is due, so that no other process tries it now; None where another has. Raises StoreError."""
    tries = item.notice.tries + 1
    return _over(store, item, replace(item.notice, tries=tries, next_at=now + _pause(tries)))


def not_taken(
    store: CasStore, item: Waiting, reason: str, now: datetime, *, after: float, lasts: bool
) -> WaitingNotice:
    """Note why a try failed, and when the next follows; none after a day, or where it `lasts`. Raises StoreError.

    `after`: the receiver asks for so many seconds of rest.
    """
    known = item.notice
    next_at = now + max(_pause(known.tries), timedelta(seconds=min(after, LONGEST_WAIT.total_seconds())))
    noted = replace(known, refused=reason, next_at=next_at, given_up=lasts or next_at >= known.first_at + TRIED_FOR)
    _over(store, item, noted)
    return noted


def receipt(store: CasStore, route: str, thread: str) -> str:
    """What the receiver gave for the thread's first message; empty before it. Raises StoreError."""
    entry = store.get(f"{_THREADS}{route}/{thread}")
    return entry.value.decode(errors="replace") if entry else ""


def delivered(store: CasStore, item: Waiting, known: str, given: str) -> None:
    """The receiver has it: keep what it gave for the thread's first message, and take the notice out.

    `known` is what was kept of the thread before. Raises StoreError.
    """
    if given and not known:
        with suppress(AlreadyExists):
            store.create(f"{_THREADS}{item.notice.route}/{item.notice.thread}", given.encode(), keep=KEEP)
    with suppress(Conflict):
        store.delete(item.entry.key, item.entry.version)


def _over(store: CasStore, item: Waiting, now_is: WaitingNotice) -> Waiting | None:
    keep = KEEP if now_is.given_up else None
    with suppress(Conflict):
        entry = store.replace(
            item.entry.key, encoded(now_is), item.entry.version, keep=keep, unfinished=not now_is.given_up
        )
        return Waiting(entry=entry, notice=now_is)
    return None


def _pause(tries: int) -> timedelta:
    """1, 2, 4 minutes and so on, up to an hour."""
    return timedelta(minutes=min(60, 2 ** (tries - 1)))


def _key(waits: WaitingNotice) -> str:
    return f"{OUTBOX}{waits.route}/{waits.id}"


def encoded(waits: WaitingNotice) -> bytes:
    """As JSON, which the store takes."""
    return msgspec.json.encode(replace(waits, notice=fitted_notice(waits.notice)))


def fitted_notice(notice: Notice) -> Notice:
    """The notice as a store takes it; of facts that are too large the largest are left out, and named."""
    facts, left_out = dict(notice.facts), list[str]()
    while facts and len(msgspec.json.encode(notice)) > _MOST_BYTES:
        left_out.append(max(facts, key=lambda name: len(msgspec.json.encode(facts[name]))))
        del facts[left_out[-1]]
        notice = replace(notice, facts={**facts, "left_out": left_out})
    return notice
