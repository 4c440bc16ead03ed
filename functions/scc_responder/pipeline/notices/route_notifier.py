"""Puts each notice into the outbox of its routes, before anything of it is sent.

It is sent once the acts are done, into the thread of its incident. In a storm a route has a digest instead, but for
what pages a person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.ports import Notifier
from scc_responder.guard.limits.environments import cluster_environment
from scc_responder.journal.outbox.digest import gather
from scc_responder.journal.outbox.incident_threads import incident_thread
from scc_responder.journal.outbox.outbox import BY_CASE, NoticeThread, Waiting, has_room, notice_id, put
from scc_responder.policy.routes import Routes, is_severe_for_routes

if TYPE_CHECKING:
    from scc_responder.pipeline.services import Services

_OF_A_PLACE = frozenset({NoticeKind.BREAKER, NoticeKind.POLICY, NoticeKind.FEED})
"""They are about no case, few, and say where nothing is done any more: a digest would say neither place nor remedy."""


class RouteNotifier:
    """`ports.Notifier` on routes, and after them on another notifier, whose answer or error is the outcome then.

    `stored` is called with what is to be sent.
    """

    def __init__(
        self, services: Services, routes: Routes, stored: Callable[[Waiting], None], then: Notifier | None
    ) -> None:
        self._services = services
        self._routes = routes
        self._stored = stored
        self._then = then

    def tell(self, notice: Notice) -> str:
        """Put it into the outbox, then tell the other notifier. Raises StoreError, and what that one raises."""
        place = notice.subject.cluster
        environment = cluster_environment(self._services.policies.guardrails, place).name or place
        goes_to = incident_thread(self._services.store, notice, environment) if notice.case else BY_CASE
        for name in self._routes.chosen(notice):
            self._put(name, notice, goes_to)
        return self._then.tell(notice) if self._then else notice_id(notice)

    def _put(self, route: str, notice: Notice, goes_to: NoticeThread) -> None:
        store, now, burst = self._services.store, self._services.clock(), self._routes.routes[route].burst
        pages = goes_to.ends_alert or (_pages(notice) and not goes_to.is_quiet)
        if not pages and not has_room(store, route, burst, now):
            gather(store, route, notice, now, goes_to.id)
        elif item := put(store, route, notice, now, goes_to=goes_to):
            self._stored(item)


def _pages(notice: Notice) -> bool:
    """Whether it needs a person now: what is severe, or holds a whole place, is never left to a digest."""
    is_severe = bool(notice.case) and is_severe_for_routes(notice) and notice.severity is not NoticeSeverity.NOTICE
    return is_severe or notice.kind in _OF_A_PLACE
