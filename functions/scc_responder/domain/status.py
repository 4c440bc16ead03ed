"""How far a case is, how far each of its steps is, and the outcome of one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value


class CaseState(StrEnum):
    """How far a case is. Every state but `open` is an end."""

    OPEN = "open"
    DONE = "done"
    """Everything the policies asked for was done and verified, or there was nothing to do."""
    REHEARSED = "rehearsed"
    """The policies are in `dry_run`: what observes was done, and every change was rehearsed or held."""
    NOTHING_MATCHED = "nothing_matched"
    """No policy applied, so nothing was done."""
    TARGET_ABSENT = "target_absent"
    """Nothing was done to the target, because it is not there."""
    PARTIAL = "partial"
    """Some steps failed or were held: the steps say which and why."""
    HELD = "held"
    """Nothing was done, because something forbids it: a guardrail, the scope, the kill switch."""
    SUPERSEDED = "superseded"
    """The finding is no longer active or was muted before the last step."""
    REJECTED = "rejected"
    """The finding could not be confirmed: perhaps forged."""
    WAITING = "waiting"
    """A plan waits for a person's approval. Everything else is done; an approval opens the case again."""


class StepStatus(StrEnum):
    """How far a step is. `intent` and `unknown` are unsettled: the target is probed before anything is tried again."""

    INTENT = "intent"
    UNKNOWN = "unknown"
    DONE = "done"
    """Carried out, or found in the wanted state, and read back."""
    NOT_EFFECTIVE = "not_effective"
    """Carried out and read back, but the cluster does not make it hold, or cannot tell."""
    TERMINATING = "terminating"
    """The deletion was accepted; that the pod's processes have ended is not known yet, or at all."""
    TARGET_GONE = "target_gone"
    TARGET_REPLACED = "target_replaced"
    NOT_POSSIBLE = "not_possible"
    """The platform does not allow it at all; later steps go on."""
    OVERRIDDEN = "overridden"
    """Carried out, and undone by another since: it is not done again."""
    FAILED = "failed"
    SKIPPED = "skipped"
    HELD = "held"
    DRY_RUN = "dry_run"
    WAITING = "waiting"
    """Part of a plan that a person has not approved yet."""


class Containment(StrEnum):
    """How far a threat is contained, the least first: what was read back, never what was asked for."""

    ISOLATED = "isolated"
    """No new connection is possible. Established ones may go on."""
    SEVERED = "severed"
    """No connection is left, and no new one is possible."""
    FROZEN = "frozen"
    """The matched processes are stopped."""
    PROCESSES_ENDED = "processes_ended"
    """Every process of the pod has ended."""
    DELETED = "deleted"
    """The pod is gone, and its processes have ended or had all of their grace period to."""
    RETIRED = "retired"
    """No request reaches the revision of Cloud Run, by share or by tag. Its instances may still run."""
    SCALED_TO_ZERO = "scaled_to_zero"
    """The service of Cloud Run may have no instance. Whether the last one has ended is not known by that."""
    EXECUTION_ENDED = "execution_ended"
    """No task of the execution of Cloud Run runs."""


class FrozenProcess(Value, frozen=True, kw_only=True):
    """A process that was stopped. `start_ticks`, when it started, tells it from a later one with the same pid."""

    pid: int
    start_ticks: int


class Result(Value, frozen=True, kw_only=True):
    """The outcome of one change. `detail` says more than `reason`, for people.

    `containment` is how far it contains the threat; None: not at all, as far as known. `contained_at` is since when no
    process of the threat reaches anybody, by this change alone; None: that is not so, or nobody saw when. It is None of
    `isolated`, and of `frozen` but on the host's network: elsewhere `severed` beside it counts. Another machine's time
    is taken by `clock.bounded`. `due_at`: when a sweep has to look again, or had to, as the end is not known.
    `frozen` are the processes that were stopped, for whoever lets them go on. `left` says in words what of the threat
    goes on all the same: while it does, the threat is not contained. `unknown` is why nobody knows whether instances of
    a revision of Cloud Run run.
    """

    status: StepStatus
    reason: Reason
    detail: str = ""
    containment: Containment | None = None
    contained_at: datetime | None = None
    due_at: datetime | None = None
    frozen: tuple[FrozenProcess, ...] = ()
    left: str = ""
    unknown: str = ""


def done(reason: Reason, detail: str = "") -> Result:
    """The step is done and was read back."""
    return Result(status=StepStatus.DONE, reason=reason, detail=detail)


def failed(reason: Reason, detail: str = "") -> Result:
    """The step cannot be done; no later delivery will change that."""
    return Result(status=StepStatus.FAILED, reason=reason, detail=detail)


def not_effective(reason: Reason, detail: str = "") -> Result:
    """The step was carried out, and what was read back is less than what it is for."""
    return Result(status=StepStatus.NOT_EFFECTIVE, reason=reason, detail=detail)


def undo_refused(detail: str) -> Result:
    """It is not taken back; `detail` says what somebody changed since."""
    return Result(status=StepStatus.HELD, reason=Reason.UNDO_REFUSED, detail=detail)


def target_gone() -> Result:
    """The object is not there, and not by our doing."""
    return Result(status=StepStatus.TARGET_GONE, reason=Reason.GONE_BY_OTHER)


def not_the_target(read: Mapping[str, Any] | None, uid: str) -> Result | None:
    """The outcome where the object, as it was read, is gone or has another UID; None where it is the one."""
    if read is None:
        return target_gone()
    if read["metadata"]["uid"] != uid:
        return Result(status=StepStatus.TARGET_REPLACED, reason=Reason.TARGET_REPLACED)
    return None


def refused(error: ApiError) -> Result:
    """The outcome that a refusal stands for. Raises RetryableError for any other error: it may pass."""
    if error.status in {403, 404}:
        return failed(error.reason, error.explanation)
    raise RetryableError(error.reason, str(error)) from error
