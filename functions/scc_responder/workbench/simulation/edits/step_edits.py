"""What an edit of a policy's steps changes, and whether more may be done by it. Pure.

A step may be done more often where less has to be done before it. And a step that is gone, or held more often, may have
kept the mode of its whole policy low: some ceilings hold only for a policy that is about to take an action.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from typing import Any, get_type_hints

import msgspec
from msgspec.structs import replace

from scc_responder.actions import Params, actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.mode import Mode, capped
from scc_responder.execute.dependencies import ends_for_good
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import OnFailure, Policy, PolicyStep
from scc_responder.workbench.simulation.edits.edit import Edit, field_edit

_Pair = tuple[int | None, int | None]
"""The place of a step before and after; None where it is not."""


def step_edits(before: Policy, after: Policy, rails: Guardrails) -> Iterator[Edit]:
    """The steps that differ. `rails` are the guardrails from before, whose ceilings may have held for a step."""
    pairs = list(_pairs(before.then, after.then))
    for was, now in pairs:
        if was is None and now is not None:
            step = after.then[now]
            yield Edit(field=f"then.{step.action}", after=_told(step), widens=_changes(step))
        elif was is not None and now is None:
            step = before.then[was]
            yield Edit(field=f"then.{step.action}", before=_told(step), widens=_lifts(before, after, step, rails))
        elif was is not None and now is not None:
            yield from _edited(before, after, (was, now), rails)
    yield from _order(
        before.then, after.then, [(was, now) for was, now in pairs if was is not None and now is not None]
    )


def _pairs(before: tuple[PolicyStep, ...], after: tuple[PolicyStep, ...]) -> Iterator[_Pair]:
    """Each step with the one that it became: of the same action, with the same parameters if there is one."""
    left = list(range(len(after)))
    found: dict[int, int] = {}
    for alike in (lambda one, other: one.parameters == other.parameters, lambda _one, _other: True):
        for was, step in enumerate(before):
            now = next((n for n in left if after[n].action == step.action and alike(step, after[n])), None)
            if was not in found and now is not None:
                found[was] = now
                left.remove(now)
    yield from ((was, found.get(was)) for was in range(len(before)))
    yield from ((None, now) for now in left)


def _changes(step: PolicyStep) -> bool:
    return not actions()[step.action].observes


def _told(step: PolicyStep) -> dict[str, Any]:
    return {"with": step.parameters} if step.parameters else {}


def _edited(before: Policy, after: Policy, pair: tuple[int, int], rails: Guardrails) -> Iterator[Edit]:
    was, now = before.then[pair[0]], after.then[pair[1]]
    field = f"then.{was.action}"
    for edit in _parameters(was, now):
        widens = edit.widens or _lifts(before, after, was, rails)
        yield replace(edit, field=f"{field}.with.{edit.field}", widens=widens)
    # What is named no more may still hold by nature, for as long as the order of the steps stays: it is said to widen.
    dropped = _changes(was) and not set(was.needs) <= set(now.needs)
    yield from field_edit(f"{field}.needs", was.needs, now.needs, widens=dropped)
    yield from field_edit(f"{field}.on_failure", was.on_failure, now.on_failure, widens=False)
    if _changes(was) and _waits_for_less(before, after, pair):
        waited, waits = (sorted(_waits_for(policy, at)) for policy, at in ((before, pair[0]), (after, pair[1])))
        yield Edit(field=f"{field}.waits_for", before=waited, after=waits, widens=True)


def _parameters(was: PolicyStep, now: PolicyStep) -> Iterator[Edit]:
    widest = _widest(type(was.params))
    for name in was.params.__struct_fields__:
        former, value = getattr(was.params, name), getattr(now.params, name)
        narrower = name in widest and _is_further(former, value, widest[name])
        yield from field_edit(name, former, value, widens=not narrower)


def _is_further(former: Any, value: Any, widest: Any) -> bool:
    """Whether a value is known to do less than the former one, by the value that does most."""
    numbers = all(isinstance(each, int) and not isinstance(each, bool) for each in (former, value, widest))
    return bool(abs(value - widest) > abs(former - widest) if numbers else former == widest)


@cache
def _widest(params: type[Params]) -> dict[str, Any]:
    """Of each parameter that declares it, the value with which the action does most."""
    found = {}
    for name, hint in get_type_hints(params, include_extras=True).items():
        for meta in getattr(hint, "__metadata__", ()):
            if isinstance(meta, msgspec.Meta) and "widest" in (meta.extra or {}):
                found[name] = (meta.extra or {})["widest"]
    return found


def _lifts(before: Policy, after: Policy, step: PolicyStep, rails: Guardrails) -> bool:
    """Whether other steps may go further without it, or where it is held more often: it may keep the mode low."""
    others = any(_changes(other) for other in after.then if other.action != step.action)
    return (
        _changes(step)
        and others
        and any(capped(after.furthest, cap) != after.furthest for cap in _caps(before, step, rails))
    )


def _caps(policy: Policy, step: PolicyStep, rails: Guardrails) -> Iterator[Mode]:
    """How far the whole policy goes while it is about to take the step, at some target or other."""
    action = actions()[step.action]
    if action.asks_person or (rails.keep_serving and action.disrupts is Disruption.PODS):
        yield capped(policy.furthest, Mode.APPROVE)
    yield from (capped(policy.furthest, each.max_mode) for each in rails.ceilings if step.action in each.actions)


def _waits_for(policy: Policy, at: int) -> Counter[str]:
    """The actions that must be carried out and proven before a step, each with the number of steps that do it.

    Those are the ones that it names and, before an end of its target, the evidence. See `execute.dependencies`.
    """
    known, step = actions(), policy.then[at]
    named = set(step.needs)
    if ends_for_good(known[step.action]):
        earlier = {other.action for other in policy.then[:at]}
        named |= {name for name in earlier if known[name].observes and not known[name].tells}
    return Counter(other.action for other in policy.then if other.action in named)


def _chained(policy: Policy, at: int) -> Counter[str]:
    """The actions whose failure keeps a step from being done: those before it that end a chain."""
    stops = {step.action for step in policy.then if step.on_failure is OnFailure.STOP}
    return Counter(step.action for step in policy.then[:at] if step.action in stops)


def _waits_for_less(before: Policy, after: Policy, pair: tuple[int, int]) -> bool:
    waited, waits = _waits_for(before, pair[0]), _waits_for(after, pair[1])
    # What must be proven ends a chain as well. Files that a finding does not name need not be kept.
    proven = Counter({name: count for name, count in waits.items() if not actions()[name].keeps_files})
    return bool(waited - waits) or bool(_chained(before, pair[0]) - _chained(after, pair[1]) - proven)


def _order(
    before: tuple[PolicyStep, ...], after: tuple[PolicyStep, ...], pairs: list[tuple[int, int]]
) -> Iterator[Edit]:
    """Steps that changed places. Of two that both change something it is not known what that lets them do."""
    turned = [(one, other) for one, other in combinations(sorted(pairs), 2) if one[1] > other[1]]
    if turned:
        widens = any(_changes(before[one[0]]) and _changes(before[other[0]]) for one, other in turned)
        former, now = ([step.action for step in steps] for steps in (before, after))
        yield Edit(field="then", before=former, after=now, widens=widens)
