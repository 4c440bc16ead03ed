"""The same detection again: another event time, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scc_responder.domain.clock import utc_now
from scc_responder.journal.messages import Ending
from tests.kits.responder import Deployment


def later(document: Mapping[str, Any], by: timedelta) -> dict[str, Any]:
    """The notification of an event that came so much later."""
    finding = dict(document["finding"])
    moment = datetime.fromisoformat(finding["eventTime"]) + by
    finding["eventTime"] = moment.isoformat().replace("+00:00", "Z")
    return {**document, "finding": finding}


def again(deployment: Deployment, document: Mapping[str, Any], minutes: float = 10, *, name: str = "finding") -> Ending:
    """List and deliver the same detection, at so many minutes later."""
    by = timedelta(minutes=minutes)
    deployment.set_clock(lambda: utc_now() + by)
    newer = later(document, by)
    deployment.list_finding(newer, name)
    return deployment.deliver(newer)
