"""One update of a service of Cloud Run: probed, intended, sent under its etag, awaited, and read back.

Source: google/cloud/run/v2/service.proto; `reconciling` and `observed_generation` there say when it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from scc_responder.domain.changes import StepRun
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunJob, RunService
from scc_responder.domain.cloud_run.run_reads import RunOperation, RunRead
from scc_responder.domain.cloud_run.run_session import RunSession
from scc_responder.domain.errors import ApiError, OutcomeUnknown, RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, failed, refused, target_gone
from scc_responder.domain.text import visible

if TYPE_CHECKING:
    from scc_responder.domain.changes.cloud_run.service_change import ServiceChange

RECONCILED_SECONDS = 20.0
"""How long an update is waited for in one delivery."""

DEPLOY_LASTS = timedelta(minutes=5)
"""How long a change by others that is under way is waited for, from its beginning, before one of ours."""

_TRIES = 3
_CONFLICT = 409
_POLL_SECONDS = 1.0
_LENGTH = 300
_Owner = TypeVar("_Owner", RunService, RunJob)
_FAILED = "CONDITION_FAILED"


def update_service(session: RunSession, step: StepRun, update: ServiceChange) -> Result:
    """Make the update, unless it is made. Raises RetryableError where a later delivery has to go on."""
    name = RunName.parse(update.path)
    if name is None:
        return failed(Reason.SERVICE_NOT_NAMED, visible(update.path, _LENGTH))
    return until_written(update.path, step, partial(_once, session, step, update, name))


def until_written(path: str, step: StepRun, once: Callable[[bool], Result]) -> Result:
    """What `once` comes to, tried again from a fresh probe where it met a change by others, or an unknown outcome.

    It is told whether a request of ours may have gone out. Raises RetryableError where a later delivery has to go on.
    """
    sent, last = step.intended, None
    for _ in range(_TRIES):
        try:
            return once(sent)
        except ApiError as error:
            if not (isinstance(error, OutcomeUnknown) or error.status == _CONFLICT):
                return outcome(error)
            sent, last = sent or isinstance(error, OutcomeUnknown), error
    raise RetryableError(last.reason if last else Reason.UNSETTLED, f"{_TRIES} attempts on {path}") from last


def _once(session: RunSession, step: StepRun, update: ServiceChange, name: RunName, sent: bool) -> Result:
    """One try. Raises ApiError of the update itself."""
    service = read_service(session, name, update.uid)
    if isinstance(service, Result):
        return service
    if update.holds(service):
        return _settled(session, step, update, service, Reason.DONE_BEFORE if sent else Reason.ALREADY)
    if update.deployed and not (sent or step.dry_run) and _is_being_deployed(service, step):
        # What is under way may be the mend: it is not set back, nor scaled away, before it is known.
        session.read[name.path] = _reconciled(session, step, update, service)
        raise ApiError(Reason.RECONCILING, "a change by others was under way", status=_CONFLICT)
    refusal = update.refusal(service)
    if refusal and sent and refusal != Reason.SERVICE_DEPLOYED:
        return Result(status=StepStatus.OVERRIDDEN, reason=refusal)
    if refusal:
        raise RetryableError(refusal, f"{update.path}: planned anew by the next delivery")
    step.intend()
    return _sent(session, step, update, service)


def _is_being_deployed(service: RunService, step: StepRun) -> bool:
    """Whether somebody's change is under way, unless it has been for so long that it may never end."""
    began = service.update_time
    return service.reconciling and (began is None or step.clock() - began < DEPLOY_LASTS)


def read_service(session: RunSession, name: RunName, uid: str) -> RunService | Result:
    """The service of this UID, or the outcome where it is gone, another, or being deleted."""
    known = session.read.pop(name.path, None)
    return _of_uid(known, uid) if known else read_owner(partial(session.api.get_service, name), uid)


def read_owner(read: Callable[[], RunRead[_Owner]], uid: str) -> _Owner | Result:
    """The same of a service or a job, which `read` asks for."""
    try:
        return _of_uid(read().value, uid)
    except ApiError as error:
        return target_gone() if error.status == 404 else refused(error)


def _of_uid(owner: _Owner, uid: str) -> _Owner | Result:
    if owner.uid != uid:
        return Result(status=StepStatus.TARGET_REPLACED, reason=Reason.TARGET_REPLACED)
    if owner.delete_time is not None:
        return Result(status=StepStatus.TARGET_GONE, reason=Reason.SERVICE_DELETING)
    return owner


def outcome(error: ApiError) -> Result:
    """The outcome that a refused write stands for. Raises RetryableError where a later delivery may succeed."""
    return failed(error.reason, str(error)) if error.status == 400 else refused(error)


def awaited(session: RunSession, step: StepRun, operation: RunOperation) -> RunOperation:
    """The operation once it is done, well or not. Raises RetryableError where that takes longer than this delivery."""
    try:
        ended = session.api.wait_operation(operation.name, step.seconds(RECONCILED_SECONDS))
    except ApiError as error:
        raise RetryableError(Reason.RECONCILING, str(error)) from error
    if not ended.done and not ended.error:
        raise RetryableError(Reason.RECONCILING, operation.name)
    return ended


def not_carried_out(operation: RunOperation) -> Result:
    """The outcome that an operation stands for which ended with an error."""
    return failed(Reason.RECONCILIATION_FAILED, f"{operation.error}: {visible(operation.message, _LENGTH)}")


def _sent(session: RunSession, step: StepRun, update: ServiceChange, service: RunService) -> Result:
    """Send it. Raises ApiError of the update itself, RetryableError while it is not reconciled."""
    fields = update.fields(service)
    operation = session.api.update_service(
        service.name, _nested(fields), mask=sorted(fields), etag=service.etag, validate_only=step.dry_run
    )
    if step.dry_run:
        return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_UPDATE_SERVICE)
    ended = awaited(session, step, operation)
    read = read_service(session, service.name, update.uid)
    if isinstance(read, Result):
        return read
    if ended.error and not update.is_served(read):
        return not_carried_out(ended)
    return _settled(session, step, update, read, None)


def _nested(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`template.revision` as a field of `template`."""
    service: dict[str, Any] = {}
    for path, value in fields.items():
        *parents, last = path.split(".")
        place = service
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = value
    return service


def _settled(
    session: RunSession, step: StepRun, update: ServiceChange, service: RunService, reason: Reason | None
) -> Result:
    """What the service says once it is reconciled. Raises RetryableError where that takes longer than this delivery."""
    service = _reconciled(session, step, update, service)
    session.read[update.path] = service
    if not update.holds(service):
        return Result(status=StepStatus.OVERRIDDEN, reason=Reason.OVERRIDDEN, detail="set, and changed by another")
    if service.ready and service.ready.state == _FAILED and not (service.has_routes or update.is_served(service)):
        return failed(Reason.RECONCILIATION_FAILED, visible(service.ready.message, _LENGTH))
    return update.judged(service, step, reason)


def _reconciled(session: RunSession, step: StepRun, update: ServiceChange, service: RunService) -> RunService:
    """The service once it is as its settings say. Raises RetryableError where that takes longer than this delivery."""
    left = step.seconds(RECONCILED_SECONDS)
    while service.reconciling or service.observed < service.generation:
        if left <= 0:
            raise RetryableError(Reason.RECONCILING, f"{update.path}: generation {service.generation}")
        session.wait(_POLL_SECONDS)
        left -= _POLL_SECONDS
        try:
            service = session.api.get_service(service.name).value
        except ApiError as error:
            raise RetryableError(error.reason, str(error)) from error
    return service
