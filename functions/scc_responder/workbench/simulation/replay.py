"""Decide on recorded findings in the order of their event times, and count what would have been done. Pure.

Nothing is carried out, and nothing is kept but counters and a bounded number of targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice

from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.intake.threats import in_scope
from scc_responder.policy.decide import Decision, PolicyDecision, decide
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import ContextFacts, context_of
from scc_responder.workbench.simulation.counts import Count, DayCount, Tally
from scc_responder.workbench.simulation.guardrail_edits import Edit, edits
from scc_responder.workbench.simulation.held_steps import hold_denied
from scc_responder.workbench.simulation.impact import (
    AffectedObject,
    BoundedSet,
    Difference,
    Impact,
    behind_limits,
    differences,
    effects,
)
from scc_responder.workbench.simulation.recent_findings import RecentFindings, with_related
from scc_responder.workbench.simulation.replayed_limits import ReplayedLimits, Trip

MAX_NAMED = 50
"""More bad findings than these are counted, not named."""

MAX_TARGETS_LISTED = 10_000
"""More targets, or changes of what is done to them, than these are counted, not listed."""


class PolicyReport(Value, frozen=True, kw_only=True):
    """What one policy came to. `mode` is under the guardrails' ceiling."""

    name: str
    mode: Mode
    total: Count
    days: tuple[DayCount, ...]


class Reached(Value, frozen=True, kw_only=True):
    """One action on one target, with the furthest mode in which it would have come, and the policy."""

    target: AffectedObject
    action: str
    mode: Mode
    policy: str


class Bad(Value, frozen=True, kw_only=True):
    """What could not be read, and why."""

    where: str
    reason: str


class ReplayReport(Value, frozen=True, kw_only=True):
    """The results of all findings. `left_alone` and `bad` count by reason; `complete`: every target was told apart.

    `reached` lists the first of `reached_count`, `trips` the first of the `tripped` storm breakers.
    """

    findings: int
    matched: int
    duplicates: int
    left_alone: dict[str, int]
    bad: dict[str, int]
    bad_named: tuple[Bad, ...]
    first: datetime | None
    last: datetime | None
    complete: bool
    tripped: int
    trips: tuple[Trip, ...]
    policies: tuple[PolicyReport, ...]
    reached_count: int
    reached: tuple[Reached, ...]


class RaisedMode(Value, frozen=True, kw_only=True):
    """A policy that goes further than it did, whether or not a finding met it."""

    policy: str
    before: Mode
    after: Mode


class Comparison(Value, frozen=True, kw_only=True):
    """What a change of policies adds and takes away. Where there were too many targets, it is taken to widen.

    `counts` are by kind (`added`, `removed`, `raised`, `lowered`, and each `_behind_limits`); `differences` lists the
    first of them. What limits keep from showing counts like what they do not: they are no reason to overlook it.
    `guardrails` are the edits of that file, whether or not a finding met them.
    """

    counts: dict[str, int]
    differences: tuple[Difference, ...]
    raised: tuple[RaisedMode, ...]
    guardrails: tuple[Edit, ...]
    complete: bool

    @property
    def widens(self) -> bool:
        """Whether it reaches a new target, does something new to one, goes further, or is held by less than it was."""
        loosened = any(edit.widens for edit in self.guardrails)
        return not self.complete or loosened or bool(self.raised or self.counts.keys() & _WIDENING)


_WIDENING = frozenset({"added", "raised", "added_behind_limits", "raised_behind_limits"})


class Simulation:
    """One set of policies, and what it came to. Findings come in the order of their event times.

    `reach` is what the limits let through, `whole` what there would be without limits, kept to compare with.
    """

    def __init__(
        self, policies: PolicySet, known: BoundedSet, reset_after: timedelta | None = None, *, compared: bool = False
    ) -> None:
        self.policies = policies
        self.limits = ReplayedLimits(policies.guardrails, reset_after)
        self._tallies = {policy.name: Tally(known) for policy in policies.policies}
        self.reach = Impact(known)
        self.whole = Impact(known) if compared else None
        self.matched = 0

    def add(self, context: Context) -> None:
        """Decide on one finding at its event time, and count it."""
        now = context.finding.event_time
        decided = decide(context, self.policies.policies).policies
        matched = Decision(policies=tuple(policy for policy in decided if policy.matched))
        guarded = guard(context, matched, self.policies.guardrails, now, reach=EVERYWHERE_IN_RUN, cut=self.limits.cut)
        allowed = _matched(self.limits.limited(context, guarded, now))
        self.matched += bool(allowed)
        for policy in allowed:
            found = effects(context, policy)
            self._tallies[policy.name].add(context, policy, found)
            self.reach.add(policy, found)
        if self.whole is not None:
            for policy in _matched(hold_denied(guarded)):
                self.whole.add(policy, effects(context, policy))

    def modes(self) -> dict[str, Mode]:
        """How far each policy may go."""
        ceiling = self.policies.guardrails.max_mode
        return {policy.name: capped(policy.mode, ceiling) for policy in self.policies.policies}

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


class Replay:
    """Recorded findings under one set of policies, and where `former` is given under that one as well."""

    def __init__(
        self,
        policies: PolicySet,
        former: PolicySet | None = None,
        reset_after: timedelta | None = None,
        sources: Collection[str] | None = None,
    ) -> None:
        """`reset_after` a breaker tripped a person resets it; None: nobody does.

        `sources`: numeric ids of the sources whose findings are believed; None: every source.
        """
        self._known = BoundedSet()
        self.now = Simulation(policies, self._known, reset_after, compared=former is not None)
        self.former = Simulation(former, self._known, reset_after, compared=True) if former else None
        self._sources = sources
        self._recent = RecentFindings(sources)
        self._findings = self._duplicates = 0
        self._left_alone: Counter[str] = Counter()
        self._bad: Counter[str] = Counter()
        self._named: list[Bad] = []
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._seen: set[str] = set()

    def bad(self, where: str, reason: str) -> None:
        """Count what is no finding, and name it."""
        self._bad[reason] += 1
        if len(self._named) < MAX_NAMED:
            self._named.append(Bad(where=where, reason=reason))

    def add(self, finding: Finding, facts: ContextFacts) -> None:
        """Take the next finding."""
        finding = as_it_was(finding)
        self._findings += 1
        related = self._recent.add(finding)
        beyond = self._left_out(finding)
        if beyond:
            self._left_alone[beyond] += 1
            return
        if self._is_duplicate(finding):
            self._duplicates += 1
            return
        context = context_of(finding, with_related(facts, related))
        for simulation in filter(None, (self.now, self.former)):
            simulation.add(context)

    def report(self) -> ReplayReport:
        """The results of all findings."""
        return ReplayReport(
            findings=self._findings,
            matched=self.now.matched,
            duplicates=self._duplicates,
            left_alone=dict(sorted(self._left_alone.items())),
            bad=dict(sorted(self._bad.items())),
            bad_named=tuple(self._named),
            first=self._first,
            last=self._last,
            complete=not self._known.full,
            tripped=self.now.limits.tripped,
            trips=tuple(self.now.limits.trips),
            policies=tuple(self.now.reports()),
            reached_count=sum(1 for _ in self.now.reached()),
            reached=tuple(islice(self.now.reached(), MAX_TARGETS_LISTED)),
        )

    def comparison(self, today: date) -> Comparison | None:
        """What the policies add to the former ones, and take away; None where there are none to compare with."""
        if self.former is None:
            return None
        before, after = self.former.modes(), self.now.modes()
        raised = (
            RaisedMode(policy=name, before=before[name], after=mode)
            for name, mode in after.items()
            if name in before and capped(mode, before[name]) != mode
        )
        return Comparison(
            counts=dict(Counter(item.counted_as for item in _differences(self.now, self.former))),
            differences=tuple(islice(_differences(self.now, self.former), MAX_TARGETS_LISTED)),
            raised=tuple(raised),
            guardrails=edits(self.former.policies.guardrails, self.now.policies.guardrails, today),
            complete=not self._known.full,
        )

    def _left_out(self, finding: Finding) -> Reason | None:
        """Why nothing is decided about the finding, or None."""
        if self._sources is not None and finding.source_id not in self._sources:
            return Reason.SOURCE_NOT_ALLOWED
        return in_scope(finding)

    def _is_duplicate(self, finding: Finding) -> bool:
        """Whether it came at the same moment already. They come in order: only one moment is kept."""
        if finding.event_time != self._last:
            self._seen.clear()
        self._first = self._first or finding.event_time
        self._last = finding.event_time
        known = finding.key in self._seen
        self._seen.add(finding.key)
        return known


def _differences(now: Simulation, former: Simulation) -> Iterator[Difference]:
    """What differs with limits, then what they keep from showing."""
    shown = differences(now.reach, former.reach)
    if now.whole is None or former.whole is None:
        return shown
    return chain(shown, behind_limits((now.reach, former.reach), (now.whole, former.whole)))


def as_it_was(finding: Finding) -> Finding:
    """The finding as it was when it happened. A list says how it is now: resolved since, it was active then."""
    listed = finding.shape.endswith(("_list_item", "_bare", "_console"))
    return replace(finding, state="ACTIVE") if listed and finding.state == "INACTIVE" else finding
