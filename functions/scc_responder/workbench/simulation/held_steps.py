"""Which steps are held because one that they need is held: a decision, as if every other step succeeded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.order import in_order

StepKey = tuple[str, str, str]
"""A step, by policy, action and what the policy asks for."""

Held = dict[tuple[str, str], Reason]
"""Why a step of one policy may not be taken, by action and what the policy asks for."""


Denied = Callable[[PolicyDecision, PlannedAction], Reason | None]
"""The reason why a planned step may not be taken; None where it may."""


def hold_denied(
    decision: Decision, denied: Denied | None = None, asks: Callable[[PlannedAction], bool] = lambda _step: True
) -> Decision:
    """The decision with every denied step held, and every step that needs a held one.

    `denied` is called for each planned step in order, of those that `asks` names. It returns the reason why the step is
    denied, or None.
    """
    held: dict[str, Held] = {}
    known = {id(policy.actions): policy.actions for policy in decision.policies}
    planned_steps = (item for items in known.values() for item in items if item.result == ActionResult.PLANNED)
    asked = {id(item) for item in planned_steps if item.needs or (denied is not None and asks(item))}
    for policy, planned in in_order(decision) if asked else ():
        if id(planned) in asked:
            reason = _unmet(policy, planned, held.get(policy.name, {})) if planned.needs else None
            reason = reason or (denied(policy, planned) if denied else None)
            if reason:
                held.setdefault(policy.name, {})[planned.action, planned.variant] = reason
    if not held:
        return decision
    same: dict[tuple[Any, ...], tuple[PlannedAction, ...]] = {}
    return Decision(policies=tuple([_with_held(policy, held.get(policy.name), same) for policy in decision.policies]))


def _unmet(policy: PolicyDecision, planned: PlannedAction, held: Held) -> Reason | None:
    for needed in planned.needs:
        steps = [item for item in policy.actions if item.action == needed]
        if not steps or not all(_is_proven(item) and (item.action, item.variant) not in held for item in steps):
            return Reason.NEEDS.of(needed)
    return None


def _is_proven(planned: PlannedAction) -> bool:
    """Whether it is carried out, or skipped because the target is as wanted already."""
    is_so_already = planned.result == ActionResult.SKIPPED and planned.reason.is_already
    return planned.result == ActionResult.PLANNED or is_so_already


def _with_held(
    policy: PolicyDecision, held: Held | None, same: dict[tuple[Any, ...], tuple[PlannedAction, ...]]
) -> PolicyDecision:
    """The policy's decision with its steps held. `same` keeps policies that share their steps, and holds, together."""
    if not held:
        return policy
    key = id(policy.actions), *held.items()
    if key not in same:
        reasons = [(item, held.get((item.action, item.variant))) for item in policy.actions]
        stay = [replace(item, result=ActionResult.HELD, reason=reason) if reason else item for item, reason in reasons]
        same[key] = tuple(stay)
    return replace(policy, actions=same[key])


def _key(policy: PolicyDecision, planned: PlannedAction) -> StepKey:
    return policy.name, planned.action, planned.variant


def still_waiting(before: Decision, held: Decision) -> frozenset[StepKey]:
    """The steps that wait for a warm-up, and those that wait for such a step: they come to something later."""
    if all(item.reason != Reason.WARMING_UP for policy in held.policies for item in policy.actions):
        return frozenset()
    reasons = {_key(policy, item): item.reason for policy in held.policies for item in policy.actions}
    waiting: set[StepKey] = set()
    for policy, planned in in_order(before):
        key = _key(policy, planned)
        awaited = {Reason.NEEDS.of(action) for name, action, _ in waiting if name == policy.name}
        if planned.result == ActionResult.PLANNED and reasons[key] in {Reason.WARMING_UP, *awaited}:
            waiting.add(key)
    return frozenset(waiting)


def without_waiting(decision: Decision, waiting: frozenset[StepKey]) -> Decision:
    """The decision without the steps that come to something later."""
    if not waiting:
        return decision
    return Decision(policies=tuple(_kept(policy, waiting, are=False) for policy in decision.policies))


def alone(decision: Decision, policy: str, waiting: frozenset[StepKey]) -> Decision:
    """What waited of one policy, and nothing else."""
    return Decision(policies=tuple(_kept(each, waiting, are=True) for each in decision.policies if each.name == policy))


def planned_anew(decision: Decision, policy: str, waiting: frozenset[StepKey]) -> Decision:
    """The decision with what waited of one policy planned again."""
    anew = frozenset(key for key in waiting if key[0] == policy)
    return Decision(policies=tuple(_with_planned(each, anew) for each in decision.policies))


def _kept(policy: PolicyDecision, waiting: frozenset[StepKey], *, are: bool) -> PolicyDecision:
    return replace(policy, actions=tuple(item for item in policy.actions if (_key(policy, item) in waiting) is are))


def _with_planned(policy: PolicyDecision, anew: frozenset[StepKey]) -> PolicyDecision:
    items = (
        replace(item, result=ActionResult.PLANNED, reason=Reason.PLANNED) if _key(policy, item) in anew else item
        for item in policy.actions
    )
    return replace(policy, actions=tuple(items))
