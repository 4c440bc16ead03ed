"""After the last look at a case, people are reminded of what stands still: nothing takes it back by itself.

The responder may cut off and cordon, and may not take that back: only undo may, which is a person's.
"""

from __future__ import annotations

from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import RELEASE_AFTER
from scc_responder.domain.notices.notice import NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.notices import case_notice
from scc_responder.journal.watch.looks_due import due_at
from scc_responder.pipeline.services import Services


def remind(record: CaseRecord, standing: tuple[str, ...], services: Services) -> None:
    """Tell people once what stands, with the command that takes it back; nothing while a look is left."""
    if not standing or due_at(record) is not None:
        return
    command = f"scc-responder case undo {case_id(record.finding_key)}"
    why = f"still so at the last look: {'; '.join(standing)}. To take it back: {command}. Or delete the pod"
    if any(RELEASE_AFTER in (step.change.get("annotations") or {}) for step in record.current_steps):
        why += ". The cordon has a time: once it is over, scc-responder case undo --expired --apply ends it"
    services.notify(
        case_notice(NoticeKind.REMINDER, record, Reason.STILL_CONTAINED, why, severity=NoticeSeverity.NOTICE)
    )
