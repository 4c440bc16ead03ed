"""One set of policies, applied to one finding after another: what the limits and the warm-up let through. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode, capped
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import Decision, PolicyDecision
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.simulation.counts import FoundOnce, Tally
from scc_responder.workbench.simulation.held_steps import (
    alone,
    hold_denied,
    planned_anew,
    still_waiting,
    without_waiting,
)
from scc_responder.workbench.simulation.impact import BoundedSet, Impact, effects
from scc_responder.workbench.simulation.policy_index import PolicyIndex
from scc_responder.workbench.simulation.replay_report import PolicyReport, Reached
from scc_responder.workbench.simulation.replayed_first_shots import ReplayedFirstShots, WaitingFinding
from scc_responder.workbench.simulation.replayed_limits import DoneSteps, ReplayedLimits
from scc_responder.workbench.simulation.replayed_notices import ReplayedNotices


class Simulation:
    """One set of policies, and what it came to. Findings come in the order of their event times.

    `reach` is what the limits let through, `whole` what there would be without limits, kept to compare with.
    """

    def __init__(
        self, policies: PolicySet, known: BoundedSet, reset_after: timedelta | None = None, *, compared: bool = False
    ) -> None:
        self.policies = policies
        self._index = PolicyIndex(policies.policies)
        self._known = known
        self.shots = ReplayedFirstShots(policies)
        self.limits = ReplayedLimits(policies.guardrails, reset_after, self.shots)
        self.notices = ReplayedNotices()
        self._tallies = {policy.name: Tally() for policy in policies.policies}
        self.reach = Impact(known)
        self.whole = Impact(known) if compared else None
        self.matched = 0

    def add(self, context: Context) -> None:
        """Decide on one finding at its event time, and count it. What waited until then is settled before."""
        now = context.finding.event_time
        self.settle(now)
        matched = self._index.matched(context)
        guarded = guard(context, matched, self.policies.guardrails, now, reach=EVERYWHERE_IN_RUN, cut=self.limits.cut)
        done: DoneSteps = set()
        limited = self.limits.limited(context, guarded, now, done)
        waiting = still_waiting(guarded, limited)
        allowed = _matched(without_waiting(limited, waiting))
        self.matched += bool(allowed)
        once = FoundOnce(context, self._known)
        for policy in allowed:
            self._count(once, policy, now)
        self.notices.add(context, allowed, now)
        if waiting:
            self.shots.wait(WaitingFinding(context=context, decision=limited, waiting=waiting, done=done))
        if self.whole is not None:
            for policy in _matched(hold_denied(guarded)):
                self.whole.add(policy, effects(context, policy))

    def settle(self, until: datetime | None = None) -> None:
        """Do what waited for the end of a warm-up up to then, or do none of it; None: all that still waits."""
        for shot in self.shots.due(until):
            for found in shot.findings:
                anew = planned_anew(found.decision, shot.policy, found.waiting)
                limited = self.limits.limited(found.context, anew, shot.due, found.done)
                settled = alone(limited, shot.policy, found.waiting).policies
                once = FoundOnce(found.context, self._known)
                for policy in settled:
                    self._count(once, policy, shot.due, later=True)
                    shot.came_to(policy)
                self.notices.add(found.context, settled, shot.due, found.decision.policies)
            shot.findings.clear()

    def _count(self, once: FoundOnce, policy: PolicyDecision, at: datetime, *, later: bool = False) -> None:
        found = once.of(policy)
        self._tallies[policy.name].add(at, found, later=later)
        if once.is_news(policy):
            self.reach.add(policy, found.effects)

    def modes(self) -> dict[str, Mode]:
        """How far each policy may go."""
        ceiling = self.policies.guardrails.max_mode
        return {policy.name: capped(policy.furthest, ceiling) for policy in self.policies.policies}

    def reports(self) -> Iterator[PolicyReport]:
        """What each policy came to, in their order."""
        for name, mode in self.modes().items():
            tally = self._tallies[name]
            yield PolicyReport(name=name, mode=mode, total=tally.total(), days=tally.days())

    def reached(self) -> Iterator[Reached]:
        """Every action on every target."""
        for target, action, mode, policy in self.reach.entries():
            if mode:
                yield Reached(target=target, action=action, mode=mode, policy=policy)


def _matched(decision: Decision) -> list[PolicyDecision]:
    return [policy for policy in decision.policies if policy.matched]
