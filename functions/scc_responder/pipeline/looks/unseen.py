"""What no request tells of what a case did: it stands in the look with its reason; nobody takes it for seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from scc_responder.domain.changes import Change, restored
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import frozen_processes
from scc_responder.journal.step import Step
from scc_responder.journal.watch.watch import LookNote

_INSIDE = {
    Containment.SEVERED: "whether connections are open again",
    Containment.FROZEN: "whether the processes are still stopped",
}
"""What is so in the pod alone, and the question that is left."""


def kept_change(step: Step) -> Change | None:
    """The step's change; None where a record that was too large left its fields out."""
    with suppress(msgspec.ValidationError):
        return restored(step.change)
    return None


def unseen_effects(record: CaseRecord, steps: Iterable[Step]) -> tuple[LookNote, ...]:
    """Which effects of these steps no look sees, each once; none in a pod that the case has ended."""
    return tuple(dict.fromkeys(_unseen(record, steps)))


def _unseen(record: CaseRecord, steps: Iterable[Step]) -> Iterator[LookNote]:
    for step in steps:
        question = "" if record.has_ended_pod else _question(record, step)
        if question:
            yield LookNote(about=step.containment, reason=Reason.ONLY_IN_CONTAINER, detail=question)
        if kept_change(step) is None:
            yield LookNote(about=step.action, reason=Reason.CHANGE_NOT_KEPT)


def _question(record: CaseRecord, step: Step) -> str:
    is_thawed = step.containment == Containment.FROZEN and not frozen_processes(record.steps, step.expected_uid)
    known = {str(name): text for name, text in _INSIDE.items()}
    return "" if is_thawed else known.get(step.containment, "")
