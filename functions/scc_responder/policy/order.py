"""The order in which the actions of all policies run, and which are held because one that they need is held. Pure.

Steps that can be undone come first, whichever policy asked for them: no policy's deletion goes before another's
evidence. A policy's final message comes last, so that one message covers what all policies did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision

Held = dict[tuple[str, str, str], Reason]
"""Why a step may not be taken, by policy, action and what the policy asks for."""


def in_order(decision: Decision) -> Iterator[tuple[PolicyDecision, PlannedAction]]:
    """Every action: those of each policy up to its first irreversible one, then the rest, then the final messages."""
    matched = [policy for policy in decision.policies if policy.matched]
    parts = [_parts(policy.actions) for policy in matched]
    for part in range(3):
        for policy, own in zip(matched, parts, strict=True):
            yield from ((policy, planned) for planned in own[part])


def _parts(planned: tuple[PlannedAction, ...]) -> tuple[tuple[PlannedAction, ...], ...]:
    """A policy's actions before the first irreversible one, from there on, and its message if it ends with one."""
    known = actions()
    last = len(planned) - _ends_with_message(planned)
    first = next((n for n, item in enumerate(planned[:last]) if not known[item.action].reversible), last)
    return planned[:first], planned[first:last], planned[last:]


def _ends_with_message(planned: tuple[PlannedAction, ...]) -> bool:
    return bool(planned) and any(change.declared.tells for change in planned[-1].changes)


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
