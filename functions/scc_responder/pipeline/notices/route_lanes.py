"""One lane for each route: what it sends, one after another, beside all other routes and beside the caller.

A receiver that never answers costs its lane alone. After two failures in a row a lane rests until the next sweep. No
line and no record has more of an error than its reason: a message may quote an address.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from scc_responder.adapters.notifiers import open_receiver
from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Notifier, Receiver
from scc_responder.domain.reasons import Reason
from scc_responder.journal.messages import Ending, log_line
from scc_responder.journal.outbox import outbox
from scc_responder.journal.outbox.digest import told_together
from scc_responder.journal.outbox.incident_threads import leaves_nothing
from scc_responder.journal.outbox.outbox import OUTBOX, Waiting, WaitingNotice
from scc_responder.pipeline.notices.project_contacts import contacts_of
from scc_responder.pipeline.notices.route_notifier import RouteNotifier
from scc_responder.policy.routes import Route, Routes

if TYPE_CHECKING:
    from scc_responder.pipeline.services import Services

ADDRESS_FILE = "address"
REQUEST_WAITS_SECONDS = 1.0
"""So long at most a request waits for what it sends; the rest goes on beside, or by the sweep."""
RESTS = timedelta(minutes=1)
"""After a failure a process leaves a route so long to the sweeps."""
SENT_WITHIN = timedelta(seconds=30)
"""Longer than any receiver takes: what a sweep may take before that is left to it."""
MOST_FAILURES = 2
HELD_TRIES = 4
"""So often is a notice tried, for a quarter of an hour, before those that came after it in its thread overtake it."""
MOST_WAITING_READ = 1000
"""Of a route's waiting notices, in one sweep."""
_PAGE = 100
_NEVER_TAKEN = frozenset({413, 422})
"""Not 400: PagerDuty and Google Chat say so of a key that is wrong, which somebody may set right."""


def read_address(folder: str, secret: str) -> str:
    """What a secret says that is mounted as `FOLDER/SECRET/address`. Raises ApiError, which says nothing of it."""
    path = Path(folder) / secret / ADDRESS_FILE
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "it is no text"
        raise ApiError(Reason.ADDRESS_UNREADABLE, f"{path}: {told}; mount the secret {secret} there") from None


class RouteLanes:
    """The lanes of one process, and what its requests have stored to be sent.

    `opened` makes a receiver of a kind and an address.
    """

    def __init__(self, services: Services, routes: Routes) -> None:
        self.opened: Callable[[str, str], Receiver] = open_receiver
        self._services = services
        self._all = routes
        self._routes = routes.routes
        self._receivers: dict[str, Receiver] = {}
        self._resting: dict[str, datetime] = {}
        self._lock = Lock()
        self._busy: set[str] = set()
        self._held: dict[str, set[str]] = {}
        self._stored: dict[str, list[Waiting]] = {}

    def before(self, named: Notifier | None) -> Notifier:
        """A notifier that stores each notice for its routes, and then tells this one."""
        return RouteNotifier(self._services, self._all, self.keep, named)

    def keep(self, item: Waiting) -> None:
        """Send it at the next `send`; while its route rests, a sweep does."""
        route, now = item.notice.route, self._services.clock()
        with self._lock:
            if self._resting.get(route, now) <= now:
                self._stored.setdefault(route, []).append(item)

    def send(self) -> None:
        """Send what was stored since the last call; wait a second at most. What fails is left to a sweep.

        Where another request or a sweep sends by the route already, this is sent after it.
        """
        self._begun({route: self._fresh(route) for route in [*self._stored]})(REQUEST_WAITS_SECONDS)

    def sweep(self, until: datetime) -> Callable[[float], None]:
        """Begin to send what is due of every route, and its digest; the result waits so many seconds at most."""
        return self._begun({route: self._due(route, until) for route in self._routes})

    def _begun(self, work: dict[str, Iterator[Waiting]]) -> Callable[[float], None]:
        # Daemons: the process may end while a receiver does not answer. What they send is stored.
        threads = [Thread(target=self._lane, args=given, daemon=True) for given in work.items()]
        for thread in threads:
            thread.start()
        return lambda seconds: _join(threads, seconds)

    def _lane(self, route: str, items: Iterator[Waiting]) -> None:
        with self._lock:
            if route in self._busy:
                return
            self._busy.add(route)
        failures, held = 0, set[str]()
        # The threads in which one waits: what follows it is left to a sweep, or it would open again what is over.
        self._held[route] = held
        try:
            for item in (item for item in items if item.notice.thread not in held):
                if self._sent(self._routes[route], item):
                    failures = 0
                    continue
                failures += 1
                held |= _holding(item)
                if failures >= MOST_FAILURES:
                    break
        except Exception as error:  # noqa: BLE001 - the edge of a thread: what is stored is sent by the next sweep
            reason = error.reason if isinstance(error, ResponderError) else Reason.INTERNAL_ERROR
            self._tell(Ending(status=503, reason=reason, severity="WARNING"), {"route": route})
        finally:
            with self._lock:
                self._busy.discard(route)
                if failures:
                    # Its address may be another by then.
                    self._receivers.pop(route, None)
                    self._stored.pop(route, None)
                    self._resting[route] = self._services.clock() + RESTS
            if route in self._stored:  # by a request that saw the lane busy
                self._begun({route: self._fresh(route)})

    def _fresh(self, route: str) -> Iterator[Waiting]:
        """What requests have stored for the route by now: those that no sweep takes before their turn comes."""
        with self._lock:
            stored = self._stored.pop(route, [])
        yield from (item for item in stored if self._services.clock() + SENT_WITHIN <= item.notice.next_at)

    def _due(self, route: str, until: datetime) -> Iterator[Waiting]:
        """Each notice of the route that is due, once this process has taken it. Raises StoreError.

        The oldest of a thread first; while that waits for its next try, so do the others, but for `HELD_TRIES`.
        """
        store, clock, held = self._services.store, self._services.clock, self._held[route]

        def put(notice: Notice) -> None:
            outbox.put(store, route, notice, clock(), due=clock())

        told_together(store, route, clock(), put, lambda: clock() < until)
        cursor, read = None, 0
        while read < MOST_WAITING_READ:
            page = store.scan(f"{OUTBOX}{route}/", cursor, _PAGE, unfinished=True)
            for item in sorted(outbox.waiting_in(page), key=lambda item: item.notice.first_at):
                if clock() >= until:
                    return
                if item.notice.next_at > clock():
                    held |= _holding(item)
                elif item.notice.thread not in held and (taken := outbox.claim(store, item, clock())):
                    yield taken
            read, cursor = read + len(page.entries), page.cursor
            if cursor is None:
                return

    def _sent(self, route: Route, item: Waiting) -> bool:
        """Whether the receiver has it now. Raises StoreError: then it is said again, under the same id."""
        waits = item.notice
        known = outbox.receipt(self._services.store, waits.route, waits.thread)
        of_project = contacts_of(waits.notice.subject.cluster, self._services) if route.to_contacts else ()
        routed = RoutedNotice(
            id=waits.id,
            thread=waits.thread,
            receipt=known,
            content=route.content,
            closes=leaves_nothing(self._services.store, waits.notice),
            alert=waits.goes_to.alert,
            ends=waits.goes_to.closes,
            contacts=self._all.contacts(waits.route, waits.notice, of_project),
            console_url=self._services.settings.console_url,
            notice=waits.notice,
        )
        try:
            given = self._receiver(waits.route, route).send(routed)
        except Exception as error:  # noqa: BLE001 - a fault of one receiver ends no lane
            self._refused(item, error)
            return False
        outbox.delivered(self._services.store, item, known, given)
        return True

    def _receiver(self, name: str, route: Route) -> Receiver:
        if name not in self._receivers:
            address = read_address(self._services.settings.notice_secrets, route.address)
            self._receivers[name] = self.opened(route.receiver, address)
        return self._receivers[name]

    def _refused(self, item: Waiting, error: Exception) -> None:
        reason = error.reason if isinstance(error, ResponderError) else type(error).__name__
        after = error.retry_after_seconds if isinstance(error, ApiError) else 0.0
        # A wrong address may be mended within the day; this very notice is never taken.
        lasts = isinstance(error, ApiError) and error.status in _NEVER_TAKEN
        noted = outbox.not_taken(self._services.store, item, reason, self._services.clock(), after=after, lasts=lasts)
        word = Reason.NOTICE_UNDELIVERABLE if noted.given_up else Reason.NOTICE_WAITS
        self._tell(Ending(status=204, reason=word, severity="ERROR" if noted.given_up else "WARNING"), _told(noted))

    def _tell(self, ending: Ending, fields: dict[str, Any]) -> None:
        self._services.tell(log_line(ending, "", "", self._services.settings.trace_project, fields))


def _holding(item: Waiting) -> set[str]:
    """The thread in which nothing overtakes the notice that waits, if it is held for it still."""
    return {item.notice.thread} if item.notice.tries <= HELD_TRIES else set()


def _told(waits: WaitingNotice) -> dict[str, Any]:
    fields = {"route": waits.route, "notice": waits.id, "kind": waits.notice.kind, "case": waits.notice.case}
    return {**fields, "tries": waits.tries, "refused": waits.refused, "waits_since": waits.first_at}


def _join(threads: Iterable[Thread], seconds: float) -> None:
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
