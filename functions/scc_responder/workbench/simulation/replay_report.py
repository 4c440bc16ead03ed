"""What a simulation came to, as values. Pure: `replay.py` makes them, `cli/simulate` prints them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.workbench.simulation.counts import Count, DayCount
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.edits.policy_edits import PolicyEdit
from scc_responder.workbench.simulation.impact import AffectedObject, Difference
from scc_responder.workbench.simulation.replayed_first_shots import ReplayedShot
from scc_responder.workbench.simulation.replayed_limits import Trip
from scc_responder.workbench.simulation.replayed_notices import ToldCount


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

    `reached` lists the first of `reached_count`, `trips` the first of the `tripped` storm breakers, `shots` the first
    of the `shot_count` first shots of policies. `told` is what people would be told. `hidden` counts by budget what
    tripped breakers alone denied.
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
    hidden: dict[str, int]
    policies: tuple[PolicyReport, ...]
    reached_count: int
    reached: tuple[Reached, ...]
    shots: tuple[ReplayedShot, ...] = ()
    shot_count: int = 0
    told: ToldCount = ToldCount()


class RaisedMode(Value, frozen=True, kw_only=True):
    """A policy that goes further than it did, whether or not a finding met it."""

    policy: str
    before: Mode
    after: Mode


class ComparedWith(StrEnum):
    """What a change was compared with: the policies before it, if it is to show anything."""

    OTHER = "other"
    EQUAL = "equal"
    """Another folder with the same policies and guardrails."""
    ITSELF = "itself"
    """The very same folder: no change can show."""


class Comparison(Value, frozen=True, kw_only=True):
    """What a change of policies adds and takes away. Where there were too many targets, it is taken to widen.

    `counts` are by kind (`added`, `removed`, `raised`, `lowered`, and each `_behind_limits`); `differences` lists the
    first of them. What limits keep from showing counts like what they do not: they are no reason to overlook it.
    `guardrails`, `edits` and `scopes` are the edits of guardrails, policies and `scope.yaml`, whether or not a finding
    met them.
    """

    counts: dict[str, int]
    differences: tuple[Difference, ...]
    raised: tuple[RaisedMode, ...]
    guardrails: tuple[Edit, ...]
    edits: tuple[PolicyEdit, ...] = ()
    scopes: tuple[Edit, ...] = ()
    complete: bool
    compared_with: ComparedWith = ComparedWith.OTHER

    @property
    def widens(self) -> bool:
        """Whether it reaches a new target, does something new to one, goes further, or less holds it than before."""
        loosened = any(edit.widens for edit in (*self.guardrails, *self.edits, *self.scopes))
        return not self.complete or loosened or bool(self.raised or self.counts.keys() & _WIDENING)


_WIDENING = frozenset({"added", "raised", "added_behind_limits", "raised_behind_limits"})
