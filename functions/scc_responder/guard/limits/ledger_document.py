"""The ledger as it is stored, and what is asked of it.

An instance of the last release knows no budgets and no scopes of a breaker. It reads the same bytes as more than they
say: each entry counts in all of its limits, and a breaker of one scope holds the whole cluster. So it does less.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.policy.limits import Limit

SEVERAL = "*"
"""Stands for a scope's value that was read differently at two times: a pod's owner reference can be edited."""

WHOLE = "cluster"
"""The scope of a breaker that holds everything in its ledger."""

DisruptionKind = Literal["pods", "nodes", "services"]


class Budget(StrEnum):
    """Which limits count a disruption, and which breakers hold it."""

    ISOLATION = "isolation"
    """Of a pod, and it can be undone: `isolate_pod`, `sever_connections`, `freeze_process`, `detach_pod`."""
    DISRUPTION = "disruption"
    """What cannot be undone, and everything on nodes and on Cloud Run."""


class DisruptionRequest(Value, frozen=True, kw_only=True):
    """One action that wants to disrupt one target.

    `scopes` are the values of scopes, by their names in `Limits`, as far as the target has them; `cluster` is the path
    of its cluster. `share_of` is what a limit's share is of: the workload's ready replicas, or the pool's nodes; None
    where that is not known. `is_likely`: a finding about this very target is an attack at `likely` or more.
    `then_ends`: a later action of the same policy on it cannot be undone, and is counted in the same write.
    `keeps_serving`: the guardrails name its workload in `keep_serving`: it is remembered for longer.
    """

    action_id: str
    target: str
    kind: DisruptionKind
    budget: Budget = Budget.DISRUPTION
    scopes: dict[str, str] = {}
    cluster: str = ""
    policy: str = ""
    policy_limits: tuple[Limit, ...] = ()
    share_of: int | None = None
    is_likely: bool = False
    then_ends: bool = False
    keeps_serving: bool = False

    @property
    def group(self) -> str:
        """What its target is a part of, as `owner=UID`: a storm counts it once, however many of its parts are meant."""
        return group_of(self.kind, self.scopes, self.target)


class LedgerEntry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What is known about one target in one budget. An unknown value of a scope, or `SEVERAL`, counts for every value.

    `denied` are the scopes that had no room for it, as `namespace=shop`. Without a `budget` the last release wrote it:
    it counts in both.
    """

    target: str
    kind: DisruptionKind
    scopes: dict[str, str] = {}
    policies: tuple[str, ...] = ()
    action_id: str = ""
    reserved_at: AwareDatetime | None = None
    planned_at: AwareDatetime | None = None
    denied: tuple[str, ...] = ()
    keep_until: AwareDatetime | None = None
    budget: Budget | None = None

    @property
    def group(self) -> str:
        """As of a request."""
        return group_of(self.kind, self.scopes, self.target)

    def counts_in(self, budget: Budget) -> bool:
        """Whether limits and breakers of this budget count it."""
        return self.budget is None or self.budget == budget


def group_of(kind: DisruptionKind, scopes: dict[str, str], target: str) -> str:
    """The workload, node pool or service that a target is a part of; the target itself where that is not known."""
    scope = {"pods": "owner", "nodes": "node_pool", "services": "service"}[kind]
    value = scopes.get(scope, "")
    return f"{scope}={value}" if value not in {"", SEVERAL} else f"{kind}={target}"


class Breaker(Value, frozen=True, kw_only=True):
    """A tripped breaker. `told_at` is None until a person was notified.

    `scope` is what it holds, as `namespace=shop`, or the whole cluster. Without a `budget` the last release stored it:
    it holds both.
    """

    tripped_at: AwareDatetime
    detail: str
    paging_since: AwareDatetime
    told_at: AwareDatetime | None = None
    scope: str = WHOLE
    budget: Budget | None = None

    def is_same(self, other: Breaker) -> bool:
        """Whether it holds the same."""
        return (self.scope, self.budget) == (other.scope, other.budget)


class Reset(Value, frozen=True, kw_only=True):
    """Who reset a breaker, when, and why."""

    by: str
    reason: str
    at: AwareDatetime
    tripped_at: AwareDatetime
    detail: str
    scope: str = WHOLE


class Ledger(Value, frozen=True, kw_only=True):
    """One document. `cluster` is the path of the cluster it is about, empty for the organisation.

    `breaker` is the first one that is tripped, `further` are the others.
    """

    schema: Literal[1] = 1
    cluster: str = ""
    entries: tuple[LedgerEntry, ...] = ()
    breaker: Breaker | None = None
    resets: tuple[Reset, ...] = ()
    further: tuple[Breaker, ...] = ()

    @property
    def breakers(self) -> tuple[Breaker, ...]:
        """All that are tripped."""
        return (self.breaker, *self.further) if self.breaker else ()


class State(Value, frozen=True, kw_only=True):
    """The two ledgers of a request: that of its cluster, and that of all clusters together."""

    cluster: Ledger = Ledger()
    organization: Ledger = Ledger()


class LimitDecision(Value, frozen=True, kw_only=True):
    """Whether the target may be disrupted.

    `reason` is empty, or `limit_namespace` or the like, or `storm_breaker`; `detail` names the limit. `scope` is what
    denied it or is held, as `namespace=shop`.
    `cut` are the other pods of the workload that were isolated a short time ago. `is_again`: so was this one.
    """

    reason: Reason | None = None
    detail: str = ""
    scope: str = ""
    cut: int = 0
    is_again: bool = False

    @property
    def allowed(self) -> bool:
        """Whether no limit denies it."""
        return self.reason is None
