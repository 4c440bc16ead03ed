"""When each part of a containment happened, in milliseconds after its finding was published."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from tests.cluster.audit import AuditEvent
from tests.rehearsal.google_side import Response


def timeline(response: Response) -> dict[str, int]:
    """By the relay (delivered), the API server's audit log (label to deleted) and the case (the others)."""
    case, writes = response.case, response.writes
    settled = {step.action: step.settled_at for step in case.steps}

    def at(wanted: Callable[[AuditEvent], bool]) -> datetime:
        return next(event for event in writes if wanted(event)).completed

    moments = {
        "delivered": response.deliveries[0].received,
        "claimed": case.opened_at,
        "label": at(lambda event: "labels" in body(event) and event.resource == "pods"),
        "isolated": at(lambda event: event.verb == "create"),
        "evidence": settled["capture_evidence"],
        "armed": at(lambda event: "armed-by" in body(event)),
        "deleted": at(lambda event: event.verb == "delete"),
        "verified": settled["delete_pod"],
        "closed": case.closed_at,
    }
    told = {name: moment - response.published for name, moment in moments.items() if moment}
    assert told.keys() == moments.keys()
    return {name: round(time.total_seconds() * 1000) for name, time in told.items()}


def body(event: AuditEvent) -> str:
    """What was sent, as text."""
    return json.dumps(event.request or {})
