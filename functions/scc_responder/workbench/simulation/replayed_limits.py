"""What the limits and storm breakers would have held of recorded findings, on ledgers in memory. Pure.

Findings come in the order of time, and each decision is gone through as `execute` would. Modes do not matter: what a
policy in dry run would disrupt is counted as if it did.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime, timedelta

from msgspec.structs import replace

from scc_responder.actions import Action, actions
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.guard.disruption import disruption_request
from scc_responder.guard.ledger import admit, cut_of
from scc_responder.guard.limits.breaker_reset import reset
from scc_responder.guard.limits.ledger_document import Budget, DisruptionRequest, Ledger, State
from scc_responder.guard.limits.storm import held_by
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import Guardrails
from scc_responder.workbench.foretold import shot_request, waits_first
from scc_responder.workbench.simulation.held_steps import hold_denied
from scc_responder.workbench.simulation.replayed_first_shots import ReplayedFirstShots

MOST_TRIPS = 50
"""More breakers that trip than these are counted, not named."""

BESIDE = timedelta(hours=1)
"""After how long a person resets a breaker, in what is shown beside what nobody resets."""

DoneSteps = set[tuple[str, str]]
"""What was done about one finding, by action and what the policy asks for."""


class Trip(Value, frozen=True, kw_only=True):
    """A storm breaker that would have tripped, what it holds (`scope`, `budget`), and why."""

    cluster: str
    at: datetime
    detail: str
    scope: str = ""
    budget: Budget | None = None


class ReplayedLimits:
    """The limits of one set of guardrails. A person resets a breaker `reset_after` it tripped; None: nobody does."""

    def __init__(
        self, guardrails: Guardrails, reset_after: timedelta | None = None, shots: ReplayedFirstShots | None = None
    ) -> None:
        self._guardrails = guardrails
        self._reset_after = reset_after
        self._shots = shots
        self._clusters: defaultdict[str, Ledger] = defaultdict(Ledger)
        self._organization = Ledger()
        self._beside: ReplayedLimits | None = None
        self.trips: list[Trip] = []
        self.tripped = 0
        self.hidden: Counter[str] = Counter()
        """What tripped breakers alone denied, by budget: it would be done if a person reset them after `BESIDE`."""

    def limited(self, context: Context, decision: Decision, now: datetime, done: DoneSteps | None = None) -> Decision:
        """The decision with what waits or the limits deny held, and what needs it.

        `done` is what was done about the finding before; what is done now is added to it.
        """
        cluster = context.finding.place
        if not cluster:
            return hold_denied(decision)
        self._reset_late(cluster, now)
        asking = Asking(self, cluster, context, now, set() if done is None else done)
        return hold_denied(decision, asking.denied, is_limited)

    def cut(self, context: Context) -> int:
        """The other pods of the context's workload that were isolated a short time ago."""
        asked = disruption_request(context, actions()["isolate_pod"], "")
        return cut_of(self._clusters[context.finding.place], asked) if asked else 0

    def waits(self, policy: str, place: str, asked: DisruptionRequest, now: datetime) -> Reason | None:
        """Why an act has to wait that a policy has not taken there yet; None where a breaker holds it anyway."""
        if self._shots is None or held_by(self._clusters[place], asked):
            return None
        return self._shots.ask(policy, place, asked, now)

    @property
    def warm_up(self) -> bool:
        """Whether first acts wait at all."""
        return self._shots is not None and self._shots.are_on

    def judged(self, cluster: str, asked: DisruptionRequest, now: datetime) -> Reason | None:
        """Why the target may not be disrupted; None where it may, then it counts."""
        before = State(cluster=self._clusters[cluster], organization=self._organization)
        after, answer = admit(before, asked, self._guardrails, now)
        if self._beside:
            self._reset_beside(self._beside, cluster, asked, answer.reason, now)
        elif self._reset_after is None and len(after.cluster.breakers) > len(before.cluster.breakers):
            self._beside = self._copied(after, cluster)
        self._clusters[cluster], self._organization = after.cluster, after.organization
        for tripped in after.cluster.breakers[len(before.cluster.breakers) :]:
            self.tripped += 1
            if len(self.trips) < MOST_TRIPS:
                told = Trip(cluster=cluster, at=now, detail=tripped.detail, scope=tripped.scope, budget=tripped.budget)
                self.trips.append(told)
        return answer.reason

    def _copied(self, after: State, cluster: str) -> ReplayedLimits:
        """The same limits from now on, with somebody who resets."""
        beside = ReplayedLimits(self._guardrails, BESIDE)
        beside._clusters = self._clusters.copy()
        beside._clusters[cluster], beside._organization = after.cluster, after.organization
        return beside

    def _reset_beside(
        self, beside: ReplayedLimits, cluster: str, asked: DisruptionRequest, reason: Reason | None, now: datetime
    ) -> None:
        """Ask the limits that somebody resets the same, and count what only a tripped breaker denies here."""
        beside._reset_late(cluster, now)
        if beside.judged(cluster, asked, now) is None and reason == Reason.STORM_BREAKER:
            self.hidden[asked.budget] += 1

    def _reset_late(self, cluster: str, now: datetime) -> None:
        """Close the breakers of the cluster that somebody is supposed to have reset since."""
        ledger = self._clusters[cluster]
        for breaker in ledger.breakers:
            if self._reset_after is not None and now - breaker.tripped_at >= self._reset_after:
                ledger = reset(ledger, "simulate", "--reset-after", now, breaker.scope)
        self._clusters[cluster] = ledger


def is_limited(planned: PlannedAction) -> bool:
    """Whether limits and warm-ups are about such a step at all."""
    return bool(actions()[planned.action].disrupts)


class Asking:
    """What one finding asks the limits: for each target once, whatever is done to it and by how many policies."""

    def __init__(self, limits: ReplayedLimits, cluster: str, context: Context, now: datetime, done: DoneSteps) -> None:
        self._limits = limits
        self._cluster = cluster
        self._context = context
        self._now = now
        self._done = done
        self._actions = actions()
        self._requests: dict[str, DisruptionRequest | None] = {}
        self._shots: dict[str, DisruptionRequest | None] = {}
        self._answers: dict[tuple[str, Budget], Reason | None] = {}

    def denied(self, policy: PolicyDecision, planned: PlannedAction) -> Reason | None:
        """Why the policy may not take the step; None where it may."""
        action = self._actions[planned.action]
        # What another policy did to the target already is not asked for again.
        same = planned.action, planned.variant if action.reversible else ""
        if not action.disrupts or same in self._done:
            return None
        if self._limits.warm_up and waits_first(policy, action) and (waits := self._waits(policy.name, action)):
            return waits
        if planned.action not in self._requests:
            self._requests[planned.action] = disruption_request(self._context, action, planned.action)
        asked = self._requests[planned.action]
        reason = self._answer(policy, asked) if asked else None
        if not reason:
            self._done.add(same)
        return reason

    def _waits(self, policy: str, action: Action) -> Reason | None:
        if action.name not in self._shots:
            self._shots[action.name] = shot_request(self._context, action)
        asked = self._shots[action.name]
        return self._limits.waits(policy, self._cluster, asked, self._now) if asked else None

    def _answer(self, policy: PolicyDecision, asked: DisruptionRequest) -> Reason | None:
        """The same for all policies but those that have limits of their own."""
        if policy.limits:
            asked = replace(asked, policy=policy.name, policy_limits=policy.limits)
            reason = self._limits.judged(self._cluster, asked, self._now)
            if reason == Reason.STORM_BREAKER:
                self._answers.clear()
            return reason
        key = asked.target, asked.budget
        if key not in self._answers:
            self._answers[key] = self._limits.judged(self._cluster, asked, self._now)
        return self._answers[key]
