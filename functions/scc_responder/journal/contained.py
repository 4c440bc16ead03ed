"""How far the threat of a case is contained, and since when: by what its steps read back, and nothing else. Pure.

What an earlier version stored names no containment, and none is read into it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, FrozenProcess, StepStatus
from scc_responder.journal.case import CaseRecord, Step

_CONTAINED = frozenset(Containment) - {Containment.ISOLATED}
"""Not what stops new connections alone: those that are established go on."""


MEANINGS = {
    Containment.ISOLATED: "no new connection is possible; established ones may go on",
    Containment.SEVERED: "no connection is left, and no new one is possible",
    Containment.FROZEN: "the matched processes are stopped",
    Containment.PROCESSES_ENDED: "every process of the pod has ended",
    Containment.DELETED: "the pod is gone, and its processes have ended or had all of their grace period to",
    Containment.RETIRED: "no request reaches the revision; its instances may still run",
    Containment.SCALED_TO_ZERO: "the service may have no instance; the last one may still be ending",
    Containment.EXECUTION_ENDED: "no task of the execution runs",
}
"""What each word says, for people."""


def contained_fields(record: CaseRecord) -> dict[str, Any]:
    """`containment` and `contained_seconds` as JSON data, as far as there are any."""
    fields = {"containment": containment(record.current_steps), "contained_seconds": contained_seconds(record)}
    return {name: value for name, value in fields.items() if value is not None}


def containment(steps: Iterable[Step]) -> Containment | None:
    """The furthest that any step came; None where none came anywhere. What was let go on again is not frozen."""
    reached = {step.containment for step in _standing(steps)}
    return next((each for each in reversed(Containment) if each in reached), None)


def frozen_processes(steps: Iterable[Step], uid: str) -> tuple[FrozenProcess, ...]:
    """The processes of this pod that were stopped, and not let go on since."""
    known = tuple(steps)
    thawed = any(step.reason == Reason.THAWED and step.expected_uid == uid for step in known)
    return () if thawed else tuple(item for step in known if step.expected_uid == uid for item in step.frozen)


def contained_seconds(record: CaseRecord) -> float | None:
    """Seconds from the finding's event to the first moment since when its threat is contained; None: nobody saw one."""
    moment = min((at for _, at in _contained(record)), default=None)
    return None if moment is None else max(0.0, round((moment - record.event_time).total_seconds(), 3))


def is_contained_anew(record: CaseRecord) -> bool:
    """Whether that moment came of the last delivery: it is counted once, however often the case goes on."""
    step, _ = min(_contained(record), key=lambda each: each[1], default=(None, None))
    return step is not None and step.epoch == record.epoch


def _contained(record: CaseRecord) -> Iterator[tuple[Step, datetime]]:
    """The steps that contain the threat, each with the moment since when."""
    for step in _standing(record.current_steps):
        if step.containment in _CONTAINED and step.contained_at:
            yield step, step.contained_at


def _standing(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps that were carried out, and were not undone by a later one of the case."""
    carried_out = [step for step in steps if step.status is StepStatus.DONE]
    thawed = {step.expected_uid for step in carried_out if step.reason == Reason.THAWED}
    frozen = Containment.FROZEN
    return (step for step in carried_out if step.containment != frozen or step.expected_uid not in thawed)
