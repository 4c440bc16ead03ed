"""Count the instances of a revision again, minutes after a change: until then nothing says what came of it.

A case that kept a changed service leaves a note in the store. A sweep asks Cloud Monitoring five minutes later, and
again until an instance count is of after the change. Then it is stored beside what the case has, and the case says it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from msgspec.structs import replace

from scc_responder.collect.confirm import finding_named
from scc_responder.domain.changes import kind_of_stored, restored
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN, CaptureAgain
from scc_responder.domain.cloud_run.run_metrics import run_activity
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.context import Context
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.notices.notice import NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.domain.value import AwareDatetime
from scc_responder.execute.evidence import EvidenceItem
from scc_responder.execute.evidence.sealing import Sealed
from scc_responder.journal.account.manifest_names import manifests_named
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Transition
from scc_responder.journal.notices import case_notice
from scc_responder.journal.step import Step
from scc_responder.pipeline.later.later_notes import ASKED_AFTER, LaterNote, add_evidence, answer_notes, leave_note
from scc_responder.pipeline.later.write_line import tell_write
from scc_responder.pipeline.services import Services

COUNT_NOTES = "counts/"


class LaterCount(LaterNote, frozen=True, kw_only=True):
    """Which service and revision is to be counted, and when it was changed."""

    path: str
    revision: str
    changed_at: AwareDatetime


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
        if activity.instances.since(note.changed_at).value is None:
            return False
        item = usage_item(activity, name, note.revision, note.changed_at)
        sealed = add_evidence(note, run_settings, (item,), services)
        return _told(finding_named(note.finding_name).key, sealed, item, services)

    return answer_notes(COUNT_NOTES, LaterCount, keep, services)


def _told(finding_key: str, sealed: Sealed, item: EvidenceItem, services: Services) -> bool:
    """Whether the case says what was counted: not while a delivery has it. People are told where instances run."""

    def counted(record: CaseRecord, is_held: bool) -> Transition:
        steps = [step for step in record.steps if kind_of_stored(step.change) is CAPTURES_AGAIN]
        if is_held or not steps:
            return Transition(reason=Reason.CASE_IN_PROGRESS, status=409)
        detail = "; ".join([*map(str, manifests_named(steps[-1].detail)), str(sealed), item.summary])
        reason = Reason.INSTANCES_LEFT if item.still_runs else Reason.CAPTURED
        step = replace(steps[-1], reason=reason, detail=detail, unknown=item.unknown)
        return Transition(reason=reason, status=204, record=record.with_steps((step,)))

    record = None
    with suppress(RetryableError):
        record = services.journal.apply(finding_key, counted)[0].record
    if record is not None:
        tell_write(record, Reason.INSTANCES_LEFT if item.still_runs else Reason.CAPTURED, services)
    if record is not None and item.still_runs:
        services.notify(case_notice(NoticeKind.COUNTED, record, Reason.INSTANCES_LEFT, item.summary))
    return record is not None
