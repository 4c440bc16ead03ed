"""The error budget of a policy in a place: what people said of its acts there, and whether it may act alone. Pure.

There is one document for each place and policy, known by its name; `spend.py` stores it. It is spent by one wrong act
that cannot be undone, or by wrong cuts of two workloads in two namespaces, among the last verdicts. Verdicts from
before it was last spent count no more: a person who raises the policy again begins anew.
"""

from __future__ import annotations

import hashlib
from typing import Literal

from msgspec.structs import replace

from scc_responder.domain.value import AwareDatetime, Value
from scc_responder.guard.limits.environments import cluster_environment
from scc_responder.policy.guardrails import Guardrails

ERROR_BUDGETS = "error_budget/"
ENVIRONMENTS = "environments/"
LAST_VERDICTS = 200


class BudgetPlace(Value, frozen=True, kw_only=True):
    """Where a budget counts: a cluster's path or `projects/P`, or `environments/NAME` with its patterns of clusters."""

    name: str
    clusters: tuple[str, ...] = ()


class Verdict(Value, frozen=True, kw_only=True):
    """What a person said of what a policy did in one case, by the case's id.

    `is_final`: it did something that cannot be undone. `workload` is what it cut off, empty where it cut off nothing;
    of Cloud Run, `namespace` is the service or job itself.
    """

    case: str
    is_wrong: bool
    at: AwareDatetime
    by: str
    is_final: bool = False
    workload: str = ""
    namespace: str = ""


class ErrorBudget(Value, frozen=True, kw_only=True):
    """The document: the last verdicts on a policy in a place (`BudgetPlace.name`), the latest last.

    `spent_at` is when it was spent last, None where it never was.
    """

    place: str
    policy: str
    schema: Literal[1] = 1
    verdicts: tuple[Verdict, ...] = ()
    spent_at: AwareDatetime | None = None


def budget_place(guardrails: Guardrails, place: str) -> BudgetPlace:
    """Where what was done in this cluster, or in `projects/P`, counts: in its environment, where it is in one."""
    environment = cluster_environment(guardrails, place)
    if not environment.name:
        return BudgetPlace(name=place)
    return BudgetPlace(name=f"{ENVIRONMENTS}{environment.name}", clusters=environment.clusters)


def budget_key(place: str, policy: str) -> str:
    """Where the document is."""
    return ERROR_BUDGETS + hashlib.sha256(f"{place} {policy}".encode()).hexdigest()[:32]


def with_verdict(budget: ErrorBudget, verdict: Verdict) -> ErrorBudget:
    """The document with one more verdict, in place of the case's earlier one; the same object if it says the same."""
    earlier = next((item for item in budget.verdicts if item.case == verdict.case), None)
    if earlier and replace(earlier, at=verdict.at, by=verdict.by) == verdict:
        return budget
    others = tuple(item for item in budget.verdicts if item.case != verdict.case)
    return replace(budget, verdicts=(*others, verdict)[-LAST_VERDICTS:])


def overspent(budget: ErrorBudget) -> str:
    """Why the policy may not act alone there any more; empty where it may."""
    since = budget.spent_at
    wrong = [item for item in budget.verdicts if item.is_wrong and (since is None or item.at > since)]
    final = [item.case for item in wrong if item.is_final]
    if final:
        return f"a wrong act that cannot be undone, in case {final[0]}"
    cut = [item for item in wrong if item.workload]
    if len({item.namespace for item in cut}) >= 2:
        return f"wrong cuts of two workloads in two namespaces, in cases {' and '.join(item.case for item in cut[:2])}"
    return ""
