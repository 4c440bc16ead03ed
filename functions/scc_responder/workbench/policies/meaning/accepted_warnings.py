"""Warnings that a file accepts: left out until their day, and named where nobody needs the entry any more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from scc_responder.policy.guardrails import AcceptedWarning
from scc_responder.workbench.policy_files.mistakes import Mistake

ACCEPTED_EXPIRED = "accepted_expired"
ACCEPTED_BY_NOBODY = "accepted_by_nobody"
ACCEPTED_FOR_NOTHING = "accepted_for_nothing"


def not_accepted(found: Iterable[Mistake], accepted: tuple[AcceptedWarning, ...], today: date) -> Iterator[Mistake]:
    """The warnings of a file that nobody answers for today, and what is to be said of its list."""
    warnings = list(found)
    met = {warning.reason for warning in warnings}
    left_out = set()
    for index, entry in enumerate(accepted):
        place = ("accepted", index)
        for field in ("owner", "reason"):
            if not getattr(entry, field).strip():
                yield Mistake(
                    path=(*place, field), text="empty; say who decided it, and why", reason=ACCEPTED_BY_NOBODY
                )
        if entry.expires < today:
            text = f"{entry.warning} was accepted until {entry.expires}; decide again, or mend it"
            yield Mistake(path=(*place, "expires"), text=text, reason=ACCEPTED_EXPIRED)
        elif entry.warning not in met:
            text = f"nothing here is warned of as {entry.warning}; remove it"
            yield Mistake(path=(*place, "warning"), text=text, reason=ACCEPTED_FOR_NOTHING)
        elif entry.owner.strip() and entry.reason.strip():
            left_out.add(entry.warning)
    yield from (warning for warning in warnings if warning.reason not in left_out)
