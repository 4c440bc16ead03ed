"""Action `cancel_execution`."""

from __future__ import annotations

from scc_responder.actions import Hold, NoParams, Planned, Skip, action, without_execution
from scc_responder.domain.changes.cloud_run.cancel_execution import CANCELS_EXECUTION, CancelExecution
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.cloud_run.run_objects import RunExecution
from scc_responder.domain.cloud_run.running_executions import has_ended, others_running
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason


@action(params=NoParams, makes=[CANCELS_EXECUTION], needs_identity=True, against=Countermeasure.PROCESS_TERMINATION)
def cancel_execution(context: Context, _params: NoParams) -> Planned:
    """Cancel the execution of the job that the finding means, and see its tasks end.

    It cannot be undone. What the tasks did so far stays. The job itself stays too: its next start, also by a schedule,
    runs the same image again, and the case prints the command that deletes it. An execution that has ended is skipped;
    while others of the job run the image, it is held: a person cancels those by the commands in the case.

        then:
          - action: capture_evidence
          - action: cancel_execution
    """
    job, execution = context.job, context.execution
    if job is None or execution is None:
        return without_execution(context)
    if has_ended(execution):
        return _ended(context, execution)
    return [CancelExecution(path=job.name.path, uid=job.uid, execution=execution.name, execution_uid=execution.uid)]


def _ended(context: Context, execution: RunExecution) -> Skip | Hold:
    """Nothing to do, unless others of the job run the image, or may."""
    if "executions" in context.missing:
        return Hold(reason=Reason.read(context.missing["executions"]) or Reason.SERVICE_UNREADABLE)
    digests = context.finding.image_digests or {item.digest for item in execution.containers}
    if others_running(context.executions or (), execution, digests):
        return Hold(reason=Reason.OTHER_EXECUTIONS_RUN)
    return Skip(reason=Reason.EXECUTION_ENDED)
