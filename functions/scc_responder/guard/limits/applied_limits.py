"""Which limits apply to a request, and the first one that has no room for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from scc_responder.domain.value import Value
from scc_responder.guard.limits.environments import cluster_environment
from scc_responder.guard.limits.ledger_document import (
    SEVERAL,
    Budget,
    DisruptionKind,
    DisruptionRequest,
    LedgerEntry,
    State,
)
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.limits import Limit, allowed_count, window

LAG = timedelta(minutes=1)
"""The longest time from a reservation to its effect. Windows are longer by it, so that they cover the effects."""

CLUSTER_SCOPES = ("owner", "namespace", "node", "node_pool", "service", "cluster")

AppliedLimit = tuple[str, str, Limit]
"""A scope, its value for the target, and a limit there."""


class Denial(Value, frozen=True, kw_only=True):
    """The scope that has no room for a target, its value, and the limit in words."""

    scope: str
    value: str
    detail: str

    @property
    def where(self) -> str:
        """As `namespace=shop`."""
        return f"{self.scope}={self.value}"

    def trips(self, kind: DisruptionKind) -> bool:
        """Whether it counts for a breaker of its ledger: what other clusters used up as well says nothing of this one.

        The ledger of what runs on Cloud Run is that of the project.
        """
        return self.scope in CLUSTER_SCOPES or (kind == "services" and self.scope == "project")


def cluster_limits(request: DisruptionRequest, guardrails: Guardrails) -> Iterator[AppliedLimit]:
    """The limits that are counted in the cluster's ledger.

    Of a workload, what isolates its pods is limited by its share too where no likely finding is about the very pod.
    """
    limits = guardrails.isolation.limits if request.budget is Budget.ISOLATION else guardrails.limits
    for scope in CLUSTER_SCOPES:
        applied: tuple[Limit, ...] = getattr(limits, scope, ())
        if scope == "owner" and request.budget is Budget.ISOLATION and not request.is_likely:
            applied = (*applied, *guardrails.limits.owner)
        yield from ((scope, request.scopes.get(scope, ""), limit) for limit in applied if limit.of == request.kind)


def organization_limits(request: DisruptionRequest, guardrails: Guardrails) -> Iterator[AppliedLimit]:
    """The limits that are counted in the ledger of all clusters."""
    limits = guardrails.isolation.limits if request.budget is Budget.ISOLATION else guardrails.limits
    project = request.scopes.get("project", "")
    own: tuple[Limit, ...] = getattr(limits, "project", ())
    yield from (("project", project, limit) for limit in own if limit.of == request.kind)
    yield from (("organization", "", limit) for limit in limits.organization if limit.of == request.kind)
    yield from (("policy", request.policy, limit) for limit in request.policy_limits if limit.of == request.kind)


def denial_of(state: State, request: DisruptionRequest, guardrails: Guardrails, now: datetime) -> Denial | None:
    """The first limit that has no room for one more target."""
    for ledger, limits in (
        (state.cluster, cluster_limits(request, guardrails)),
        (state.organization, organization_limits(request, guardrails)),
    ):
        reserved = [(entry.reserved_at, entry) for entry in ledger.entries if _is_other(entry, request)]
        for scope, value, limit in limits:
            since = now - window(limit) - LAG
            # A policy's own limit counts both budgets.
            recent = [entry for at, entry in reserved if at and at > since]
            others = [entry for entry in recent if scope == "policy" or entry.counts_in(request.budget)]
            denial = (
                _organization_denial(others, request, limit, guardrails)
                if scope == "organization" and request.kind != "services"
                else _denial(others, request, scope, value, limit)
            )
            if denial:
                return denial
    return None


def _denial(
    others: Iterable[LedgerEntry], request: DisruptionRequest, scope: str, value: str, limit: Limit
) -> Denial | None:
    most = allowed_count(limit, request.share_of)
    counted = _targets(entry for entry in others if _is_in(entry, scope, value))
    where = f"{scope.replace('_', ' ')} {value}".strip()
    detail = f"{where}: {_counted(counted, limit, most)}"
    return Denial(scope=scope, value=value, detail=detail) if counted >= most else None


def _organization_denial(
    others: Iterable[LedgerEntry], request: DisruptionRequest, limit: Limit, guardrails: Guardrails
) -> Denial | None:
    """Those of the cluster's environment count. The cluster keeps its share, whatever the others used up."""
    environment = cluster_environment(guardrails, request.cluster)
    allowed = allowed_count(limit)
    most = min(allowed, max(1, share_of(environment.share, allowed)))
    named = {"", SEVERAL}
    here = [
        entry
        for entry in others
        if (cluster := entry.scopes.get("cluster", "")) in named
        or cluster_environment(guardrails, cluster).name == environment.name
    ]
    own = [entry for entry in here if entry.scopes.get("cluster", "") in {*named, request.cluster}]
    counted, kept = _targets(here), share_of(guardrails.cluster_share, most)
    if counted < most or _targets(own) < kept:
        return None
    where = f"organization, environment {environment.name}" if environment.name else "organization"
    return Denial(scope="organization", value="", detail=f"{where}: {_counted(counted, limit, most)}")


def share_of(share: str, whole: int) -> int:
    """So much of a number, rounded down."""
    return whole * int(share.removesuffix("%")) // 100


def _counted(counted: int, limit: Limit, most: int) -> str:
    return f"{counted} {limit.of} within {limit.within}, at most {most} ({limit.most})"


def _is_other(entry: LedgerEntry, request: DisruptionRequest) -> bool:
    """Whether it is another target of the kind that was reserved."""
    return entry.reserved_at is not None and entry.kind == request.kind and entry.target != request.target


def _targets(entries: Iterable[LedgerEntry]) -> int:
    return len({entry.target for entry in entries})


def _is_in(entry: LedgerEntry, scope: str, value: str) -> bool:
    if scope in {"cluster", "organization"}:
        return True
    if scope == "policy":
        return value in entry.policies
    # What is not known of either may be the same: it counts.
    return not value or entry.scopes.get(scope, "") in {"", SEVERAL, value}
