"""Breakers: which one a request trips, and which one holds it.

A denial trips the scope that denied, never a wider one. What all clusters together used up trips nothing: another
cluster may have used it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.duration import parse_duration
from scc_responder.guard.limits.ledger_document import (
    WHOLE,
    Breaker,
    Budget,
    DisruptionRequest,
    Ledger,
    LedgerEntry,
)
from scc_responder.policy.guardrails import Guardrails, StormBreaker


def storm_of(guardrails: Guardrails, budget: Budget) -> StormBreaker:
    """The storm breaker of a budget."""
    return guardrails.isolation.storm_breaker if budget is Budget.ISOLATION else guardrails.storm_breaker


def held_by(ledger: Ledger, request: DisruptionRequest) -> Breaker | None:
    """The tripped breaker that holds the request. One whose scope is not known of the target may hold it: it does."""
    return next((breaker for breaker in ledger.breakers if _holds(breaker, request)), None)


def _holds(breaker: Breaker, request: DisruptionRequest) -> bool:
    if breaker.budget not in {None, request.budget}:
        return False
    scope, _, value = breaker.scope.partition("=")
    if breaker.scope in {WHOLE, request.group}:
        return True
    own = request.scopes.get(scope)
    return own == "" or (own is not None and own == value)


def tripped(
    ledger: Ledger, request: DisruptionRequest, storm: StormBreaker, denied_in: str, now: datetime
) -> tuple[Breaker, ...]:
    """The breakers that trip now, after the request was noted as planned, and as denied in a scope (or in none)."""
    since = now - parse_duration(storm.within)
    recent = [
        entry
        for entry in ledger.entries
        if entry.planned_at and entry.planned_at > since and entry.counts_in(request.budget)
    ]
    known = {breaker.scope for breaker in ledger.breakers if breaker.budget in {None, request.budget}}
    return tuple(
        Breaker(tripped_at=now, detail=detail, paging_since=now, scope=scope, budget=request.budget)
        for scope, detail in dict(_storms(recent, request, storm, denied_in)).items()
        if scope not in known
    )


def _storms(
    recent: list[LedgerEntry], request: DisruptionRequest, storm: StormBreaker, denied_in: str
) -> Iterator[tuple[str, str]]:
    """Each scope in which there is too much, and what there is."""
    named = [(entry.group, entry) for entry in recent]
    own = [entry for group, entry in named if group == request.group]
    groups, beyond = len({group for group, _ in named}), request.share_of or 0
    within = f"within {storm.within}"
    if groups > storm.targets:
        yield WHOLE, f"targets of {groups} workloads planned {within}, of at most {storm.targets}"
    if (planned := len({entry.target for entry in own})) > storm.targets + beyond:
        yield request.group, f"{planned} targets planned {within}, of at most {storm.targets + beyond}"
    if (denied := len({entry.target for entry in own if entry.denied})) > storm.denials + beyond:
        yield request.group, f"{denied} targets denied {within}, of at most {storm.denials + beyond}"
    denied = len({group for group, entry in named if denied_in in entry.denied})
    if denied_in and denied > storm.denials:
        yield denied_in.removesuffix("="), f"targets of {denied} workloads denied {within}, of at most {storm.denials}"


def with_breakers(ledger: Ledger, breakers: tuple[Breaker, ...]) -> Ledger:
    """The ledger with exactly these tripped."""
    return replace(ledger, breaker=breakers[0] if breakers else None, further=breakers[1:])
