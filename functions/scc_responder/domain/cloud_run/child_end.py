"""One end of a revision or an execution of Cloud Run: probed, intended, sent under its etag, awaited, and read back.

Source: google/cloud/run/v2/revision.proto, execution.proto.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from scc_responder.domain.changes import StepRun
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunRevision
from scc_responder.domain.cloud_run.run_reads import RunOperation
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.cloud_run.service_update import RECONCILED_SECONDS, awaited, not_carried_out, until_written
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, failed, refused
from scc_responder.domain.text import visible

_POLL_SECONDS = 1.0
_LENGTH = 300


@dataclass(kw_only=True, slots=True)
class EndRun:
    """One attempt at an end. `name` is the service or job.

    `sent`: a request of ours may have gone out. `ran_at`: when a read began that showed it there.
    """

    session: RunSession
    step: StepRun
    name: RunName
    sent: bool
    ran_at: datetime | None


class ChildEnd(Protocol):
    """What an end is, and what it means. A child that is gone is None."""

    @property
    def path(self) -> str:
        """The path of the service or job."""

    @property
    def would(self) -> Reason:
        """What a rehearsal says."""

    def read(self, run: EndRun) -> RunRevision | RunExecution:
        """The revision or execution. Raises ApiError."""

    def judged(self, run: EndRun, child: Any) -> Result | None:
        """What the child says; None while it is not at its end."""

    def is_ending(self, child: Any) -> bool:
        """Whether its end was asked for, by whomever."""

    def refusal(self, run: EndRun) -> Result | None:
        """Why it is not to be ended, by its service or job as it is now. None if it may be."""

    def send(self, run: EndRun, etag: str) -> RunOperation:
        """The request. Raises ApiError."""


def end_child(session: RunSession, step: StepRun, end: ChildEnd) -> Result:
    """End it, unless it has ended. Raises RetryableError where a later delivery has to go on."""
    name = RunName.parse(end.path)
    if name is None:
        return failed(Reason.SERVICE_NOT_NAMED, visible(end.path, _LENGTH))
    ran_at = step.intended_at if step.intended else None
    run = EndRun(session=session, step=step, name=name, sent=step.intended, ran_at=ran_at)

    def once(sent: bool) -> Result:
        run.sent |= sent
        return _tried(run, end)

    return until_written(end.path, step, once)


def _tried(run: EndRun, end: ChildEnd) -> Result:
    """One attempt. Raises ApiError of the request itself, RetryableError while it is not carried out."""
    child = _look(run, end)
    if isinstance(child, Result):
        return child
    if end.is_ending(child) and not run.step.dry_run:
        return _ended(run, end)
    refusal = end.refusal(run)
    if refusal:
        return refusal
    run.step.intend()
    try:
        return _sent(run, end, child.etag)
    except ApiError as error:
        again = _look(run, end) if error.status == 400 else None
        refusal = again if isinstance(again, Result) else again and end.refusal(run)
        if refusal is None:
            raise
        return refusal


def _look(run: EndRun, end: ChildEnd) -> Any:
    """The child as it is now, or what it says of itself."""
    began = run.step.clock()
    child = None
    try:
        child = end.read(run)
    except ApiError as error:
        if error.status != 404:
            return refused(error)
    result = end.judged(run, child)
    if result is None:
        run.ran_at = began
    return result or child


def _sent(run: EndRun, end: ChildEnd, etag: str) -> Result:
    """Send it. Raises ApiError of the request itself, RetryableError while it is not carried out."""
    operation = end.send(run, etag)
    if run.step.dry_run:
        return Result(status=StepStatus.DRY_RUN, reason=end.would)
    run.sent = True
    operation = awaited(run.session, run.step, operation)
    return not_carried_out(operation) if operation.error else _ended(run, end)


def _ended(run: EndRun, end: ChildEnd) -> Result:
    """What it says once it has ended. Raises RetryableError where that takes longer than this delivery."""
    left = run.step.seconds(RECONCILED_SECONDS)
    while not isinstance(result := _look(run, end), Result):
        if left <= 0:
            raise RetryableError(Reason.RECONCILING, f"{end.path}: it has not ended yet")
        run.session.wait(_POLL_SECONDS)
        left -= _POLL_SECONDS
    return result
