"""How far the threat of a case is contained, and since when: by what its steps read back, and nothing else. Pure.

What an earlier version stored names no containment, and none is read into it. On Cloud Run it is contained once no
request reaches the revision, by share or by tag, or no task of the execution runs; once all that was planned to cut
access is cut; and unless instances are known to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from scc_responder.actions import actions
from scc_responder.domain.changes import kind_of_stored
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, Containment, FrozenProcess, StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step

_OF_CLOUD_RUN = frozenset({Containment.RETIRED, Containment.EXECUTION_ENDED})
_CONTAINED = frozenset(Containment) - {Containment.ISOLATED, Containment.SCALED_TO_ZERO, *_OF_CLOUD_RUN}
"""Not what stops new connections alone: those that are established go on."""

_Answers = Sequence[Mapping[str, Any]]
"""Every policy's answer, as `policy_answers` gives it and the case keeps it."""


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


def contained_fields(record: CaseRecord, answers: _Answers | None = None) -> dict[str, Any]:
    """`containment`, `contained_seconds` and `not_contained` as JSON data, as far as there are any.

    `answers` are those that are being carried out; without them it is by what the case keeps. `not_contained` says of
    Cloud Run what is left to be cut.
    """
    fields = {
        "containment": containment(record.current_steps),
        "contained_seconds": contained_seconds(record, answers),
        "not_contained": [*not_contained(record, answers)] or None,
    }
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


def contained_seconds(record: CaseRecord, answers: _Answers | None = None) -> float | None:
    """Seconds from the finding's event to the first moment since when its threat is contained; None: nobody saw one."""
    moment = min((at for _, at in _contained(record, answers)), default=None)
    return None if moment is None else max(0.0, round((moment - record.event_time).total_seconds(), 3))


def is_contained_anew(record: CaseRecord) -> bool:
    """Whether that moment came of the last delivery: it is counted once, however often the case goes on."""
    step, _ = min(_contained(record), key=lambda each: each[1], default=(None, None))
    return step is not None and step.epoch == record.epoch


def not_contained(record: CaseRecord, answers: _Answers | None = None) -> Iterator[str]:
    """What keeps a case of Cloud Run from being contained, though its revision is retired, or its execution ended."""
    if not any(step.containment in _OF_CLOUD_RUN for step in _standing(record.current_steps)):
        return
    known = record.decision.get("policies", ()) if answers is None else answers
    if record.state is CaseState.OPEN and answers is None and not known:
        yield "the case is not at its end"
    asked = _asked_cuts(known)
    for policy, action in asked:
        same = [step for step in record.current_steps if step.action == action]
        # What two policies ask for alike is one step, of the first of them.
        steps = [step for step in same if step.policy == policy] or same
        yield from (f"{action}: {step.status}: {step.reason}" for step in steps if not _is_cut(step))
        if len(steps) < asked[policy, action]:
            yield f"{action}: not done yet"
    yield from (step.left for step in record.current_steps if step.left)
    if any(step.reason == Reason.INSTANCES_LEFT for step in record.current_steps):
        yield "instances of the revision still run"


def instances_unknown(record: CaseRecord, uncounted: str) -> str:
    """Why nobody knows whether instances of a retired revision run; empty where that is known, or none is retired.

    `uncounted` is the answer where nobody has counted them since.
    """
    if not any(step.containment == Containment.RETIRED for step in _standing(record.current_steps)):
        return ""
    counts = [step for step in record.current_steps if kind_of_stored(step.change) is CAPTURES_AGAIN]
    return counts[-1].unknown if counts and counts[-1].status is StepStatus.DONE else uncounted


def _asked_cuts(answers: _Answers) -> dict[tuple[str, str], int]:
    """The least number of steps of each (policy, action) that is to cut access, and not only rehearsed."""
    known, acting = actions(), {Mode.APPROVE, Mode.ENFORCE}
    return {
        (policy["name"], item["action"]): max(1, len(item["changes"]))
        for policy in answers
        if policy["matched"] and policy["mode"] in acting
        for item in policy["actions"]
        if item["reason"] != Reason.ENFORCED_BY_OTHER_POLICY
        and item["action"] in known
        and any(kind.cuts_access for kind in known[item["action"]].makes)
    }


def _is_cut(step: Step) -> bool:
    return step.status is StepStatus.DONE or step.is_so_already


def _contained(record: CaseRecord, answers: _Answers | None = None) -> Iterator[tuple[Step, datetime]]:
    """The steps that contain the threat, each with the moment since when; of Cloud Run the last of them all."""
    standing = [*_standing(record.current_steps)]
    for step in standing:
        if step.containment in _CONTAINED and step.contained_at:
            yield step, step.contained_at
    run = [(step, step.contained_at) for step in standing if step.containment in _OF_CLOUD_RUN and step.contained_at]
    if run and not any(not_contained(record, answers)):
        known = actions()
        cuts = (step for step in standing if step.action in known)
        cut = [step for step in cuts if any(kind.cuts_access for kind in known[step.action].makes)]
        # What retired it first did so: one that is deleted later was retired before.
        first = min(run, key=lambda each: each[1])
        yield max([first, *((step, step.settled_at) for step in cut if step.settled_at)], key=lambda each: each[1])


def not_undone(steps: Iterable[Step]) -> list[Step]:
    """The steps but for those that a person took back after them, and those by which that was done."""
    known = [*steps]
    undone = {step.undoes: step.settled_at for step in known if step.undoes and step.status is StepStatus.DONE}
    return [step for step in known if not step.undoes and not _is_before(step.settled_at, undone.get(step.name))]


def _is_before(moment: datetime | None, undone_at: datetime | None) -> bool:
    return undone_at is not None and (moment is None or moment <= undone_at)


def _standing(steps: Iterable[Step]) -> Iterator[Step]:
    """The steps that were carried out, and were not undone by a later one of the case."""
    carried_out = [step for step in not_undone(steps) if step.status is StepStatus.DONE]
    thawed = {step.expected_uid for step in carried_out if step.reason == Reason.THAWED}
    frozen = Containment.FROZEN
    return (step for step in carried_out if step.containment != frozen or step.expected_uid not in thawed)
