"""What keeps a planned step from being carried out at the last moment, between its probe and its intent."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.collect.confirm import Settled
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.status import CaseState
from scc_responder.execute.execution import RESPONDER, Execution, Task
from scc_responder.guard.disruption import disruption_request
from scc_responder.guard.kill_switch import DISABLED, LOWERED, KillSwitchCeiling
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
    asked = disruption_request(execution.context, action, task.action_id)
    if answer.allowed and asked is not None:
        asked = replace(asked, policy=task.policy.name, policy_limits=task.policy.limits)
        answer = limiter.reserve(asked, dry_run=dry_run)
    if not answer.allowed:
        raise Withheld(answer.reason, answer.detail)


def refuse_disabled(limit: KillSwitchCeiling, finding: Finding | None = None) -> None:
    """Raises Settled where nothing at all may be done: the case is held, and can be resumed."""
    if limit.mode == Mode.DISABLED:
        raise Settled(DISABLED, CaseState.HELD, "WARNING", confirmed=finding)


def stay_under_control(execution: Execution, task: Task) -> None:
    """Ask the switch again. Raises Withheld where it keeps the task from being carried out now, Settled where all ends.

    Raises RetryableError where nobody can tell. The responder's own message is sent unless nothing at all may be done.
    """
    limit = execution.world.ceiling()
    refuse_disabled(limit)
    if task.policy.name == RESPONDER.name or capped(task.policy.mode, limit.mode) == task.policy.mode:
        return
    if not (limit.mode == Mode.APPROVE and actions()[task.action].observes):
        raise Withheld(LOWERED)
