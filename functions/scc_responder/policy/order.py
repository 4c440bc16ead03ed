"""The order in which the actions of all policies run. Pure.

Steps that can be undone come first, whichever policy asked for them: no policy's deletion goes before another's
evidence. A policy's final message comes last, so that one message covers what all policies did. Among the policies
the one whose mode goes furthest comes first: what is done goes before what waits or is rehearsed.
"""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.actions import actions
from scc_responder.domain.mode import Mode
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision

_ORDER = {mode: -rank for rank, mode in enumerate(Mode)}


def in_order(decision: Decision) -> Iterator[tuple[PolicyDecision, PlannedAction]]:
    """Every action: those of each policy up to its first irreversible one, then the rest, then the final messages."""
    matched = sorted((policy for policy in decision.policies if policy.matched), key=lambda one: _ORDER[one.mode])
    same = {id(policy.actions): policy.actions for policy in matched}
    made = {key: _parts(planned) for key, planned in same.items()}
    parts = [made[id(policy.actions)] for policy in matched]
    for part in range(3):
        for policy, own in zip(matched, parts, strict=True):
            for planned in own[part]:
                yield policy, planned


def _parts(planned: tuple[PlannedAction, ...]) -> tuple[tuple[PlannedAction, ...], ...]:
    """A policy's actions before the first irreversible one, from there on, and its message if it ends with one."""
    known = actions()
    last = len(planned) - _ends_with_message(planned)
    first = next((n for n, item in enumerate(planned[:last]) if not known[item.action].reversible), last)
    return planned[:first], planned[first:last], planned[last:]


def _ends_with_message(planned: tuple[PlannedAction, ...]) -> bool:
    return bool(planned) and any(change.declared.tells for change in planned[-1].changes)
