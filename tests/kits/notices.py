"""Notices to be told by routes, and where they are told: a clock that is set, routes, and receivers on this machine."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity, NoticeSubject
from scc_responder.policy.routes import ReceiverKind, Route, RouteRule, Routes

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
KEY = "whsec_" + base64.b64encode(b"k" * 24).decode()


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        """Let so much time pass."""
        self.now += timedelta(**by)
        return self.now


def told(number: int = 0, /, *, severity: str = "LOW", level: str = "NOTICE", **subject: Any) -> Notice:
    """A notice about a case of its own, whose finding has this severity."""
    return Notice(
        kind=NoticeKind.OUTCOME,
        severity=NoticeSeverity(level),
        case=f"{number:012x}",
        labels={"threat": "reverse_shell", "severity": severity},
        facts={"case": f"{number:012x}"},
        subject=NoticeSubject(severity=severity, **subject),
        key="1 notify",
    )


def routes(*names: str, rules: Iterable[RouteRule] = (), burst: int = 20) -> Routes:
    """Routes to webhooks; the first one is the fallback."""
    made = {name: Route(receiver=ReceiverKind.SIGNED_WEBHOOK, address=f"{name}-hook", burst=burst) for name in names}
    return Routes(routes=made, rules=tuple(rules), fallback=names[:1])


def with_mail(given: Routes, folder: Path, address: str) -> Routes:
    """These routes and, beside them, one to people, whose mounted secret is this; a notice without a rule takes all."""
    path = folder / "people-mail" / "address"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(address)
    people = Route(receiver=ReceiverKind.EMAIL, address="people-mail", burst=1000)
    made = {**given.routes, "people": people}
    return replace(given, routes=made, fallback=tuple(made))


def mount(folder: Path, addresses: Mapping[str, str]) -> Path:
    """The secrets of these routes, by their names, as Cloud Run mounts them: each is the address of a webhook."""
    for name, url in addresses.items():
        path = folder / f"{name}-hook" / "address"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"url": url, "secret": KEY}))
    return folder
