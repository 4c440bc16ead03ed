"""Count what a policy would have done, by day and in total, in bounded memory. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from datetime import date, datetime

from scc_responder.domain.context import Context
from scc_responder.domain.value import Value
from scc_responder.policy.decide import ActionResult, PolicyDecision
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
        self.results: dict[ActionResult, Counter[str]] = {result: Counter() for result in _COUNTED}
        self.touched: dict[str, set[Hashable]] = {kind: set() for kind in COUNTED_KINDS}

    def take(self, other: Counting) -> None:
        """Count what another counted as well."""
        self.matched += other.matched
        for result, counter in other.results.items():
            self.results[result].update(counter)
        for kind, members in other.touched.items():
            self.touched[kind] |= members

    def count(self) -> Count:
        """What was counted."""
        acts, held, skipped = (dict(sorted(self.results[result].items())) for result in _COUNTED)
        touched = {kind: len(members) for kind, members in self.touched.items()}
        return Count(matched=self.matched, acts=acts, held=held, skipped=skipped, touched=touched)


Touched = tuple[tuple[str, Hashable], ...]
"""What is changed and what that belongs to, each with its kind of `COUNTED_KINDS`."""


class FoundOnce:
    """What the steps that one finding's policies plan change and touch: looked at once where they plan the same.

    A step that several policies share is one object (`policy.decide`), so objects are told apart, and not their values.
    """

    def __init__(self, context: Context, known: BoundedSet) -> None:
        self._context = context
        self._known = known
        self._found: dict[tuple[int, ...], tuple[Effects, Touched]] = {}

    def of(self, policy: PolicyDecision) -> tuple[Effects, Touched]:
        """What the policy changes, and what it touches, as far as there is room to tell it apart."""
        planned = tuple(id(item) for item in policy.actions if item.result == ActionResult.PLANNED)
        if planned not in self._found:
            found = effects(self._context, policy)
            self._found[planned] = found, touched(self._context, found, self._known)
        return self._found[planned]


class Tally:
    """What one policy came to, day by day. Days come in order, so that only one is open at a time."""

    def __init__(self) -> None:
        self._all, self._today = Counting(), Counting()
        self._day: date | None = None
        self._days: list[DayCount] = []

    def add(self, at: datetime, policy: PolicyDecision, touched: Touched, *, later: bool = False) -> None:
        """Count one finding that the policy matches, and what it touches; or what it comes to later."""
        day = at.date()
        if day != self._day:
            self._close()
            self._day = day
        self._today.matched += not later
        for item in policy.actions:
            name = item.action if item.result == ActionResult.PLANNED else f"{item.action}: {item.reason}"
            self._today.results[item.result][name] += 1
        for kind, member in touched:
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
        if self._day is not None and (self._today.matched or any(self._today.results.values())):
            self._days.append(DayCount(day=self._day, count=self._today.count()))
            self._all.take(self._today)
        self._today = Counting()


def touched(context: Context, found: Effects, known: BoundedSet) -> Touched:
    """What the effects touch, as far as there is room to tell it apart."""
    members = ((kind, known.add(member)) for kind, member in _touched(context, found))
    return tuple((kind, member) for kind, member in members if member is not None)


def _touched(context: Context, found: Effects) -> Iterator[tuple[str, Hashable]]:
    """What the effects change and what that belongs to, by kind."""
    for target in {target for _, target in found}:
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
