"""Source `cloud_logging`."""

from __future__ import annotations

from collections.abc import Sequence

from scc_responder.domain.changes.capture_cloud_logs import CAPTURES_CLOUD_LOGS
from scc_responder.domain.errors import ApiError
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, SourceInput, source
from scc_responder.execute.evidence.log_entries import LogNames, ask_logs
from scc_responder.execute.evidence.log_filters import identities, log_project, log_queries, resources

TOO_MANY_REQUESTS = 429


@source(
    moment=Moment.LATE,
    permissions=iam("logging.logEntries.list", "logging.privateLogEntries.list"),
    deadline_seconds=25.0,
    asked_by=CAPTURES_CLOUD_LOGS,
)
def cloud_logging(given: SourceInput) -> Sequence[EvidenceItem]:
    """What Cloud Logging has of the pod, its node, who changed or entered the workload, and what its identity did."""
    context = given.context
    project, queries = log_project(context), log_queries(context)
    if given.logs is None:
        raise NotPossible(Reason.NO_CLOUD_LOGGING)
    if not (project and queries):
        raise NotPossible(Reason.NOTHING_TO_ASK)
    names = LogNames(resources(context), identities(context))
    items: list[EvidenceItem] = []
    errors: list[ApiError] = []
    for query in queries:
        try:
            items.append(ask_logs(given.logs, project, query, names))
        except ApiError as error:
            errors.append(error)
    is_later = any(error.status == TOO_MANY_REQUESTS for error in errors)
    if errors and not items:
        raise NotPossible(Reason.LOGS_LATER) if is_later else errors[0]
    if errors:
        said = Reason.LOGS_LATER if is_later else errors[0].reason
        items.append(EvidenceItem(kind="log errors", content=[str(error) for error in errors], summary=said))
    return items
