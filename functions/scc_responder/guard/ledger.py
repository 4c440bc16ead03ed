"""The ledger: what was disrupted, what was planned, and whether one more may be. Pure; `limiter.py` stores it.

One document per cluster and one for the organisation. A target (a pod or a node, by UID) counts once in each limit of
its budget, whatever is done to it and by how many findings, from the last time it was reserved. Times are the store's.

    reserve   judged against every limit of every scope; what was never carried out still counts, so a crash allows less
    storm     too many planned or denied in a scope: its breaker trips, and only a person resets it
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.reasons import Reason
from scc_responder.guard.limits.applied_limits import LAG, Denial, cluster_limits, denial_of, organization_limits
from scc_responder.guard.limits.ledger_document import (
    SEVERAL,
    Breaker,
    Budget,
    DisruptionRequest,
    Ledger,
    LedgerEntry,
    LimitDecision,
    State,
)
from scc_responder.guard.limits.storm import held_by, storm_of, tripped, with_breakers
from scc_responder.policy.guardrails import Guardrails, StormBreaker
from scc_responder.policy.limits import Limit, window

FRESH = timedelta(seconds=20)
"""A reservation up to this age is not renewed: nothing is written for it."""


KEPT_SERVING = timedelta(hours=24)
"""So long an isolated pod counts as cut off, where its workload has to keep serving."""


def admit(
    state: State, request: DisruptionRequest, guardrails: Guardrails, now: datetime, *, by_person: bool = False
) -> tuple[State, LimitDecision]:
    """The state after the request, and whether it is allowed.

    A repeated request for the same target has the same result. What a person had done (`by_person`) is held by no limit
    and by no breaker, and counts like any other.

    The state is the same object where there is nothing to write.
    """
    if not by_person and (held := held_by(state.cluster, request)):
        return state, _answer(None, held)
    denial = None if by_person else denial_of(state, request, guardrails, now)
    cluster = _judged(state.cluster, request, denial, guardrails, now)
    held = None if by_person else held_by(cluster, request)
    if denial or held:
        state = state if cluster is state.cluster else replace(state, cluster=cluster)
        return state, _answer(denial, held)
    again = request.budget is Budget.ISOLATION and _find(cluster, request).reserved_at is not None
    answer = LimitDecision(cut=cut_of(cluster, request), is_again=again)
    kept = replace(request, is_likely=False)
    limits = tuple(limit for _, _, limit in cluster_limits(kept, guardrails))
    cluster = _reserved(cluster, request, limits, now)
    limits = tuple(limit for _, _, limit in organization_limits(request, guardrails))
    organization = _reserved(state.organization, _in_cluster(request), limits, now) if limits else state.organization
    if cluster is not state.cluster or organization is not state.organization:
        state = State(cluster=cluster, organization=organization)
    return state, answer


def _judged(
    ledger: Ledger, request: DisruptionRequest, denial: Denial | None, guardrails: Guardrails, now: datetime
) -> Ledger:
    """The ledger with the target as planned, and with the breakers that trip by that."""
    storm = storm_of(guardrails, request.budget)
    where = denial.where if denial and denial.trips(request.kind) else ""
    planned = _planned(ledger, request, where, storm, now)
    if planned is ledger:
        return ledger
    trips = tripped(planned, request, storm, where, now)
    return with_breakers(planned, (*planned.breakers, *trips)) if trips else planned


def _answer(denial: Denial | None, breaker: Breaker | None) -> LimitDecision:
    if denial:
        return LimitDecision(reason=Reason.LIMIT.of(denial.scope), detail=denial.detail, scope=denial.where)
    if breaker is None:
        return LimitDecision()
    return LimitDecision(reason=Reason.STORM_BREAKER, detail=f"{breaker.scope}: {breaker.detail}", scope=breaker.scope)


def cut_of(ledger: Ledger, request: DisruptionRequest) -> int:
    """The other pods of the same workload that were isolated, as far as the ledger still knows them."""
    group = request.group
    entries = [entry for entry in ledger.entries if entry.reserved_at and entry.budget is Budget.ISOLATION]
    return len({entry.target for entry in entries if entry.group == group} - {request.target})


def _in_cluster(request: DisruptionRequest) -> DisruptionRequest:
    """The request as the organisation's ledger keeps it: where it is and no more, as all clusters share its room."""
    place = {"project": request.scopes.get("project", ""), "cluster": request.cluster}
    return replace(request, scopes=place) if request.cluster else request


def counts_in_organization(request: DisruptionRequest, guardrails: Guardrails) -> bool:
    """Whether any limit over all clusters applies to the request; else their ledger need not be read."""
    return next(organization_limits(request, guardrails), None) is not None


def _planned(ledger: Ledger, request: DisruptionRequest, where: str, storm: StormBreaker, now: datetime) -> Ledger:
    """The ledger with the target as planned, and as denied in a scope. Unchanged where it says so already."""
    entry = _find(ledger, request)
    noted = not where or where in entry.denied
    if entry.planned_at and noted and entry in ledger.entries and timedelta() <= now - entry.planned_at < FRESH:
        return ledger
    denied = (*entry.denied, where) if not noted else entry.denied
    keep = _latest(entry.keep_until, now + parse_duration(storm.within))
    return _with(ledger, replace(entry, planned_at=now, denied=denied, keep_until=keep), now)


def _reserved(ledger: Ledger, request: DisruptionRequest, limits: tuple[Limit, ...], now: datetime) -> Ledger:
    entry = _find(ledger, request)
    is_fresh = entry.reserved_at is not None and timedelta() <= now - entry.reserved_at < FRESH
    if is_fresh and entry in ledger.entries and request.policy in entry.policies:
        return ledger
    policies = entry.policies if request.policy in entry.policies else (*entry.policies, request.policy)
    longest = max(map(window, limits), default=timedelta())
    keep = _latest(entry.keep_until, now + (max(longest, KEPT_SERVING) if request.keeps_serving else longest) + LAG)
    entry = replace(entry, action_id=request.action_id, reserved_at=now, policies=policies, keep_until=keep)
    return _with(ledger, entry, now)


def _find(ledger: Ledger, request: DisruptionRequest) -> LedgerEntry:
    found = [entry for entry in ledger.entries if entry.target == request.target and entry.budget == request.budget]
    if not found:
        return LedgerEntry(target=request.target, kind=request.kind, scopes=request.scopes, budget=request.budget)
    return replace(found[0], scopes=_learned(found[0].scopes, request.scopes))


def _learned(earlier: dict[str, str], read: dict[str, str]) -> dict[str, str]:
    """The scopes by everything read about the target so far: earlier deliveries may have read less, or other values."""
    news = {name: value for name, value in read.items() if value}
    return {
        **earlier,
        **{name: value if earlier.get(name) in {None, "", value} else SEVERAL for name, value in news.items()},
    }


def _with(ledger: Ledger, entry: LedgerEntry, now: datetime) -> Ledger:
    """The ledger with this entry for its target and budget, and without entries that no longer count."""
    others = [one for one in ledger.entries if one.target != entry.target or one.budget != entry.budget]
    kept = [other for other in others if other.keep_until is None or other.keep_until > now]
    return replace(ledger, entries=(*kept, entry))


def _latest(earlier: datetime | None, other: datetime) -> datetime:
    return other if earlier is None else max(earlier, other)
