"""What keeps a planned step from being carried out at the last moment, between its probe and its intent."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.actions.contract import actions
from scc_responder.execute.execution import Execution, Task
from scc_responder.guard.disruption import request
from scc_responder.journal.case import action_id


class Withheld(Exception):  # noqa: N818 - not a fault: the probe has told all that may be known
    """A step was found not to have been carried out before, and may not be carried out now."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


def reserve(execution: Execution, task: Task) -> None:
    """Take the one right to do to this object what cannot be undone. Raises Withheld where another finding has it."""
    if actions()[task.action].reversible or task.action_id in execution.reserved:
        return
    finding = execution.context.finding
    target = action_id(task.action, finding.cluster_path, execution.pod_uid, "")
    if not execution.case.reserve(target, task.action_id):
        raise Withheld("reserved_by_other_finding")
    execution.reserved.add(task.action_id)


def stay_within_limits(execution: Execution, task: Task, *, dry_run: bool) -> None:
    """Count the target against every limit. Raises Withheld where one has no room for it, or the breaker tripped."""
    action, limiter = actions()[task.action], execution.world.limiter
    if action.observes:
        return
    answer = limiter.breaker()
    asked = request(execution.context, action, task.action_id)
    if answer.allowed and asked is not None:
        asked = replace(asked, policy=task.policy.name, policy_limits=task.policy.limits)
        answer = limiter.reserve(asked, dry_run=dry_run)
    if not answer.allowed:
        raise Withheld(answer.reason, answer.detail)
