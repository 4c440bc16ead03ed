"""Puts each notice into the outbox of its routes, before anything of it is sent.

It is sent once the acts are done. In a storm a route has a digest instead, but for what pages a person.
"""

from __future__ import annotations

from collections.abc import Callable

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.ports import Clock, Notifier
from scc_responder.domain.store import CasStore
from scc_responder.journal.outbox.digest import gather
from scc_responder.journal.outbox.outbox import Waiting, has_room, notice_id, put
from scc_responder.policy.routes import Routes, is_severe_for_routes

_OF_A_PLACE = frozenset({NoticeKind.BREAKER, NoticeKind.POLICY, NoticeKind.FEED})
"""They are about no case, few, and say where nothing is done any more: a digest would say neither place nor remedy."""


class RouteNotifier:
    """`ports.Notifier` on routes, and after them on another notifier, whose answer or error is the outcome then.

    `stored` is called with what is to be sent.
    """

    def __init__(
        self, store: CasStore, routes: Routes, clock: Clock, stored: Callable[[Waiting], None], then: Notifier | None
    ) -> None:
        self._store = store
        self._routes = routes
        self._clock = clock
        self._stored = stored
        self._then = then

    def tell(self, notice: Notice) -> str:
        """Put it into the outbox, then tell the other notifier. Raises StoreError, and what that one raises."""
        for name in self._routes.chosen(notice):
            self._put(name, notice)
        return self._then.tell(notice) if self._then else notice_id(notice)

    def _put(self, route: str, notice: Notice) -> None:
        now, burst = self._clock(), self._routes.routes[route].burst
        if not _pages(notice) and not has_room(self._store, route, burst, now):
            gather(self._store, route, notice, now)
        elif item := put(self._store, route, notice, now):
            self._stored(item)


def _pages(notice: Notice) -> bool:
    """Whether it needs a person now: what is severe, or holds a whole place, is never left to a digest."""
    is_severe = bool(notice.case) and is_severe_for_routes(notice) and notice.severity is not NoticeSeverity.NOTICE
    return is_severe or notice.kind in _OF_A_PLACE
