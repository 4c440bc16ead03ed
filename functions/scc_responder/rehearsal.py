"""What the limits and storm breakers would have held of recorded findings, on ledgers in memory. Pure.

Findings come in the order of time, and each decision is gone through as `execute` would. Modes do not matter: what a
policy in dry run would disrupt is counted as if it did.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.action import actions
from scc_responder.context import Context
from scc_responder.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.disruption import request
from scc_responder.guardrails import Guardrails
from scc_responder.ledger import Ledger, Request, State, judge, reset
from scc_responder.order import foreseen
from scc_responder.value import Value

MOST_TRIPS = 50
"""More breakers that trip than these are counted, not named."""


class Trip(Value, frozen=True, kw_only=True):
    """A storm breaker that would have tripped, and why."""

    cluster: str
    at: datetime
    detail: str


class Rehearsal:
    """The limits of one set of guardrails. A person resets a breaker `reset_after` it tripped; None: nobody does."""

    def __init__(self, guardrails: Guardrails, reset_after: timedelta | None = None) -> None:
        self._guardrails = guardrails
        self._reset_after = reset_after
        self._clusters: defaultdict[str, Ledger] = defaultdict(Ledger)
        self._organization = Ledger()
        self.trips: list[Trip] = []
        self.tripped = 0

    def limited(self, context: Context, decision: Decision, now: datetime) -> Decision:
        """The decision with what the limits deny held, and what needs it."""
        cluster = context.finding.cluster.path if context.finding.cluster else ""
        if not cluster:
            return foreseen(decision)
        self._reset(cluster, now)
        is_tripped = self._clusters[cluster].breaker is not None
        done: set[tuple[str, str]] = set()

        def denied(policy: PolicyDecision, planned: PlannedAction) -> str:
            action = actions()[planned.action]
            # What another policy did to the target already is not asked for again.
            same = planned.action, planned.variant if action.reversible else ""
            if action.observes or same in done:
                return ""
            if is_tripped:
                return "storm_breaker"
            asked = request(context, action, planned.action)
            reason = self._judged(cluster, replace(asked, **_own(policy)), now) if asked else ""
            if not reason:
                done.add(same)
            return reason

        return foreseen(decision, denied)

    def _judged(self, cluster: str, asked: Request, now: datetime) -> str:
        before = State(cluster=self._clusters[cluster], organization=self._organization)
        after, answer = judge(before, asked, self._guardrails, now)
        self._clusters[cluster], self._organization = after.cluster, after.organization
        tripped = after.cluster.breaker
        if tripped and not before.cluster.breaker:
            self.tripped += 1
            if len(self.trips) < MOST_TRIPS:
                self.trips.append(Trip(cluster=cluster, at=now, detail=tripped.detail))
        return answer.reason

    def _reset(self, cluster: str, now: datetime) -> None:
        breaker = self._clusters[cluster].breaker
        if breaker and self._reset_after is not None and now - breaker.tripped_at >= self._reset_after:
            self._clusters[cluster] = reset(self._clusters[cluster], "simulate", "as asked", now)


def _own(policy: PolicyDecision) -> dict[str, object]:
    return {"policy": policy.name, "policy_limits": policy.limits}
