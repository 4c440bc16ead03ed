"""Every edit of policies, and which can let more be done to some target, met by a recorded finding or not. Pure.

An edit is said to widen unless it is known that it does not. A rename is a policy that is gone, and a new one, which
widens only where no policy from before did all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import asdict

from scc_responder.actions import actions
from scc_responder.domain.mode import Mode, capped
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.simulation.edits.condition_parts import holds_less_often
from scc_responder.workbench.simulation.edits.edit import Edit, field_edit, limit_edits
from scc_responder.workbench.simulation.edits.hours_edits import hours_edits
from scc_responder.workbench.simulation.edits.match_edits import unless_edits, when_edits
from scc_responder.workbench.simulation.edits.step_edits import step_edits

_DECIDES_MATCH = frozenset(
    {"when", "unless", "condition", "mode", "modes", "quiet_hours", "office_hours", "out_of_hours", "otherwise"}
)
"""The fields by which a policy may answer less."""


class PolicyEdit(Edit, frozen=True, kw_only=True):
    """An edit of one policy. `field` is where it stands: `when.namespace`, `then.delete_pod.with.identity`, `mode`.

    The field of a policy that is new, or gone, is `policy`; that of steps that changed places is `then`. What a step
    waits for is `then.ACTION.waits_for`: by its needs, by its nature, and by the ends of chains before it.
    """

    policy: str


def policy_edits(former: PolicySet, now: PolicySet) -> tuple[PolicyEdit, ...]:
    """Every difference, by policy. What is disabled now does nothing: no edit of it widens."""
    before, after = ({policy.name: policy for policy in each.policies} for each in (former, now))
    most, rails = now.guardrails.max_mode, former.guardrails
    new = after.keys() - before.keys()
    found: list[PolicyEdit] = []
    takes_rest = any(one.otherwise and _changes(one) and _acts(one, most) for one in after.values())
    for name, policy in sorted(after.items()):
        if name in before:
            edits = list(_edited(before[name], policy, rails, most))
        else:
            kept = (old for old in before.values() if not old.limits or (old.name not in after and len(new) == 1))
            does_more = _changes(policy) and not any(_does_all(old, policy, rails, most) for old in kept)
            edits = [Edit(field="policy", after=_told(policy), widens=does_more)]
        acts = _acts(policy, most)
        # What this one answers no more, another takes.
        leaves = takes_rest and name in before and not before[name].otherwise
        for edit in edits:
            widens = (edit.widens and acts) or (leaves and edit.field.partition(".")[0] in _DECIDES_MATCH)
            found.append(_of(name, edit, widens=widens))
    gone = [policy for name, policy in before.items() if name not in after]
    found += (
        PolicyEdit(policy=each.name, field="policy", before=_told(each), widens=takes_rest and not each.otherwise)
        for each in gone
    )
    return tuple(sorted(found, key=lambda edit: edit.policy))


def _of(name: str, edit: Edit, *, widens: bool) -> PolicyEdit:
    return PolicyEdit(policy=name, **{**asdict(edit), "widens": widens})


def _acts(policy: Policy, most: Mode) -> bool:
    return capped(policy.furthest, most) is not Mode.DISABLED


def _changes(policy: Policy) -> bool:
    return any(not actions()[step.action].observes for step in policy.then)


def _does_all(old: Policy, new: Policy, rails: Guardrails, most: Mode) -> bool:
    """Whether a policy from before did all that a new one does: it has another name, or is a part of that one."""
    may = {step.action for step in new.then if not actions()[step.action].observes} <= {
        step.action for step in old.then
    }
    return may and not any(edit.widens for edit in _edited(old, new, rails, most))


def _told(policy: Policy) -> dict[str, object]:
    return {"mode": str(policy.furthest), "then": [step.action for step in policy.then]}


def _edited(before: Policy, after: Policy, rails: Guardrails, most: Mode) -> Iterator[Edit]:
    """`most` is the furthest mode of all policies: one that is raised beyond it goes no further."""
    was, goes = capped(before.mode, most), capped(after.mode, most)
    yield from chain(
        field_edit("mode", before.mode, after.mode, widens=capped(goes, was) != goes),
        field_edit("modes", before.modes, after.modes, widens=capped(after.furthest, _least(before)) != after.furthest),
        when_edits(before.when, after.when),
        unless_edits(before.unless, after.unless),
        _condition(before.condition, after.condition),
        step_edits(before, after, rails),
        limit_edits("limits", before.limits, after.limits),
        hours_edits(before, after),
        field_edit("otherwise", before.otherwise, after.otherwise, widens=before.otherwise),
    )
    for name in ("description", "owner", "accepted"):
        yield from field_edit(name, getattr(before, name), getattr(after, name), widens=False)


def _least(policy: Policy) -> Mode:
    """The mode that goes least far of all that it has in some cluster."""
    return capped(policy.mode, *(one.mode for one in policy.modes))


def _condition(before: str, after: str) -> Iterator[Edit]:
    yield from field_edit("condition", before, after, widens=not holds_less_often(before, after))
