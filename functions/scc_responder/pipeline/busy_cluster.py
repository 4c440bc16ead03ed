"""A cluster that has its half of this instance: its further findings come again, and people are told once a day."""

from __future__ import annotations

from scc_responder.collect.target import Collected
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import case_digest
from scc_responder.journal.journal import ClaimOutcome, claim_outcome
from scc_responder.journal.notices import busy_notice
from scc_responder.journal.told_today import is_first_today
from scc_responder.pipeline.services import Services

_WORKED_ON = frozenset({ClaimOutcome.RESUMED, ClaimOutcome.REOPENED})


def admit_request(cluster: str, services: Services) -> None:
    """Let this request work on the cluster. Raises RetryableError `cluster_busy`, about which people are told."""
    try:
        services.bulkheads.admit(cluster)
    except RetryableError:
        tell_busy(cluster, services)
        raise


def admit_delivery(finding: Finding, services: Services) -> None:
    """The same for a delivery that has not claimed its case. A copy that brings nothing new passes without a place."""
    try:
        services.bulkheads.admit(finding.cluster_path, finding.key)
    except RetryableError:
        record = services.journal.read(finding.key)
        if record is None or claim_outcome(record, finding, case_digest(finding), is_held=True) in _WORKED_ON:
            tell_busy(finding.cluster_path, services)
            raise


def refuse_busy(collected: Collected, services: Services) -> None:
    """Raise RetryableError where the API server that was found to be the cluster's has its half already."""
    error = collected.errors.get("api")
    if error is not None and error.reason == Reason.CLUSTER_BUSY:
        tell_busy(collected.context.finding.cluster_path, services)
        raise RetryableError(Reason.CLUSTER_BUSY, str(error)) from error


def tell_busy(cluster: str, services: Services) -> None:
    """Notify people once a day, unless a first answer is awaited. Each process asks the store once a day."""
    if services.bulkheads.is_tried(cluster):
        return
    now, reason = services.clock(), Reason.CLUSTER_BUSY
    if services.bulkheads.is_news(cluster, now.date()) and is_first_today(services.store, reason, cluster, now):
        services.notify(busy_notice(cluster))
