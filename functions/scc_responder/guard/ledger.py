"""The ledger: what was disrupted, what was planned, and whether one more may be. Pure; `limiter.py` stores it.

One document per cluster and one for the organisation. A target (a pod or a node, by UID) counts once in each limit,
whatever is done to it and by how many findings, from the last time it was reserved. Times are the store's own.

    reserve   judged against every limit of every scope; what was never carried out still counts, so a crash allows less
    storm     too many planned or denied: the cluster's breaker trips, and only a person resets it
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Literal

from msgspec.structs import replace

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.policy.guardrails import Guardrails, StormBreaker
from scc_responder.policy.limits import Limit, allowed_count, window

SEVERAL = "*"
"""Stands for a scope's value that was read differently at two times: a pod's owner reference can be edited."""

LAG = timedelta(minutes=1)
"""The longest time from a reservation to its effect. Windows are longer by it, so that they cover the effects."""

FRESH = timedelta(seconds=20)
"""A reservation up to this age is not renewed: nothing is written for it."""

DisruptionKind = Literal["pods", "nodes", "services"]


class DisruptionRequest(Value, frozen=True, kw_only=True):
    """One action that wants to disrupt one target.

    `scopes` are the values of scopes, by their names in `Limits`, as far as the target has them. `share_of` is what a
    limit's share is of: the workload's ready replicas, or the pool's nodes; None where that is not known.
    """

    action_id: str
    target: str
    kind: DisruptionKind
    scopes: dict[str, str] = {}
    policy: str = ""
    policy_limits: tuple[Limit, ...] = ()
    share_of: int | None = None


class LedgerEntry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What is known about one target. If the value of a scope is unknown or `SEVERAL`, it counts for every value.

    `denied` are the scopes that had no room for it, as `namespace=shop`.
    """

    target: str
    kind: DisruptionKind
    scopes: dict[str, str] = {}
    policies: tuple[str, ...] = ()
    action_id: str = ""
    reserved_at: datetime | None = None
    planned_at: datetime | None = None
    denied: tuple[str, ...] = ()
    keep_until: datetime | None = None


class Breaker(Value, frozen=True, kw_only=True):
    """A tripped breaker. `told_at` is None until a person was notified."""

    tripped_at: datetime
    detail: str
    paging_since: datetime
    told_at: datetime | None = None


class Reset(Value, frozen=True, kw_only=True):
    """Who reset a breaker, when, and why."""

    by: str
    reason: str
    at: datetime
    tripped_at: datetime
    detail: str


class Ledger(Value, frozen=True, kw_only=True):
    """One document. `cluster` is the path of the cluster it is about, empty for the organisation."""

    schema: Literal[1] = 1
    cluster: str = ""
    entries: tuple[LedgerEntry, ...] = ()
    breaker: Breaker | None = None
    resets: tuple[Reset, ...] = ()


class State(Value, frozen=True, kw_only=True):
    """The two ledgers of a request: that of its cluster, and that of all clusters together."""

    cluster: Ledger = Ledger()
    organization: Ledger = Ledger()


class LimitDecision(Value, frozen=True, kw_only=True):
    """Whether the target may be disrupted.

    `reason` is empty, or `limit_namespace` or the like, or `storm_breaker`; `detail` names the limit.
    """

    reason: Reason | None = None
    detail: str = ""

    @property
    def allowed(self) -> bool:
        """Whether no limit denies it."""
        return self.reason is None


class _Denial(Value, frozen=True, kw_only=True):
    scope: str
    value: str
    detail: str


def admit(
    state: State, request: DisruptionRequest, guardrails: Guardrails, now: datetime
) -> tuple[State, LimitDecision]:
    """The state after the request, and whether it is allowed.

    A repeated request for the same target has the same result.

    The state is the same object where there is nothing to write.
    """
    if state.cluster.breaker:
        return state, LimitDecision(reason=Reason.STORM_BREAKER, detail=state.cluster.breaker.detail)
    denial = _denial(state, request, guardrails, now)
    storm = guardrails.storm_breaker
    cluster = _planned(state.cluster, request, denial, storm, now)
    if cluster is not state.cluster:
        cluster = _tripped(cluster, storm, now)
    if denial or cluster.breaker:
        state = state if cluster is state.cluster else replace(state, cluster=cluster)
        return state, _answer(denial, cluster.breaker)
    limits = tuple(limit for _, _, limit in _cluster_limits(request, guardrails))
    cluster = _reserved(cluster, request, limits, now)
    limits = tuple(limit for _, _, limit in _organization_limits(request, guardrails))
    organization = _reserved(state.organization, request, limits, now) if limits else state.organization
    if cluster is state.cluster and organization is state.organization:
        return state, LimitDecision()
    return State(cluster=cluster, organization=organization), LimitDecision()


def _answer(denial: _Denial | None, breaker: Breaker | None) -> LimitDecision:
    if denial:
        return LimitDecision(reason=Reason.LIMIT.of(denial.scope), detail=denial.detail)
    return LimitDecision(reason=Reason.STORM_BREAKER, detail=breaker.detail if breaker else "")


def counts_in_organization(request: DisruptionRequest, guardrails: Guardrails) -> bool:
    """Whether any limit over all clusters applies to the request; else their ledger need not be read."""
    return next(_organization_limits(request, guardrails), None) is not None


def reset(ledger: Ledger, by: str, reason: str, now: datetime) -> Ledger:
    """The ledger with its breaker closed: what was planned and denied is forgotten, what was reserved still counts."""
    if ledger.breaker is None:
        return ledger
    tripped = ledger.breaker
    done = Reset(by=by, reason=reason, at=now, tripped_at=tripped.tripped_at, detail=tripped.detail)
    kept = tuple(replace(entry, planned_at=None, denied=()) for entry in ledger.entries if entry.reserved_at)
    return replace(ledger, entries=kept, breaker=None, resets=(*ledger.resets, done)[-10:])


Scoped = tuple[str, str, Limit]
"""A scope, its value for the target, and a limit there."""


def _cluster_limits(request: DisruptionRequest, guardrails: Guardrails) -> Iterator[Scoped]:
    limits = guardrails.limits
    for scope in ("owner", "namespace", "node", "node_pool", "service", "cluster"):
        value = request.scopes.get(scope, "")
        yield from ((scope, value, limit) for limit in getattr(limits, scope) if limit.of == request.kind)


def _organization_limits(request: DisruptionRequest, guardrails: Guardrails) -> Iterator[Scoped]:
    limits, project = guardrails.limits, request.scopes.get("project", "")
    yield from (("project", project, limit) for limit in limits.project if limit.of == request.kind)
    yield from (("organization", "", limit) for limit in limits.organization if limit.of == request.kind)
    yield from (("policy", request.policy, limit) for limit in request.policy_limits if limit.of == request.kind)


def _denial(state: State, request: DisruptionRequest, guardrails: Guardrails, now: datetime) -> _Denial | None:
    """The first limit that has no room for one more target."""
    for ledger, limits in (
        (state.cluster, _cluster_limits(request, guardrails)),
        (state.organization, _organization_limits(request, guardrails)),
    ):
        for scope, value, limit in limits:
            most = allowed_count(limit, request.share_of)
            counted = _count(ledger.entries, request, scope, value, now - window(limit) - LAG)
            if counted >= most:
                where = f"{scope.replace('_', ' ')} {value}".strip()
                detail = f"{where}: {counted} {limit.of} within {limit.within}, at most {most} ({limit.most})"
                return _Denial(scope=scope, value=value, detail=detail)
    return None


def _count(entries: Iterable[LedgerEntry], request: DisruptionRequest, scope: str, value: str, since: datetime) -> int:
    """The other targets that were reserved in the scope since then."""
    return sum(
        entry.kind == request.kind
        and entry.target != request.target
        and entry.reserved_at is not None
        and entry.reserved_at > since
        and _is_in(entry, scope, value)
        for entry in entries
    )


def _is_in(entry: LedgerEntry, scope: str, value: str) -> bool:
    if scope in {"cluster", "organization"}:
        return True
    if scope == "policy":
        return value in entry.policies
    # What is not known of either may be the same: it counts.
    return not value or entry.scopes.get(scope, "") in {"", SEVERAL, value}


def _planned(
    ledger: Ledger, request: DisruptionRequest, denial: _Denial | None, storm: StormBreaker, now: datetime
) -> Ledger:
    """The ledger with the target as planned, and as denied in a scope. Unchanged where it says so already."""
    entry = _find(ledger, request)
    where = f"{denial.scope}={denial.value}" if denial else ""
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
    keep = _latest(entry.keep_until, now + max(map(window, limits), default=timedelta()) + LAG)
    entry = replace(entry, action_id=request.action_id, reserved_at=now, policies=policies, keep_until=keep)
    return _with(ledger, entry, now)


def _find(ledger: Ledger, request: DisruptionRequest) -> LedgerEntry:
    entry = next((entry for entry in ledger.entries if entry.target == request.target), None)
    if entry is None:
        return LedgerEntry(target=request.target, kind=request.kind, scopes=request.scopes)
    return replace(entry, scopes=_learned(entry.scopes, request.scopes))


def _learned(earlier: dict[str, str], read: dict[str, str]) -> dict[str, str]:
    """The scopes by everything read about the target so far: earlier deliveries may have read less, or other values."""
    news = {name: value for name, value in read.items() if value}
    return {
        **earlier,
        **{name: value if earlier.get(name) in {None, "", value} else SEVERAL for name, value in news.items()},
    }


def _with(ledger: Ledger, entry: LedgerEntry, now: datetime) -> Ledger:
    """The ledger with this entry for its target, and without entries that no longer count."""
    others = (other for other in ledger.entries if other.target != entry.target)
    kept = (other for other in others if other.keep_until is None or other.keep_until > now)
    return replace(ledger, entries=(*kept, entry))


def _latest(earlier: datetime | None, other: datetime) -> datetime:
    return other if earlier is None else max(earlier, other)


_WHOLE = {f"{scope}=": f"the whole {scope}" for scope in ("cluster", "organization")}


def _tripped(ledger: Ledger, storm: StormBreaker, now: datetime) -> Ledger:
    """The ledger with its breaker tripped, if more was planned or denied than the storm breaker allows."""
    since = now - parse_duration(storm.within)
    recent = [entry for entry in ledger.entries if entry.planned_at and entry.planned_at > since]
    denials = Counter(scope for entry in recent for scope in entry.denied)
    scope, denied = max(denials.items(), key=lambda item: item[1], default=("", 0))
    if len(recent) > storm.targets:
        detail = f"{len(recent)} targets planned within {storm.within}, of at most {storm.targets}"
    elif denied > storm.denials:
        where = _WHOLE.get(scope, f"an unknown {scope[:-1].replace('_', ' ')}" if scope.endswith("=") else scope)
        detail = f"{denied} targets denied within {storm.within} in {where}, of at most {storm.denials}"
    else:
        return ledger
    return replace(ledger, breaker=Breaker(tripped_at=now, detail=detail, paging_since=now))
