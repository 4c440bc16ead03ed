"""A deployment with routes, whose receivers keep what they get."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.ports import Receiver
from scc_responder.journal.outbox.outbox import FIRST_WAIT, OUTBOX
from scc_responder.policy.routes import Routes
from tests.kits.notices import SetClock
from tests.kits.responder import Deployment


class KeptNotices:
    """Receivers that keep what they get; `judge` may raise, or answer with another receipt."""

    def __init__(self) -> None:
        self.got: list[tuple[str, RoutedNotice]] = []
        self.judge: Callable[[str, RoutedNotice], str] = lambda _route, _routed: ""

    def opened(self, _kind: str, address: str) -> Receiver:
        receivers = self

        class Opened:
            def send(self, routed: RoutedNotice) -> str:
                receivers.got.append((address, routed))
                return receivers.judge(address, routed)

        return Opened()

    @property
    def cases(self) -> list[tuple[str, str]]:
        """Route and case of each, in order."""
        return [(route, routed.notice.case[-1]) for route, routed in self.got]


class RouteScene:
    """A deployment with routes, whose receivers are these."""

    def __init__(self, made: Deployment, folder: Path, given: Routes) -> None:
        self.clock = SetClock()
        self.receivers = KeptNotices()
        self.deployment = made
        services = made.services
        made.set_clock(self.clock)
        services.policies = replace(services.policies, routes=given)
        services.settings = replace(services.settings, notice_secrets=str(folder))
        del services.notifier
        for name, route in given.routes.items():
            path = folder / route.address / "address"
            path.parent.mkdir(parents=True)
            path.write_text(name)
        lanes = services.lanes
        assert lanes is not None
        self.lanes = lanes
        self.lanes.opened = self.receivers.opened

    def tell(self, *notices: Notice) -> None:
        """Notices of one request, sent at its end."""
        for notice in notices:
            assert self.deployment.services.notifier
            self.deployment.services.notifier.tell(notice)
        self.lanes.send()

    def sweep(self, **later: float) -> None:
        """A sweep, so much later."""
        now = self.clock.move(**later)
        self.lanes.sweep(now + 60 * FIRST_WAIT)(30)

    @property
    def waiting(self) -> int:
        return len(self.deployment.services.store.scan(OUTBOX, unfinished=True).entries)

    def said(self, reason: str) -> list[dict[str, Any]]:
        """The lines of the log with this reason."""
        lines = self.deployment.lines
        return [line for line in lines if line["logging.googleapis.com/labels"]["reason"] == reason]
