"""Count what a policy would have done, by day and in total, in bounded memory. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision
from scc_responder.workbench.simulation.impact import BoundedSet, Effects, effects

COUNTED_KINDS = ("pods", "nodes", "workloads", "namespaces", "services")
"""The kinds of objects that are counted apart."""


_OF_CLOUD_RUN = frozenset({"Service", "Revision", "Job", "Execution"})
_OWNER_PARTS = 6
"""Of the path of a revision or an execution, those that name its service or job."""


class Count(Value, frozen=True, kw_only=True):
    """What a policy came to in some time.

    `matched` findings; `acts` by action, `held` and `skipped` by `action: reason`; `touched` counts different pods,
    nodes, workloads and namespaces, and services and jobs of Cloud Run, that the actions which act would have changed.
    """

    matched: int
    acts: dict[str, int]
    held: dict[str, int]
    skipped: dict[str, int]
    touched: dict[str, int]


class DayCount(Value, frozen=True, kw_only=True):
    """A policy's count on one day, in UTC."""

    day: date
    count: Count


_COUNTED = (ActionResult.PLANNED, ActionResult.HELD, ActionResult.SKIPPED)


class Counting:
    """Counters that can still grow."""

    def __init__(self) -> None:
        self.matched = 0
        self.came: Counter[Came] = Counter()
        self.touched: dict[str, set[int]] = {kind: set() for kind in COUNTED_KINDS}

    def take(self, other: Counting) -> None:
        """Count what another counted as well."""
        self.matched += other.matched
        self.came.update(other.came)
        for kind, members in other.touched.items():
            self.touched[kind] |= members

    def count(self) -> Count:
        """What was counted."""
        results: dict[ActionResult, Counter[str]] = {result: Counter() for result in _COUNTED}
        for came, number in self.came.items():
            for result, name in came:
                results[result][name] += number
        acts, held, skipped = (dict(sorted(results[result].items())) for result in _COUNTED)
        touched = {kind: len(members) for kind, members in self.touched.items()}
        return Count(matched=self.matched, acts=acts, held=held, skipped=skipped, touched=touched)


Came = tuple[tuple[ActionResult, str], ...]
"""What the steps of a policy come to: the action, with the reason where it is held or skipped."""

Touched = tuple[tuple[str, int], ...]
"""What is changed and what that belongs to, by number, each with its kind of `COUNTED_KINDS`."""


class SeenSteps(NamedTuple):
    """What a policy comes to about one finding: its effects, what they touch, and each step's result."""

    effects: Effects
    touched: Touched
    came: Came


class FoundOnce:
    """What the steps that one finding's policies plan come to: looked at once where they plan the same.

    Steps that several policies share are one object (`policy.decide`), so objects are told apart, and not their values.
    """

    def __init__(self, context: Context, known: BoundedSet) -> None:
        self._context = context
        self._known = known
        # With what a number stands for: it means another object as soon as this one is gone.
        self._found: dict[int, tuple[tuple[PlannedAction, ...], SeenSteps]] = {}
        self._modes: set[tuple[int, Mode]] = set()

    def of(self, policy: PolicyDecision) -> SeenSteps:
        """What the policy changes, and what it touches, as far as there is room to tell it apart."""
        known = self._found.get(id(policy.actions))
        if known is None:
            found = effects(self._context, policy)
            seen = SeenSteps(found, touched(self._context, found, self._known), came_to(policy))
            known = self._found[id(policy.actions)] = policy.actions, seen
        return known[1]

    def is_news(self, policy: PolicyDecision) -> bool:
        """Whether no policy before planned the same in the same mode."""
        key = id(policy.actions), policy.mode
        is_news = key not in self._modes
        self._modes.add(key)
        return is_news


def came_to(policy: PolicyDecision) -> Came:
    """What each step of the policy comes to."""
    return tuple(
        (item.result, item.action if item.result == ActionResult.PLANNED else f"{item.action}: {item.reason}")
        for item in policy.actions
    )


class Tally:
    """What one policy came to, day by day. Days come in order, so that only one is open at a time."""

    def __init__(self) -> None:
        self._all, self._today = Counting(), Counting()
        self._day: date | None = None
        self._days: list[DayCount] = []

    def add(self, at: datetime, found: SeenSteps, *, later: bool = False) -> None:
        """Count one finding that the policy matches, and what it touches; or what it comes to later."""
        day = at.date()
        if day != self._day:
            self._close()
            self._day = day
        self._today.matched += not later
        self._today.came[found.came] += 1
        for kind, member in found.touched:
            self._today.touched[kind].add(member)

    def total(self) -> Count:
        """Altogether."""
        self._close()
        return self._all.count()

    def days(self) -> tuple[DayCount, ...]:
        """Day by day."""
        self._close()
        return tuple(self._days)

    def _close(self) -> None:
        if self._day is not None and (self._today.matched or any(self._today.came)):
            self._days.append(DayCount(day=self._day, count=self._today.count()))
            self._all.take(self._today)
        self._today = Counting()


def touched(context: Context, found: Effects, known: BoundedSet) -> Touched:
    """What the effects touch, as far as there is room to tell it apart."""
    members = ((kind, known.add(member)) for kind, member in _touched(context, found))
    return tuple((kind, member) for kind, member in members if member is not None)


def _touched(context: Context, found: Effects) -> Iterator[tuple[str, Hashable]]:
    """What the effects change and what that belongs to, by kind."""
    for target in dict.fromkeys(target for _, target in found):
        if target.kind in _OF_CLOUD_RUN:
            yield "services", ("Cloud Run", *target.name.split("/")[:_OWNER_PARTS])
        if target.kind == "Node":
            yield "nodes", target
        if target.kind == "Pod":
            yield "pods", target
            yield "namespaces", (target.cluster, target.namespace)
            workload = context.pod.workload if context.pod else None
            if workload:
                yield "workloads", (target.cluster, target.namespace, workload.kind, workload.name)
