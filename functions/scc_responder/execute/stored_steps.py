"""What an earlier delivery left unfinished: a stored change is a memory of what was meant, never an order.

Whoever may write the store could put any change into a record. So one that is taken up again is carried out only where
the policies plan the very same change now, for the pod, the node or the service that was read now. Any other is probed,
which tells whether it was made, and held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scc_responder.domain.changes import Change, restored, stored
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN
from scc_responder.domain.labels import ISOLATED_POD, POD_LABEL
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.execute.dependencies import awaited_before
from scc_responder.execute.execution import RESPONDER, Execution, Task
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision

_REFUSED = frozenset({ActionResult.HELD, ActionResult.WAITING})


def unfinished(execution: Execution) -> Iterator[tuple[Task, Reason | None]]:
    """The steps that are not settled or come again, each with why it may only be probed; None: it may be carried out.

    The target may look different by now, so that nobody would plan the change again; it may have been made, though.
    Once a change is another than the planned one, the rest is left to its turn, which keeps the order. Where a fact is
    unread, nobody can say yet that a step is not allowed: it is left as it is.
    """
    in_turn = False
    steps = [step for step in execution.case.record.steps if not step.undoes]
    for step in [step for step in steps if not step.is_settled or step.comes_again]:
        policy = _policy(execution, step)
        allowed = _allowed(policy, step)
        if execution.postponed_by and not (_is_own_step(step, execution) or allowed):
            continue
        if step.is_warming_up and allowed:
            # Nothing was intended yet: its turn comes.
            continue
        change = _bound(restored(step.change)) if step.change else None
        task = Task(policy=policy, action=step.action, action_id=step.action_id, index=step.index, change=change)
        withheld = _withheld(execution, task, step)
        if in_turn and withheld is None and not _is_own_step(step, execution):
            withheld = Reason.HELD_BEFORE_RESUMED
        in_turn = in_turn or withheld is Reason.NOT_PLANNED_NOW
        yield task, withheld


def _bound(change: Change) -> Change | None:
    """The change, unless it names an object without its UID: no delivery wrote that, and no probe could tell of it."""
    return None if change.target and not change.target.uid else change


def _withheld(execution: Execution, task: Task, step: Step) -> Reason | None:
    """Why the change may not be carried out; None where it may, by what is planned now."""
    if _is_own_step(step, execution):
        return None if _is_own(task.change) else Reason.NOT_PLANNED_NOW
    allowed = _allowed(task.policy, step)
    if not allowed:
        return Reason.HELD_BEFORE_RESUMED if task.policy.matched else task.policy.reason
    meant = [_essence(task.change)] if task.change else []
    planned = next((item for item in allowed if any(_essence(each) in meant for each in item.changes)), None)
    if planned is None:
        return Reason.NOT_PLANNED_NOW
    before = awaited_before(execution, task.policy, planned)
    return Reason.NEEDS.of(before) if before else None


def _essence(change: Change) -> dict[str, Any]:
    """The change as this version makes it. Earlier ones had another label for isolations, and a grace period of 0."""
    data = stored(change)
    for field in data.keys() & {"labels", "selector"}:
        data[field] = {ISOLATED_POD if key == POD_LABEL else key: value for key, value in data[field].items()}
    return data | ({"grace_period_seconds": 1} if data.get("grace_period_seconds") == 0 else {})


def _policy(execution: Execution, step: Step) -> PolicyDecision:
    if step.policy == RESPONDER.name:
        return RESPONDER
    policies = (policy for policy in execution.decision.policies if policy.name == step.policy)
    return next(policies, None) or _removed(step.policy)


def _removed(name: str) -> PolicyDecision:
    """Stands for a removed policy: it may do nothing new, but its earlier changes are still checked."""
    return PolicyDecision(name=name, mode=Mode.ENFORCE, matched=False, reason=Reason.POLICY_REMOVED)


def _allowed(policy: PolicyDecision, step: Step) -> tuple[PlannedAction, ...]:
    """The policy's actions of this name that nothing holds."""
    return tuple(
        item
        for item in policy.actions
        if item.action == step.action and policy.matched and not item.postponed and item.result not in _REFUSED
    )


def _is_own_step(step: Step, execution: Execution) -> bool:
    """Whether no policy asked for the step: evidence after a change, or the responder's own message."""
    own = {"capture_evidence"} if execution.postponed_by else {"capture_evidence", "notify"}
    return step.policy == RESPONDER.name and step.action in own


def _is_own(change: Change | None) -> bool:
    """Whether it is one that needs no plan: it changes nothing, and its target is read anew."""
    return change is not None and (change.declared.tells or change.declared is CAPTURES_AGAIN)
