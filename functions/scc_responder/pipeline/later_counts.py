"""Count the instances of a revision again, minutes after a change: until then nothing says what came of it.

A case that kept a changed service leaves a note in the store. A sweep asks Cloud Monitoring five minutes later, and
again until an instance count is of after the change; then it stores that beside what the case has.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from scc_responder.domain.changes import kind_of_stored, restored
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN, CaptureAgain
from scc_responder.domain.cloud_run.run_metrics import run_activity
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.context import Context
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import Step
from scc_responder.pipeline.later_notes import ASKED_AFTER, LaterNote, add_evidence, answer_notes, leave_note
from scc_responder.pipeline.services import Services

COUNT_NOTES = "counts/"


class LaterCount(LaterNote, frozen=True, kw_only=True):
    """Which service and revision is to be counted, and when it was changed."""

    path: str
    revision: str
    changed_at: datetime


def note_count(context: Context, steps: Iterable[Step], services: Services) -> None:
    """Leave a note where the case kept a service after a change of it. Raises StoreError."""
    kept = [step for step in steps if kind_of_stored(step.change) is CAPTURES_AGAIN and step.status is StepStatus.DONE]
    if not kept or services.metrics is None or context.service is None:
        return
    change = restored(kept[-1].change)
    if not isinstance(change, CaptureAgain) or change.changed_at is None:
        return
    note = LaterCount(
        finding_name=context.finding.name,
        event_time=context.finding.event_time,
        due_at=services.clock() + ASKED_AFTER,
        path=context.service.name.path,
        revision=context.revision.name if context.revision else "",
        changed_at=change.changed_at,
    )
    leave_note(f"{COUNT_NOTES}{change.changed_at:%Y%m%dT%H%M%S}/", context.finding.key, note, services)


def count_later(services: Services) -> int:
    """Count for the notes that are due, and return how many were answered. Raises StoreError."""
    if services.metrics is None or services.evidence is None:
        return 0
    from scc_responder.execute.evidence.sources.run_settings import run_settings, usage_item  # noqa: PLC0415 - cold start

    def keep(note: LaterCount) -> bool:
        name = RunName.parse(note.path)
        if name is None:
            return True
        activity = run_activity(services.metrics, name, note.revision, services.clock())
        if activity.instances_since(note.changed_at).value is None:
            return False
        add_evidence(note, run_settings, (usage_item(activity, name, note.revision, note.changed_at),), services)
        return True

    return answer_notes(COUNT_NOTES, LaterCount, keep, services)
