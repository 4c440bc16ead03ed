"""What the kill switch takes from a response that has begun: it is asked again before every intent."""

from __future__ import annotations

from scc_responder.actions.contract import actions
from scc_responder.collect.confirm import Settled
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode, furthest
from scc_responder.execute.execution import RESPONDER, Execution, Task
from scc_responder.execute.gate import Withheld
from scc_responder.guard.control import DISABLED, LOWERED, Ceiling
from scc_responder.journal.case import CaseState


def refuse_disabled(limit: Ceiling, finding: Finding | None = None) -> None:
    """Raises Settled where nothing at all may be done: the case is held, and can be resumed."""
    if limit.mode == Mode.DISABLED:
        raise Settled(DISABLED, CaseState.HELD, "WARNING", confirmed=finding)


def stay_under_control(execution: Execution, task: Task) -> None:
    """Ask the switch again. Raises Withheld where it keeps the task from being carried out now, Settled where all ends.

    Raises RetryableError where nobody can tell. The responder's own message is sent unless nothing at all may be done.
    """
    limit = execution.world.ceiling()
    refuse_disabled(limit)
    if task.policy.name == RESPONDER.name or furthest(task.policy.mode, limit.mode) == task.policy.mode:
        return
    if not (limit.mode == Mode.APPROVE and actions()[task.action].observes):
        raise Withheld(LOWERED)
