"""The API server's audit log, read as it grows: what really reached the server, in its own words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from threading import Lock
from urllib.parse import parse_qs, urlsplit

import msgspec

from scc_responder.workbench.simulated_cluster.server import request as simulated
from tests.cluster.polling import wait_until


class AuditEvent(simulated.AuditEvent, frozen=True, kw_only=True):
    """One answered request. `code` is the HTTP status; `received` and `completed` are the server's clock.

    `request` and `response` are the bodies; a delete's `request` is its DeleteOptions. `dry_run` says it asked for
    `dryRun=All`. `subresource` is such as `status`, and empty where the request is about the object itself.
    """

    def __str__(self) -> str:
        dry_run = " (dry run)" if self.dry_run else ""
        return f"{self.verb} {self.rbac_resource} {self.namespace}/{self.name} {self.code}{dry_run}"


def parse_event(line: bytes) -> AuditEvent | None:
    """The event of one line of the log, or None where it is no completed request. Source: audit.k8s.io/v1 `Event`."""
    event = msgspec.json.decode(line)
    if event["stage"] != "ResponseComplete":
        return None
    target = event.get("objectRef", {})
    return AuditEvent(
        verb=event["verb"],
        user=event["user"].get("username", ""),
        resource=target.get("resource", ""),
        subresource=target.get("subresource", ""),
        namespace=target.get("namespace", ""),
        name=target.get("name", ""),
        code=event.get("responseStatus", {}).get("code", 0),
        dry_run="All" in parse_qs(urlsplit(event["requestURI"]).query).get("dryRun", []),
        request=event.get("requestObject"),
        response=event.get("responseObject"),
        received=datetime.fromisoformat(event["requestReceivedTimestamp"]),
        completed=datetime.fromisoformat(event["stageTimestamp"]),
        uri=event["requestURI"],
        user_agent=event.get("userAgent", ""),
    )


class AuditLog:
    """A growing log. `touch(user_agent)` must send the server one request that bears that user agent."""

    def __init__(self, path: Path, touch: Callable[[str], object]) -> None:
        self._path = path
        self._touch = touch
        self._offset = 0
        self._reading = Lock()
        self._events: list[AuditEvent] = []
        self._sync = itertools.count()

    def events(self) -> Sequence[AuditEvent]:
        """All events until now: a request of ours is sent, and the log read until it shows up there.

        The server logs in the order of completion, so whatever was answered before is in the log then. Raises
        TimeoutError.
        """
        mark = f"audit-sync/{id(self):x}-{next(self._sync)}"
        start = len(self._events)
        self._touch(mark)

        def arrived() -> bool:
            with self._reading:
                self._read()
            return any(event.user_agent == mark for event in self._events[start:])

        wait_until(arrived, what="the audit log to show a request just made", seconds=10)
        return [event for event in self._events if not event.user_agent.startswith("audit-sync/")]

    def _read(self) -> None:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                event = parse_event(line)
                if event is not None:
                    self._events.append(event)
