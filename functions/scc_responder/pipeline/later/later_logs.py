"""Ask Cloud Logging once more for a finding's entries: some arrive minutes after what they tell of.

A case that captured them leaves a note in the store. A sweep asks the same questions five minutes later and stores what
it gets beside what is there: an answer that says the same is the same object.
"""

from __future__ import annotations

from collections.abc import Iterable

from scc_responder.actions import actions
from scc_responder.domain.changes import kind_of_stored
from scc_responder.domain.changes.capture_cloud_logs import CAPTURES_CLOUD_LOGS
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.status import StepStatus
from scc_responder.execute.evidence import sources_for
from scc_responder.execute.evidence.log_entries import LogNames, ask_logs
from scc_responder.execute.evidence.log_filters import LogQuery, identities, log_project, log_queries, resources
from scc_responder.journal.step import Step
from scc_responder.pipeline.later.later_notes import ASKED_AFTER, LaterNote, add_evidence, answer_notes, leave_note
from scc_responder.pipeline.services import Services

NOTES = "logs/"


class LaterLogs(LaterNote, frozen=True, kw_only=True):
    """What is to be asked again, and when. `resources` and `identities` are those of `LogNames`."""

    project: str
    queries: tuple[LogQuery, ...]
    resources: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()


def note_later(context: Context, steps: Iterable[Step], services: Services) -> None:
    """Leave a note where the case captured entries of Cloud Logging. Raises StoreError."""
    captured = any(
        kind_of_stored(step.change) is CAPTURES_CLOUD_LOGS and step.status is StepStatus.DONE for step in steps
    )
    project, queries = log_project(context), log_queries(context)
    if not captured or services.logs is None or not (project and queries):
        return
    note = LaterLogs(
        finding_name=context.finding.name,
        event_time=context.finding.event_time,
        project=project,
        queries=queries,
        due_at=services.clock() + ASKED_AFTER,
        resources=resources(context),
        identities=identities(context),
    )
    leave_note(NOTES, context.finding.key, note, services)


def ask_later(services: Services) -> int:
    """Ask for the notes that are due, and return how many were answered. Raises StoreError.

    The store is asked only where an enabled policy captures these entries.
    """
    logs = services.logs
    if not _is_asked_for(services) or logs is None or services.evidence is None:
        return 0
    (source,) = sources_for(CAPTURES_CLOUD_LOGS)

    def keep(note: LaterLogs) -> bool:
        names = LogNames(note.resources, note.identities)
        items = tuple(ask_logs(logs, note.project, query, names) for query in note.queries)
        add_evidence(note, source, items, services)
        return True

    return answer_notes(NOTES, LaterLogs, keep, services)


def _is_asked_for(services: Services) -> bool:
    steps = (step for policy in services.policies.policies if policy.furthest != Mode.DISABLED for step in policy.then)
    return any(kind is CAPTURES_CLOUD_LOGS for step in steps for kind in actions()[step.action].makes)
