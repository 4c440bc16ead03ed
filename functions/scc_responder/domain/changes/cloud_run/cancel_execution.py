"""Kind of change: cancel one execution of a job."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import msgspec

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.clock import bounded
from scc_responder.domain.cloud_run.child_end import EndRun, end_child
from scc_responder.domain.cloud_run.run_objects import RunExecution
from scc_responder.domain.cloud_run.run_reads import RunOperation
from scc_responder.domain.cloud_run.running_executions import (
    MOST_EXECUTIONS,
    ended_before,
    has_ended,
    named,
    others_running,
)
from scc_responder.domain.cloud_run.service_update import read_owner
from scc_responder.domain.errors import ApiError
from scc_responder.domain.permissions import RUN_OPERATION, iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, StepStatus, done, target_gone

CANCELS_EXECUTION = ChangeKind(
    permissions=iam("run.executions.cancel", "run.executions.get", "run.jobs.get", RUN_OPERATION),
    reversible=False,
    disrupts=Disruption.SERVICES,
)

_CANCELLING = "CANCELLING"


class CancelExecution(Change, frozen=True, kw_only=True, tag="cancel_execution"):
    """Cancel the execution with `execution_uid`, of the job at `path` with this UID. It is never undone."""

    declares: ClassVar[ChangeKind] = CANCELS_EXECUTION
    lasting: ClassVar[str] = "a cancelled execution does not go on; run the job again"

    path: str
    uid: str
    execution: str
    execution_uid: str

    @property
    def target(self) -> ChangedObject:
        """The execution."""
        return ChangedObject(kind="Execution", name=f"{self.path}/executions/{self.execution}", uid=self.execution_uid)

    @property
    def felt(self) -> str:
        """See `Change.felt`."""
        return (
            f"the tasks of {self.execution} end, and what they did so far stays; the next start of the job, also by a"
            " schedule, runs the same image again"
        )

    @property
    def would(self) -> Reason:
        """See `ChildEnd.would`."""
        return Reason.WOULD_CANCEL_EXECUTION

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Cancel it, and see its tasks end."""
        return means.in_cloud_run(partial(end_child, step=step, end=self))

    def read(self, run: EndRun) -> RunExecution:
        """See `ChildEnd.read`."""
        return run.session.api.get_execution(run.name, self.execution).value

    def judged(self, run: EndRun, execution: RunExecution | None) -> Result | None:
        """See `ChildEnd.judged`."""
        if execution is None:
            return target_gone()
        if execution.uid != self.execution_uid:
            return Result(status=StepStatus.TARGET_REPLACED, reason=Reason.TARGET_REPLACED)
        if not has_ended(execution) or execution.completion_time is None:
            return None
        counts = f"tasks: {execution.succeeded} succeeded, {execution.failed} failed, {execution.cancelled} cancelled"
        detail = f"{counts}; to delete the job, which can start again: {run.name.deletion}"
        ours = run.sent and execution.cancelled > 0
        return msgspec.structs.replace(
            done(Reason.EXECUTION_CANCELLED if ours else Reason.EXECUTION_ENDED, detail),
            containment=Containment.EXECUTION_ENDED,
            contained_at=bounded(execution.completion_time, run.ran_at, run.step.clock()),
            left=_left(run, execution),
        )

    def is_ending(self, execution: RunExecution) -> bool:
        """See `ChildEnd.is_ending`."""
        return any(item.reason == _CANCELLING for item in execution.conditions)

    def refusal(self, run: EndRun) -> Result | None:
        """See `ChildEnd.refusal`."""
        job = read_owner(partial(run.session.api.get_job, run.name), self.uid)
        return job if isinstance(job, Result) else None

    def send(self, run: EndRun, etag: str) -> RunOperation:
        """See `ChildEnd.send`."""
        api, is_rehearsed = run.session.api, run.step.dry_run
        return api.cancel_execution(run.name, self.execution, etag=etag, validate_only=is_rehearsed)


def _left(run: EndRun, ended: RunExecution) -> str:
    """Which other executions of the job still run the image, or why nobody knows; empty where none does."""
    try:
        listed = run.session.api.list_executions(run.name, MOST_EXECUTIONS)
        job = run.session.api.get_job(run.name).value if not listed.complete else None
    except ApiError as error:
        return f"whether other executions of the job run is not known: {error.reason}"
    executions = [item.value for item in listed.items]
    names = others_running(executions, ended, {item.digest for item in ended.containers})
    if names:
        how_many = (
            "1 other execution of the job still runs"
            if len(names) == 1
            else f"{len(names)} other executions of the job still run"
        )
        return f"{how_many}: {named(names)}"
    is_known = job is None or ended_before(executions, job.latest_execution, run.step.clock())
    return "" if is_known else f"whether other executions of the job run is not known: {Reason.PARTIAL_LIST}"
