"""Which steps are held because one that they need is held: a decision, as if every other step succeeded."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.order import in_order

Held = dict[tuple[str, str, str], Reason]
"""Why a step may not be taken, by policy, action and what the policy asks for."""


Denied = Callable[[PolicyDecision, PlannedAction], Reason | None]
"""The reason why a planned step may not be taken; None where it may."""


def hold_denied(decision: Decision, denied: Denied | None = None) -> Decision:
    """The decision with every denied step held, and every step that needs a held one.

    `denied` is called for each planned step in order. It returns the reason why the step is denied, or None.
    """
    held: Held = {}
    for policy, planned in in_order(decision):
        if planned.result == ActionResult.PLANNED:
            reason = _unmet(policy, planned, held) or (denied(policy, planned) if denied else None)
            if reason:
                held[_key(policy, planned)] = reason
    if not held:
        return decision
    return Decision(policies=tuple(_with_held(policy, held) for policy in decision.policies))


def _unmet(policy: PolicyDecision, planned: PlannedAction, held: Held) -> Reason | None:
    for needed in planned.needs:
        steps = [item for item in policy.actions if item.action == needed]
        if not steps or not all(_is_proven(item) and _key(policy, item) not in held for item in steps):
            return Reason.NEEDS.of(needed)
    return None


def _is_proven(planned: PlannedAction) -> bool:
    """Whether it is carried out, or skipped because the target is as wanted already."""
    is_so_already = planned.result == ActionResult.SKIPPED and planned.reason.is_already
    return planned.result == ActionResult.PLANNED or is_so_already


def _with_held(policy: PolicyDecision, held: Held) -> PolicyDecision:
    reasons = [(item, held.get(_key(policy, item))) for item in policy.actions]
    if not any(reason for _, reason in reasons):
        return policy
    stay = (replace(item, result=ActionResult.HELD, reason=reason) if reason else item for item, reason in reasons)
    return replace(policy, actions=tuple(stay))


def _key(policy: PolicyDecision, planned: PlannedAction) -> tuple[str, str, str]:
    return policy.name, planned.action, planned.variant
