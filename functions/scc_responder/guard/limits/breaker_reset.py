"""The reset of breakers, which only a person does. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from scc_responder.guard.limits.ledger_document import WHOLE, Breaker, Ledger, LedgerEntry, Reset
from scc_responder.guard.limits.storm import with_breakers


def reset(ledger: Ledger, by: str, reason: str, now: datetime, scope: str = "") -> Ledger:
    """The ledger with its breakers closed, or with those of one scope.

    What was planned and denied there is forgotten, what was reserved still counts.
    """
    closed = [breaker for breaker in ledger.breakers if scope in {"", breaker.scope}]
    if not closed:
        return ledger
    left = tuple(breaker for breaker in ledger.breakers if breaker not in closed)
    forgotten = (_forgotten(entry) if _is_in(entry, closed) else entry for entry in ledger.entries)
    kept = tuple(entry for entry in forgotten if entry.reserved_at or entry.planned_at)
    resets = (
        Reset(by=by, reason=reason, at=now, tripped_at=item.tripped_at, detail=item.detail, scope=item.scope)
        for item in closed
    )
    return with_breakers(replace(ledger, entries=kept, resets=(*ledger.resets, *resets)[-10:]), left)


def _forgotten(entry: LedgerEntry) -> LedgerEntry:
    return replace(entry, planned_at=None, denied=())


def _is_in(entry: LedgerEntry, closed: list[Breaker]) -> bool:
    """Whether one of the breakers counted it."""
    return any(
        (breaker.budget is None or entry.counts_in(breaker.budget))
        and (breaker.scope in {WHOLE, entry.group} or breaker.scope in entry.denied)
        for breaker in closed
    )
