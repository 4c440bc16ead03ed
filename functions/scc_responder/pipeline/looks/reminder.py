"""What people are told of a look: what it leaves to them, and after the last one what stands still.

The responder may cut off and cordon, and may not take that back: only undo may, which is a person's.
"""

from __future__ import annotations

from scc_responder.domain.changes import is_about_node
from scc_responder.domain.finding import case_id
from scc_responder.domain.labels import RELEASE_AFTER
from scc_responder.domain.notices.notice import NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.notices import case_notice
from scc_responder.journal.watch.looks_due import due_at, watched_steps
from scc_responder.journal.watch.watch import Look
from scc_responder.pipeline.looks.look_at_run import is_on_run
from scc_responder.pipeline.services import Services

_SEEN = "still so at the last look"


def remind(record: CaseRecord, look: Look, standing: tuple[str, ...], services: Services) -> None:
    """Tell people once what stands, with the command that takes it back; nothing while a look is left.

    Where the last look could not be made, they are told what may stand, and why nobody knows.
    """
    told = _may_stand(record) if look.unread else standing
    if not told or due_at(record) is not None:
        return
    command = f"scc-responder case undo {case_id(record.finding_key)}"
    seen = f"perhaps still so, as the last look was not made ({look.unread})" if look.unread else _SEEN
    why = f"{seen}: {'; '.join(told)}. To take it back: {command}"
    why += "" if is_on_run(watched_steps(record)) else ". Or delete the pod"
    if any(RELEASE_AFTER in (step.change.get("annotations") or {}) for step in record.current_steps):
        why += ". The cordon has a time: once it is over, scc-responder case undo --expired --apply ends it"
    reason = look.unread or Reason.STILL_CONTAINED
    services.notify(case_notice(NoticeKind.REMINDER, record, reason, why, severity=NoticeSeverity.NOTICE))


def _may_stand(record: CaseRecord) -> tuple[str, ...]:
    """What the case did that may stand still: once it has ended its pod, only what is on the node."""
    steps = (step for step in watched_steps(record) if is_about_node(step.change) or not record.has_ended_pod)
    return tuple(dict.fromkeys(step.action for step in steps))


def tell_noted(record: CaseRecord, look: Look, services: Services) -> None:
    """Tell people once what a look leaves to them; nothing that an earlier look of the case has seen."""
    before = {
        (note.about, note.reason)
        for old in (record.watch.looks if record.watch else ())
        for note in old.noted
        if old != look
    }
    news = [note for note in look.noted if (note.about, note.reason) not in before]
    if not news:
        return
    why = f"left to people: {'; '.join(map(str, news))}. To take back what the responder did: "
    why += f"scc-responder case undo {case_id(record.finding_key)}"
    services.notify(case_notice(NoticeKind.LOOKED, record, news[0].reason, why))
