"""Evidence again: once a service or job of Cloud Run was changed, it is read anew and kept beside what was before.

Nobody looks into a container there, so its settings before and after are all that shows what was done.
"""

from __future__ import annotations

import dataclasses

from msgspec.structs import replace

from scc_responder.collect.run_facts import RUN_FACTS, run_facts, start_run_reads
from scc_responder.collect.target import Reads
from scc_responder.domain.changes import Disruption, kind_of_stored
from scc_responder.domain.changes.capture_again import CaptureAgain
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.execute.execution import RESPONDER, Execution, Task
from scc_responder.execute.world import World
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, PlannedAction

REREAD_SECONDS = 15.0

_MAY_HAVE_CHANGED = frozenset({StepStatus.DONE, StepStatus.NOT_EFFECTIVE, StepStatus.OVERRIDDEN})


def evidence_after(execution: Execution) -> Task | None:
    """The capture that follows the case's changes on Cloud Run; None where none was made, or none was captured before.

    It is one for each set of changes: what is done in a later delivery is captured once more.
    """
    steps = execution.current_steps
    captured = any(
        kind_of_stored(step.change) is CAPTURES_EVIDENCE and step.status is StepStatus.DONE for step in steps
    )
    changes = [step for step in steps if _has_changed_service(step)]
    if not (captured and changes) or execution.world.run() is None:
        return None
    names = ",".join(sorted(f"{step.action_id}.{step.index}" for step in changes))
    planned = PlannedAction(
        action="capture_evidence", result=ActionResult.PLANNED, reason=Reason.PLANNED, variant=f"after:{names}"
    )
    changed_at = max((step.settled_at for step in changes if step.settled_at), default=None)
    change = CaptureAgain(changed_at=changed_at)
    return Task(policy=RESPONDER, action=planned.action, action_id=execution.action_id(planned), change=change)


def _has_changed_service(step: Step) -> bool:
    kind = kind_of_stored(step.change)
    was_sent = step.reason == Reason.RECONCILIATION_FAILED or (
        step.status in _MAY_HAVE_CHANGED and step.reason != Reason.ALREADY
    )
    return kind is not None and kind.disrupts is Disruption.SERVICES and was_sent


def read_again(context: Context, world: World) -> tuple[Context, World]:
    """What the finding is about on Cloud Run as it is now, and the errors of that. What was read before is left out.

    Raises RetryableError where a later delivery may read it.
    """
    run, reads = world.run(), Reads(world.pool, REREAD_SECONDS)
    meant = context.revision.name if context.revision else ""
    started = start_run_reads(context.finding, run, reads) if run else {}
    facts = run_facts(context.finding, started, reads, run, chosen=meant) if run else {}
    for error in reads.errors.values():
        if isinstance(error, ApiError) and error.may_pass:
            raise RetryableError(error.reason, error.explanation, permission=error.permission) from error
    gone = dict.fromkeys(RUN_FACTS)
    return replace(context, **{**gone, **facts}, missing=reads.missing), dataclasses.replace(
        world, unread=reads.errors, early={}
    )
