"""Whether people were told a short time ago of the same hold of the same workload: then one message says it for all.

A pod that is not cut off is told of by itself: somebody has to do something about it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.execute.execution import Execution
from scc_responder.guard.disruption import budget_of, disruption_request
from scc_responder.guard.limits.ledger_document import Budget
from scc_responder.journal.step import Step
from scc_responder.journal.told_today import is_first_within

WITHIN = timedelta(minutes=10)
"""So long one message stands for all of a workload."""

_OF_AVAILABILITY = frozenset(
    {
        Reason.LIMIT,
        Reason.STORM_BREAKER,
        Reason.FIRST_SHOT_TOO_WIDE,
        Reason.LAST_READY_REPLICA,
        Reason.DISRUPTION_BUDGET,
        Reason.SEVERAL_DISRUPTION_BUDGETS,
        Reason.NEEDS,
    }
)


def is_told_as_one(execution: Execution, untold: Sequence[Step]) -> bool:
    """Whether limits or availability alone hold these steps, and another case of the workload told so already."""
    store, context = execution.world.store, execution.context
    if store is None or not is_of_availability(untold):
        return False
    about = told_of(context, execution.target_uid, execution.current_steps)
    return not is_first_within(store, about, context.finding.key, execution.world.clock(), WITHIN)


def is_of_availability(untold: Sequence[Step]) -> bool:
    """Whether limits or availability alone hold these steps."""
    words = {reason.word if (reason := Reason.read(step.reason)) else None for step in untold}
    return words <= _OF_AVAILABILITY


def told_of(context: Context, target_uid: str, steps: Iterable[Step]) -> str:
    """Where it is, and the workload, if this pod of it is cut off; else the pod."""
    known = actions()
    asked = disruption_request(context, known["isolate_pod"], "")
    cut = any(step.status is StepStatus.DONE and budget_of(known[step.action]) is Budget.ISOLATION for step in steps)
    return f"{context.finding.place} {asked.group if asked and cut else target_uid}"
