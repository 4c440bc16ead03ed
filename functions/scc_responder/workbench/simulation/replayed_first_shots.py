"""The first shots of policies in a simulation: what would wait for the warm-up, and what would come of it. Pure.

A first shot is decided at the end of its warm-up, as the sweep of that minute would: over all that waits by then. A
policy in dry run is taken as if it acted; what a person approves does not wait.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from scc_responder.domain.context import Context
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.guard.limits.ledger_document import DisruptionRequest
from scc_responder.guard.trust.first_shot import (
    FirstShot,
    FirstShotState,
    decided,
    policy_content,
    with_act,
)
from scc_responder.policy.decide import ActionResult, Decision, PolicyDecision
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.foretold import refused_notice
from scc_responder.workbench.simulation.held_steps import StepKey, alone, planned_anew
from scc_responder.workbench.simulation.impact import AffectedObject, effects

MOST_SHOTS = 50
"""More first shots than these are counted, not listed."""

MOST_FINDINGS = 1_000
"""More findings than these are not kept until a first shot is decided."""

MOST_TARGETS_NAMED = 5
"""More targets of one than these are counted, not named."""


class ReplayedShot(Value, frozen=True, kw_only=True):
    """The first shot of a policy in a place: since when it waited, when it was decided, and what came of it.

    `waited` acts on so many `targets`, of which the first are `named`. Refused, none is done for the reason in
    `detail`, and people get one `notice`. `then` counts what each step came to that waited, by action, and reason where
    it was held. `later` acts were held afterwards, because of the refusal.
    """

    policy: str
    place: str
    since: datetime
    decided_at: datetime
    waited: int
    targets: int
    named: tuple[AffectedObject, ...]
    state: FirstShotState
    detail: str
    notice: dict[str, Any] | None
    then: dict[str, int]
    later: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WaitingFinding:
    """A finding of which some steps wait, and what was done about it so far."""

    context: Context
    decision: Decision
    waiting: frozenset[StepKey]
    done: set[tuple[str, str]]


@dataclass(kw_only=True, slots=True)
class OpenShot:
    """A first shot while the simulation goes on."""

    since: datetime
    due: datetime
    document: FirstShot
    waited: int = 0
    targets: int = 0
    named: dict[AffectedObject, None] = field(default_factory=dict)
    findings: list[WaitingFinding] = field(default_factory=list)
    then: Counter[str] = field(default_factory=Counter)
    later: int = 0
    known: frozenset[str] = frozenset()
    """The ids of the acts that its document has."""

    def take(self, asked: DisruptionRequest, now: datetime) -> None:
        """Let one more act wait."""
        self.document = with_act(self.document, asked, now)
        self.known = frozenset(act.request.action_id for act in self.document.acts)

    @property
    def policy(self) -> str:
        """The policy's name."""
        return self.document.policy

    @property
    def is_full(self) -> bool:
        """Whether so many acts wait that it is refused whatever else comes."""
        return self.document.is_full

    def came_to(self, policy: PolicyDecision) -> None:
        """Count what the steps that waited came to."""
        for item in policy.actions:
            acts = item.result == ActionResult.PLANNED
            self.then[item.action if acts else f"{item.action}: {item.reason}"] += 1

    def report(self) -> ReplayedShot:
        """What came of it."""
        return ReplayedShot(
            policy=self.policy,
            place=self.document.place,
            since=self.since,
            decided_at=self.due,
            waited=self.waited,
            targets=self.targets,
            named=tuple(self.named),
            state=self.document.state,
            detail=self.document.detail,
            notice=refused_notice(self.document),
            then=dict(sorted(self.then.items())),
            later=self.later,
        )


class ReplayedFirstShots:
    """The first shots of one set of policies, by place and policy."""

    def __init__(self, policies: PolicySet) -> None:
        self._policies = {policy.name: policy for policy in policies.policies}
        self._guardrails = policies.guardrails
        self._warm_up: timedelta = parse_duration(policies.guardrails.warm_up)
        self.are_on = bool(self._warm_up)
        self._shots: dict[tuple[str, str], OpenShot] = {}
        self._waiting: list[OpenShot] = []

    def ask(self, policy: str, place: str, asked: DisruptionRequest, now: datetime) -> Reason | None:
        """Why the act may not be done now: it waits, or the first shot was refused. None where it may."""
        if not self.are_on:
            return None
        shot = self._shots.get((place, policy)) or self._opened(policy, place, now)
        if shot.document.state is FirstShotState.PASSED:
            return None
        known = asked.action_id in shot.known
        if shot.document.state is FirstShotState.REFUSED or (shot.is_full and not known):
            shot.later += not known
            return Reason.FIRST_SHOT_TOO_WIDE
        if len(shot.findings) >= MOST_FINDINGS:
            # All about targets that wait already: limits count each of them once.
            return None
        shot.take(asked, now)
        return Reason.WARMING_UP

    def _opened(self, policy: str, place: str, now: datetime) -> OpenShot:
        document = FirstShot(place=place, policy=policy, content=policy_content(self._policies[policy]))
        opened = self._shots[place, policy] = OpenShot(since=now, due=now + self._warm_up, document=document)
        insort(self._waiting, opened, key=lambda each: each.due)
        return opened

    def wait(self, found: WaitingFinding) -> None:
        """Keep a finding until what waits of it is decided."""
        for name in sorted({policy for policy, _, _ in found.waiting}):
            shot = self._shots[found.context.finding.place, name]
            shot.findings.append(found)
            for target in _targets(found, name):
                if len(shot.named) < MOST_TARGETS_NAMED:
                    shot.named[target] = None

    def due(self, until: datetime | None) -> Iterator[OpenShot]:
        """Each that is to be decided up to then, in the order of time, once it is; None: all that wait."""
        while self._waiting and (until is None or self._waiting[0].due <= until):
            shot = self._waiting.pop(0)
            document = shot.document
            shot.waited, shot.targets = len(document.acts), document.targets
            shot.document = decided(document, self._policies[shot.policy].limits, self._guardrails, shot.due)
            yield shot

    @property
    def count(self) -> int:
        """How many there were."""
        return len(self._shots)

    def reports(self) -> tuple[ReplayedShot, ...]:
        """The first of them, in the order of time."""
        return tuple(shot.report() for shot in list(self._shots.values())[:MOST_SHOTS])


def _targets(found: WaitingFinding, policy: str) -> Iterator[AffectedObject]:
    """What the waiting steps of a policy are about."""
    planned = alone(planned_anew(found.decision, policy, found.waiting), policy, found.waiting)
    for each in planned.policies:
        yield from (target for _, target in effects(found.context, each))
