"""Action `cancel_execution`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, Skip, action, without_execution
from scc_responder.domain.changes.cloud_run.cancel_execution import CANCELS_EXECUTION, CancelExecution, has_ended
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(params=NoParams, makes=[CANCELS_EXECUTION], needs_identity=True)
def cancel_execution(context: Context, _params: NoParams) -> Planned:
    """Cancel the execution of the job that the finding means, and see its tasks end.

    It cannot be undone. What the tasks did so far stays. The job itself stays too: its next start, also by a schedule,
    runs the same image again, and the case prints the command that deletes it. An execution that has ended is skipped.

        then:
          - action: capture_evidence
          - action: cancel_execution
    """
    job, execution = context.job, context.execution
    if job is None or execution is None:
        return without_execution(context)
    if has_ended(execution):
        return Skip(reason=Reason.EXECUTION_ENDED)
    return [CancelExecution(path=job.name.path, uid=job.uid, execution=execution.name, execution_uid=execution.uid)]
