"""Count what a policy would have done, by day and in total, in bounded memory. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

from scc_responder.domain.context import Context
from scc_responder.domain.value import Value
from scc_responder.policy.decide import ActionResult, PolicyDecision
from scc_responder.workbench.simulation.impact import AffectedObject, Effects, Numbers

COUNTED_KINDS = ("pods", "nodes", "workloads", "namespaces")
"""The kinds of objects that are counted apart."""


class Count(Value, frozen=True, kw_only=True):
    """What a policy came to in some time.

    `matched` findings; `acts` by action, `held` and `skipped` by `action: reason`; `touched` counts different pods,
    nodes, workloads and namespaces that the actions which act would have changed.
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


class Bits:
    """A set of small numbers, at a bit each."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> None:
        """Put a number in."""
        place = number >> 3
        if place >= len(self._bits):
            self._bits.extend(bytes(place + 1 - len(self._bits)))
        self._bits[place] |= 1 << (number & 7)

    def __len__(self) -> int:
        return int.from_bytes(self._bits, "little").bit_count()


class Touched:
    """The different things that were touched, by kind."""

    def __init__(self) -> None:
        self._found = {kind: Bits() for kind in COUNTED_KINDS}

    def add(self, kind: str, number: int | None) -> None:
        """Count one; beyond the bound it is not distinguished from others."""
        if number is not None:
            self._found[kind].add(number)

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        return {kind: len(bits) for kind, bits in self._found.items()}


_COUNTED = (ActionResult.PLANNED, ActionResult.HELD, ActionResult.SKIPPED)


class Counting:
    """Counters that can still grow."""

    def __init__(self) -> None:
        self.matched = 0
        self.results: dict[ActionResult, Counter[str]] = {result: Counter() for result in _COUNTED}
        self.touched = Touched()

    def count(self) -> Count:
        """What was counted."""
        acts, held, skipped = (dict(sorted(self.results[result].items())) for result in _COUNTED)
        return Count(matched=self.matched, acts=acts, held=held, skipped=skipped, touched=self.touched.counts())


class Tally:
    """What one policy came to, day by day. Days come in order, so that only one is open at a time."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._all, self._today = Counting(), Counting()
        self._day: date | None = None
        self._days: list[DayCount] = []

    def add(self, context: Context, policy: PolicyDecision, found: Effects) -> None:
        """Count one finding that the policy matches, and what it changes."""
        day = context.finding.event_time.date()
        if day != self._day:
            self._close()
            self._day = day
        touched = list(self._touched(context, found))
        for counting in (self._all, self._today):
            counting.matched += 1
            for item in policy.actions:
                name = item.action if item.result == ActionResult.PLANNED else f"{item.action}: {item.reason}"
                counting.results[item.result][name] += 1
            for kind, number in touched:
                counting.touched.add(kind, number)

    def total(self) -> Count:
        """Altogether."""
        return self._all.count()

    def days(self) -> tuple[DayCount, ...]:
        """Day by day."""
        self._close()
        return tuple(self._days)

    def _close(self) -> None:
        if self._day is not None and self._today.matched:
            self._days.append(DayCount(day=self._day, count=self._today.count()))
        self._today = Counting()

    def _touched(self, context: Context, found: Effects) -> Iterator[tuple[str, int | None]]:
        for target in {target for _, target in found}:
            if target.kind == "Node":
                yield "nodes", self._numbers.of(*target.words)
            if target.kind == "Pod":
                yield "pods", self._numbers.of(*target.words)
                yield "namespaces", self._numbers.of(target.cluster, target.namespace)
                yield from self._workload(context, target)

    def _workload(self, context: Context, pod: AffectedObject) -> Iterator[tuple[str, int | None]]:
        workload = context.pod.workload if context.pod else None
        if workload:
            yield "workloads", self._numbers.of(pod.cluster, pod.namespace, f"{workload.kind}/{workload.name}")
