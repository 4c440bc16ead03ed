"""Hold what may not be done, whatever a policy asks for. Deny wins; every hold has a named reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import msgspec

from scc_responder.actions import Action, actions
from scc_responder.domain.changes import Change, Disruption
from scc_responder.domain.context import Context, IdentityLevel
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.reasons import Reason
from scc_responder.guard.ceilings import Lowest, lowest
from scc_responder.guard.disruption import disruption_reason
from scc_responder.guard.google_agents import google_agent
from scc_responder.guard.limits.last_serving import KEEP_SERVING, is_last_serving, keeps_serving
from scc_responder.guard.protected import protected_reason
from scc_responder.guard.run_reach import NOWHERE_IN_RUN, RunReach, run_reason
from scc_responder.intake.threats import UNKNOWN
from scc_responder.journal.plan import AskedStep
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import Guardrails

FUTURE_TOLERANCE = timedelta(minutes=1)
"""How far ahead of our clock an event may be. A later one would make any pod look older than its finding."""


def guard(
    context: Context,
    decision: Decision,
    guardrails: Guardrails,
    now: datetime,
    *,
    planned_at: datetime | None = None,
    reach: RunReach = NOWHERE_IN_RUN,
    asked: AskedStep | None = None,
    cut: Callable[[Context], int] = lambda _context: 0,
) -> Decision:
    """The decision with every policy's mode under its ceiling, and every action that must not be taken held.

    `reach` is what this deployment may change on Cloud Run. `cut` counts the other pods of the pod's workload that are
    isolated: it is asked only where the guardrails name the workload in `keep_serving`.

    `planned_at` is when the plan was made that waits for a person, or was approved: in mode `approve` a finding's age
    counts up to it. `asked` is a step that a person asked for whatever its age.
    """
    guarding = _Guarding(context, guardrails, now, reach, asked)
    policies = [guarding.capped(policy) for policy in decision.policies]
    if keeps_serving(context, guardrails):
        policies = _kept_serving(context, policies, cut)
    return Decision(policies=tuple(guarding.guarded(policy, planned_at) for policy in policies))


def _planned(policy: PolicyDecision) -> frozenset[str]:
    return frozenset(item.action for item in policy.actions if item.result == ActionResult.PLANNED)


def lowered(policy: PolicyDecision, ceiling: Mode, name: str, *, by_switch: bool = False) -> PolicyDecision:
    """The policy's decision under one more ceiling; `name` is recorded if it lowers the mode."""
    mode = capped(policy.mode, ceiling)
    if mode == policy.mode:
        return policy
    reason = Reason.MODE_LOWERED_BY.of(name)
    policy = msgspec.structs.replace(policy, mode=mode, mode_reason=reason, is_by_switch=by_switch)
    if policy.matched and mode == Mode.DISABLED:
        return msgspec.structs.replace(policy, matched=False, reason=Reason.MODE_DISABLED_BY_GUARDRAILS, actions=())
    return policy


def _kept_serving(
    context: Context, policies: list[PolicyDecision], cut: Callable[[Context], int]
) -> list[PolicyDecision]:
    """The policies' decisions, in mode `approve` at most where one takes the last pod that serves, or may take it."""
    known = actions()
    taking = [any(known[name].disrupts is Disruption.PODS for name in _planned(policy)) for policy in policies]
    if not any(taking) or is_last_serving(context, cut(context)) is False:
        return policies
    pairs = zip(policies, taking, strict=True)
    return [lowered(policy, Mode.APPROVE, KEEP_SERVING) if takes else policy for policy, takes in pairs]


class _Guarding:
    """The ceilings and holds of one finding: the same steps, and the same action of others, are checked once."""

    def __init__(
        self, context: Context, guardrails: Guardrails, now: datetime, reach: RunReach, asked: AskedStep | None
    ) -> None:
        self._reach = reach
        self._asked = asked
        self._context = context
        self._guardrails = guardrails
        self._now = now
        self._reasons: dict[tuple[str, str, datetime], Reason | None] = {}
        self._caps: dict[int, tuple[Lowest, str]] = {}
        self._steps: dict[tuple[int, datetime, str], tuple[PlannedAction, ...]] = {}

    def capped(self, policy: PolicyDecision) -> PolicyDecision:
        """The policy's decision under its ceiling, and in mode `approve` at most where an action asks a person."""
        if id(policy.actions) not in self._caps:
            planned = _planned(policy)
            asking = next((name for name in sorted(planned) if actions()[name].asks_person), "")
            self._caps[id(policy.actions)] = lowest(self._context, self._guardrails, self._now, planned), asking
        ceiling, asking = self._caps[id(policy.actions)]
        policy = lowered(policy, ceiling.max_mode, ceiling.name)
        return lowered(policy, Mode.APPROVE, asking) if asking and policy.actions else policy

    def guarded(self, policy: PolicyDecision, planned_at: datetime | None) -> PolicyDecision:
        """The policy's decision with its steps held that must not be taken."""
        if not policy.actions:
            return policy
        aged = planned_at if planned_at and policy.mode == Mode.APPROVE else self._now
        key = id(policy.actions), aged, policy.name if self._asked else ""
        if key not in self._steps:
            held = [self._held(item, self._aged(policy.name, item.action, aged)) for item in policy.actions]
            self._steps[key] = policy.actions if list(policy.actions) == held else tuple(held)
        same = self._steps[key] is policy.actions
        return policy if same else msgspec.structs.replace(policy, actions=self._steps[key])

    def _aged(self, policy: str, action: str, aged: datetime) -> datetime:
        """The moment up to which the finding's age counts: what a person asked for has none."""
        is_asked = self._asked is not None and self._asked.means(policy, action)
        return min(aged, self._context.finding.event_time) if is_asked else aged

    def _held(self, planned: PlannedAction, aged: datetime) -> PlannedAction:
        if planned.result != ActionResult.PLANNED:
            return _held_all_the_same(self._context, planned, self._reach)
        reason = self._reason(planned, aged)
        return msgspec.structs.replace(planned, result=ActionResult.HELD, reason=reason) if reason else planned

    def _reason(self, planned: PlannedAction, aged: datetime) -> Reason | None:
        key = planned.action, planned.variant, aged
        if key not in self._reasons:
            self._reasons[key] = hold_reason(
                self._context,
                actions()[planned.action],
                self._guardrails,
                self._now,
                planned.changes,
                aged=aged,
                reach=self._reach,
            )
        return self._reasons[key]


def _held_all_the_same(context: Context, planned: PlannedAction, reach: RunReach) -> PlannedAction:
    """The reason why an action is held instead of the one that its plan has.

    A finding that contradicts itself, or what was read of Cloud Run, may be why it was skipped. What is never changed
    there is not read in vain.
    """
    action = actions()[planned.action]
    if action.observes:
        return planned
    on_run = action.disrupts is Disruption.SERVICES
    beyond = run_reason(context, reach) if on_run and planned.result == ActionResult.HELD else None
    counts = planned.result == ActionResult.HELD or planned.reason.is_already
    is_refuted = on_run and counts and context.identity.level == IdentityLevel.REFUTED
    reason = beyond or _contradiction(context) or (context.identity.reason if is_refuted else None)
    return msgspec.structs.replace(planned, result=ActionResult.HELD, reason=reason) if reason else planned


def hold_reason(
    context: Context,
    action: Action,
    guardrails: Guardrails,
    now: datetime,
    changes: Iterable[Change] = (),
    *,
    aged: datetime | None = None,
    reach: RunReach = NOWHERE_IN_RUN,
) -> Reason | None:
    """Why the action may not make these changes, or None. Actions that only observe are never held.

    `aged` is the time at which the finding's age is measured, if that is not `now`.
    """
    if action.observes:
        return None
    return (
        run_reason(context, reach)
        or google_agent(context)
        or protected_reason(context, guardrails.protected, changes, reversible=action.reversible)
        or _exempt(context, action, guardrails, now)
        or _unclear(context, action)
        or _too_old(context, action, guardrails, now, aged or now)
        or disruption_reason(context, action, changes)
    )


def _exempt(context: Context, action: Action, guardrails: Guardrails, now: datetime) -> Reason | None:
    """The exemption that holds the action. A condition on missing data counts as met: deny wins."""
    for exemption in guardrails.exemptions:
        means_it = not exemption.actions or action.name in exemption.actions
        met = all(answer is not False for _, answer in exemption.when.answers(context))
        if means_it and now < exemption.ends and met:
            return Reason.EXEMPT.of(exemption.name)
    return None


def _unclear(context: Context, action: Action) -> Reason | None:
    if context.finding.contradictions:
        return _contradiction(context)
    if context.threat.name == UNKNOWN:
        return Reason.THREAT_UNKNOWN
    if context.identity.level == IdentityLevel.REFUTED:
        return context.identity.reason
    if action.needs_identity and context.identity.level not in {IdentityLevel.PROVED, IdentityLevel.LIKELY}:
        return context.run_unread or Reason.IDENTITY_UNKNOWN.of(context.identity.reason)
    return None


def _contradiction(context: Context) -> Reason | None:
    found = context.finding.contradictions
    return Reason.CONTRADICTION.of(found[0]) if found else None


def _too_old(context: Context, action: Action, guardrails: Guardrails, now: datetime, aged: datetime) -> Reason | None:
    limit = guardrails.max_finding_age.limit(reversible=action.reversible)
    if now - context.finding.event_time < -FUTURE_TOLERANCE:
        return Reason.FINDING_FROM_THE_FUTURE
    return Reason.FINDING_TOO_OLD if aged - context.finding.event_time > limit else None
