"""What becomes of a finding whose cluster answers nothing but refusals: it is held, and kept as evidence.

Nobody handed the cluster over yet, or somebody has taken it away: a sweep takes the case up again until it is too old.
"""

from __future__ import annotations

from contextlib import suppress

from scc_responder.collect.confirm import Settled
from scc_responder.collect.target import Collected
from scc_responder.domain.changes import StepRun, stored
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.errors import ApiError, ResponderError, StoreError
from scc_responder.domain.notices.notice import NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.execute.evidence.capture import capture
from scc_responder.execute.world import World
from scc_responder.journal.case import action_id
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.notices import case_notice
from scc_responder.journal.read_clusters import forget_refusal, was_ever_read
from scc_responder.journal.step import Step
from scc_responder.journal.told_today import is_first_today
from scc_responder.pipeline.services import Services

_READ_IN_CLUSTER = frozenset({"api", "pod", "namespace", "node"})
_FORBIDDEN, _UNAUTHENTICATED = 403, 401
TOKEN_TRIES = 3
"""Deliveries that a refused token is tried again for: it may have run out at this moment."""

_CAPTURE = "capture_evidence"


def refuse_shut(collected: Collected, case: ClaimedCase, services: Services, world: World) -> None:
    """Hold the finding if its cluster refuses everything that was asked.

    Raises Settled `cluster_not_onboarded` or, where a case shows that it was read before, `cluster_access_lost`;
    RetryableError where evidence is to be stored by a later delivery.
    """
    error = _refusal(collected, case.record.attempts)
    earlier = any((step.policy, step.action) == ("", _CAPTURE) for step in case.record.steps)
    finding = collected.context.finding
    if error is None:
        _note_answer(collected, services, was_held=earlier)
        return
    if not earlier:
        _keep(collected, case, world)
    lost = was_ever_read(services.store, finding.cluster_path, services.clock())
    reason = Reason.CLUSTER_ACCESS_LOST if lost else Reason.CLUSTER_NOT_ONBOARDED
    severity = "ERROR" if lost else "WARNING"
    raise Settled(reason, CaseState.HELD, severity, confirmed=finding, message=error.explanation) from error


def tell_today(case: ClaimedCase, reason: Reason, why: str, services: Services, *, severe: bool = False) -> None:
    """Notify people of a cluster in which nothing can be done: once a day and cluster.

    Of one that was taken away, and of a severe threat, they are told for each case.
    """
    is_lost = reason == Reason.CLUSTER_ACCESS_LOST
    about = case.record.finding_key if is_lost or severe else case.record.cluster
    if is_first_today(services.store, reason, about, services.clock()):
        severity = NoticeSeverity.ERROR if is_lost else NoticeSeverity.WARNING
        services.notify(case_notice(NoticeKind.UNDECIDED, case.record, reason, why, severity))


def _note_answer(collected: Collected, services: Services, *, was_held: bool) -> None:
    """The cluster answers: what was looked up while it refused no longer counts.

    Looked for once in each process, and for each case that it refused before.
    """
    cluster = collected.context.finding.cluster_path
    if collected.context.objects and (was_held or cluster not in services.answering):
        with suppress(StoreError):
            forget_refusal(services.store, cluster)
            services.answering.add(cluster)


def _refusal(collected: Collected, attempts: int) -> ResponderError | None:
    """What the cluster refuses everything with; None where it answered anything, or did not answer."""
    errors = [error for fact, error in collected.errors.items() if fact in _READ_IN_CLUSTER]
    statuses = {error.status if isinstance(error, ApiError) else 0 for error in errors}
    may_pass = _UNAUTHENTICATED in statuses and attempts < TOKEN_TRIES
    if not errors or collected.context.objects or may_pass or not statuses <= {_FORBIDDEN, _UNAUTHENTICATED}:
        return None
    return errors[0]


def _keep(collected: Collected, case: ClaimedCase, world: World) -> None:
    """Store what is known without the cluster: the finding, related findings, and what GKE says of the cluster."""
    if world.evidence is None:
        return
    finding, change = collected.context.finding, CaptureEvidence()
    name = action_id(_CAPTURE, finding.cluster_path, "", finding.key)
    run = StepRun(action_id=name, dry_run=False, intended=False, intend=case.renew, renew=case.renew)
    result = capture(change, run, collected.context, world)
    now = world.clock()
    step = Step(
        action_id=name,
        policy="",
        action=_CAPTURE,
        change=stored(change),
        epoch=case.record.epoch,
        intended_at=now,
        settled_at=now,
        status=result.status,
        reason=result.reason,
        detail=result.detail,
    )
    case.save(step)
