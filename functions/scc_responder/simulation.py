"""Decide on recorded findings, in the order in which they happened, and count what would have been done. Pure.

Nothing is carried out, and nothing is kept but counters and a bounded number of targets.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import islice

from msgspec.structs import replace

from scc_responder.context import Context, RelatedFinding
from scc_responder.decide import Decision, decide
from scc_responder.explanation import Facts, context_of
from scc_responder.finding import Finding
from scc_responder.guard import guard
from scc_responder.mode import Mode, furthest
from scc_responder.policy import PolicySet
from scc_responder.reach import Difference, Numbers, Reach, Target, differences, effects
from scc_responder.tally import Count, DayCount, Tally
from scc_responder.threats import in_scope
from scc_responder.value import Value

MAX_NAMED = 50
"""More bad findings than these are counted, not named."""

MOST_LISTED = 10_000
"""More targets, or changes of what is done to them, than these are counted, not listed."""

NEAR = timedelta(hours=1)
_MOST_NEAR = 20_000

Limit = Callable[[Context, Decision, datetime], Decision]
"""The decision with what the limits deny held: called once for each finding, in the order of their event times."""


def unlimited(_context: Context, decision: Decision, _now: datetime) -> Decision:
    """Where no limits are simulated."""
    return decision


class PolicyReport(Value, frozen=True, kw_only=True):
    """What one policy came to. `mode` is under the guardrails' ceiling."""

    name: str
    mode: Mode
    total: Count
    days: tuple[DayCount, ...]


class Reached(Value, frozen=True, kw_only=True):
    """One action on one target, with the furthest mode in which it would have come, and the policy."""

    target: Target
    action: str
    mode: Mode
    policy: str


class Bad(Value, frozen=True, kw_only=True):
    """What could not be read, and why."""

    where: str
    reason: str


class Report(Value, frozen=True, kw_only=True):
    """What became of all findings. `left_alone` and `bad` count by reason; `complete`: every target was told apart.

    `reached` lists the first of `reached_count`.
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

    `counts` are by kind (`added`, `removed`, `raised`, `lowered`); `differences` lists the first of them.
    """

    counts: dict[str, int]
    differences: tuple[Difference, ...]
    raised: tuple[RaisedMode, ...]
    complete: bool

    @property
    def widens(self) -> bool:
        """Whether it reaches a new target, does something new to one, or goes further than it did."""
        return not self.complete or bool(self.raised or self.counts.keys() & {"added", "raised"})


class Recent:
    """The findings of the last hour, by what they are about: what would have been found beside one."""

    def __init__(self) -> None:
        self._order: deque[tuple[datetime, object, RelatedFinding]] = deque()
        self._by_place: dict[object, list[RelatedFinding]] = {}

    def near(self, finding: Finding) -> tuple[RelatedFinding, ...]:
        """The others on the same pod or resource, and remember this one. Findings come in order."""
        while self._order and (finding.event_time - self._order[0][0] > NEAR or len(self._order) >= _MOST_NEAR):
            _, place, oldest = self._order.popleft()
            kept = [item for item in self._by_place[place] if item is not oldest]
            self._by_place[place] = kept
            if not kept:
                del self._by_place[place]
        place = (finding.cluster, finding.pods) if finding.pods else finding.resource_name
        others = self._by_place.setdefault(place, [])
        found = tuple(others)
        itself = RelatedFinding(
            name=finding.name, category=finding.category, event_time=finding.event_time, severity=finding.severity
        )
        others.append(itself)
        self._order.append((finding.event_time, place, itself))
        return found


class Simulation:
    """One set of policies, and what it came to. Findings come in the order of their event times."""

    def __init__(self, policies: PolicySet, numbers: Numbers, limit: Limit = unlimited) -> None:
        self.policies = policies
        self._limit = limit
        self._tallies = {policy.name: Tally(numbers) for policy in policies.policies}
        self.reach = Reach(numbers)
        self.matched = 0

    def add(self, context: Context) -> None:
        """Decide on one finding at its event time, and count it."""
        now = context.finding.event_time
        decided = decide(context, self.policies.policies).policies
        matched = Decision(policies=tuple(policy for policy in decided if policy.matched))
        guarded = guard(context, matched, self.policies.guardrails, now)
        limited = [policy for policy in self._limit(context, guarded, now).policies if policy.matched]
        self.matched += bool(limited)
        for policy in limited:
            found = effects(context, policy)
            self._tallies[policy.name].add(context, policy, found)
            self.reach.add(policy, found)

    def modes(self) -> dict[str, Mode]:
        """How far each policy may go."""
        ceiling = self.policies.guardrails.max_mode
        return {policy.name: furthest(policy.mode, ceiling) for policy in self.policies.policies}

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


class Replay:
    """Recorded findings under one set of policies, and where `former` is given under that one as well."""

    def __init__(
        self, policies: PolicySet, former: PolicySet | None = None, limit: Callable[[], Limit] | None = None
    ) -> None:
        """`limit` makes the limits of one set, with a count of its own."""
        make = limit or (lambda: unlimited)
        self._numbers = Numbers()
        self.now = Simulation(policies, self._numbers, make())
        self.former = Simulation(former, self._numbers, make()) if former else None
        self._recent = Recent()
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

    def add(self, finding: Finding, facts: Facts) -> None:
        """Take the next finding."""
        finding = as_it_was(finding)
        self._findings += 1
        beyond = in_scope(finding)
        if beyond:
            self._left_alone[beyond] += 1
            return
        if self._is_duplicate(finding):
            self._duplicates += 1
            return
        context = context_of(finding, _in_company(facts, self._recent.near(finding)))
        for simulation in filter(None, (self.now, self.former)):
            simulation.add(context)

    def report(self) -> Report:
        """What became of all findings."""
        return Report(
            findings=self._findings,
            matched=self.now.matched,
            duplicates=self._duplicates,
            left_alone=dict(sorted(self._left_alone.items())),
            bad=dict(sorted(self._bad.items())),
            bad_named=tuple(self._named),
            first=self._first,
            last=self._last,
            complete=not self._numbers.full,
            policies=tuple(self.now.reports()),
            reached_count=sum(1 for _ in self.now.reached()),
            reached=tuple(islice(self.now.reached(), MOST_LISTED)),
        )

    def comparison(self) -> Comparison | None:
        """What the policies add to the former ones, and take away; None where there are none to compare with."""
        if self.former is None:
            return None
        before, after = self.former.modes(), self.now.modes()
        raised = (
            RaisedMode(policy=name, before=before[name], after=mode)
            for name, mode in after.items()
            if name in before and furthest(mode, before[name]) != mode
        )
        return Comparison(
            counts=dict(Counter(item.kind for item in differences(self.now.reach, self.former.reach))),
            differences=tuple(islice(differences(self.now.reach, self.former.reach), MOST_LISTED)),
            raised=tuple(raised),
            complete=not self._numbers.full,
        )

    def _is_duplicate(self, finding: Finding) -> bool:
        """Whether it came at the same moment already. They come in order: only one moment is kept."""
        if finding.event_time != self._last:
            self._seen.clear()
        self._first = self._first or finding.event_time
        self._last = finding.event_time
        known = finding.key in self._seen
        self._seen.add(finding.key)
        return known


def _in_company(facts: Facts, near: tuple[RelatedFinding, ...]) -> Facts:
    """The facts, with what else was found near by where nobody has looked for it."""
    if facts.related is not None:
        return facts
    missing = {name: reason for name, reason in facts.missing.items() if name != "related"}
    return replace(facts, related=near, missing=missing)


def as_it_was(finding: Finding) -> Finding:
    """The finding as it was when it happened. A list says how it is now: resolved since, it was active then."""
    listed = finding.shape.endswith(("_list_item", "_bare", "_console"))
    return replace(finding, state="ACTIVE") if listed and finding.state == "INACTIVE" else finding
