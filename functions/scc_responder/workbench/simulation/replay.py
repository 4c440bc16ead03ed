"""Decide on recorded findings in the order of their event times, and count what would have been done. Pure.

Nothing is carried out, and nothing is kept but counters and a bounded number of targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, datetime, timedelta
from itertools import chain, islice

from msgspec.structs import replace

from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import capped
from scc_responder.domain.reasons import Reason
from scc_responder.intake.threats import in_scope
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import ContextFacts, context_of
from scc_responder.workbench.simulation.edits.policy_edits import policy_edits
from scc_responder.workbench.simulation.guardrail_edits import edits
from scc_responder.workbench.simulation.impact import BoundedSet, Difference, behind_limits, differences
from scc_responder.workbench.simulation.policy_simulation import Simulation
from scc_responder.workbench.simulation.recent_findings import RecentFindings, with_related
from scc_responder.workbench.simulation.replay_report import Bad, ComparedWith, Comparison, RaisedMode, ReplayReport

MAX_NAMED = 50
"""More bad findings than these are counted, not named."""

MAX_TARGETS_LISTED = 10_000
"""More targets, or changes of what is done to them, than these are counted, not listed."""


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
        """The results of all findings, and of what still waited after the last one."""
        self.now.settle()
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
            hidden=dict(sorted(self.now.limits.hidden.items())),
            policies=tuple(self.now.reports()),
            reached_count=sum(1 for _ in self.now.reached()),
            reached=tuple(islice(self.now.reached(), MAX_TARGETS_LISTED)),
            shots=self.now.shots.reports(),
            shot_count=self.now.shots.count,
            told=self.now.notices.report(),
        )

    def comparison(self, today: date) -> Comparison | None:
        """What the policies add to the former ones, and take away; None where there are none to compare with."""
        if self.former is None:
            return None
        for simulation in (self.now, self.former):
            simulation.settle()
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
            edits=policy_edits(self.former.policies, self.now.policies),
            compared_with=(
                ComparedWith.EQUAL if self.former.policies.digest == self.now.policies.digest else ComparedWith.OTHER
            ),
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
