"""When each part of a response on Cloud Run happened, in milliseconds, beside what is asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.rehearsal.google_side import Response

ASKED = {"evidence sealed": 3000, "plan waits": 4000, "traffic moved and read back": 4000}
"""At most so many milliseconds after the push; the last one after the approval."""
COLD_MORE = 1500
"""So many more by an instance that has served nothing yet."""
MEGABYTES = 150
REQUESTS = 12
"""For a rollback with evidence: three to read what is there, again once approved, and at the end, and the change."""
FOR_EACH_CHANGE = 3
"""To send it, to await it, and to read back what came of it."""


def until_told(response: Response) -> dict[str, int]:
    """Up to the message about the plan that waits; after the finding was published."""
    case = response.case
    assert case.plan is not None, response.log
    return _milliseconds(
        response.published,
        {
            "delivered": response.deliveries[0].received,
            "claimed": case.opened_at,
            "evidence sealed": settled(response, "capture_evidence")[0],
            "plan waits": settled(response, "roll_back_service")[0],
            "told": settled(response, "notify")[0],
        },
    )


def from_approval(response: Response) -> dict[str, int]:
    """The rest, after a person approved."""
    case = response.case
    assert case.plan is not None
    return _milliseconds(
        case.plan.approvals[0].at,
        {
            "traffic moved and read back": settled(response, "roll_back_service")[0],
            "ingress cut": settled(response, "cut_ingress")[0],
            "scaled to zero": settled(response, "scale_to_zero")[0],
            "evidence sealed again": settled(response, "capture_evidence")[-1],
            "told": settled(response, "notify")[-1],
            "verified and closed": case.closed_at,
        },
    )


def at_once(response: Response) -> dict[str, int]:
    """A rollback that nobody is asked about; after the finding was published."""
    return _milliseconds(
        response.published,
        {
            "delivered": response.deliveries[0].received,
            "claimed": response.case.opened_at,
            "evidence sealed": settled(response, "capture_evidence")[0],
            "traffic moved and read back, nobody asked": settled(response, "roll_back_service")[0],
        },
    )


def beside_asked(moments: dict[str, int], more: int = 0) -> str:
    """For one line of the summary."""
    asked = {name: f" (at most {most + more})" for name, most in ASKED.items()}
    return ", ".join(f"{name} {number}{asked.get(name, '')}" for name, number in moments.items())


def settled(response: Response, action: str) -> Sequence[datetime]:
    """When the steps of this action were settled."""
    return [step.settled_at for step in response.case.steps if step.action == action and step.settled_at]


def made(requests: Sequence[tuple[str, str]]) -> int:
    """How many requests these are; looking at one operation several times counts once."""
    polls = {(method, name) for method, name in requests if method.startswith("Operations/")}
    return len(polls) + sum(not method.startswith("Operations/") for method, _ in requests)


def _milliseconds(begun: datetime, moments: dict[str, datetime | None]) -> dict[str, int]:
    told = {name: round((moment - begun).total_seconds() * 1000) for name, moment in moments.items() if moment}
    assert told.keys() == moments.keys()
    return told
