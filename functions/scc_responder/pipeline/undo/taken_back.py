"""What is to be taken back of one case, and of the other cases that isolate its pod. Pure.

Each inverse is planned from the kind of change, for the very object and UID that the step changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from scc_responder.domain.changes import Change, kind_of_stored, restored
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.labels import ISOLATED_POD, POD_LABEL
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.contained import not_undone
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.pipeline.undo.undo_changes.release_object import ReleaseObject

_NOT_MADE = frozenset({StepStatus.DRY_RUN, StepStatus.HELD, StepStatus.SKIPPED, StepStatus.WAITING})
_ENDED = frozenset({StepStatus.DONE, StepStatus.TERMINATING, StepStatus.NOT_EFFECTIVE})
_ISOLATES = {ISOLATED_POD, POD_LABEL}


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenBack:
    """One step of one case, and the change that takes it back; without one, `why` says that nothing does."""

    key: str
    step: Step
    inverse: Change | None
    why: str = ""

    @property
    def is_isolation(self) -> bool:
        """Whether it is a part of an isolation: a NetworkPolicy, or the label that it selects."""
        return is_isolation(self.step)


def taken_back(
    record: CaseRecord, others: Sequence[CaseRecord] = (), foreign: Iterable[str] = (), *, only: bool = False
) -> list[TakenBack]:
    """The steps of the case to be taken back, the last one first, policies before the label that they select.

    `others` are the other cases of its pod: their isolation ends with it, unless it is this case `only`. `foreign` are
    the UIDs of pods that a NetworkPolicy isolates whose case is not in this store: their labels stay.
    """
    shared = [] if only else [item for other in others for item in _of_case(other) if item.is_isolation]
    isolated = {item.step.expected_uid for item in _of_case(record) if item.is_isolation}
    planned = [*_of_case(record), *(item for item in shared if item.step.expected_uid in isolated)]
    kept = [*_marks(others, isolation=only)]
    uids = frozenset(foreign)
    return sorted((_keeping(item, kept, uids) for item in planned), key=_is_label_of_isolation)


def is_isolation(step: Step) -> bool:
    """Whether a step isolated a pod, or is a part of it."""
    change = step.change
    labels = change.get("labels") if change.get("change") == "patch" else None
    return change.get("change") == "create_network_policy" or (
        isinstance(labels, dict) and bool(labels) and labels.keys() <= _ISOLATES
    )


def standing(record: CaseRecord) -> Iterator[Step]:
    """The steps that may have changed something, the last one first. The label of an isolation is every case's."""
    for step in reversed(not_undone(record.steps)):
        kind, reason = kind_of_stored(step.change), Reason.read(step.reason)
        stood_so = reason is not None and reason.is_already and not is_isolation(step)
        made = step.status not in _NOT_MADE and not stood_so and not step.is_left_out
        if step.change and made and not (kind and kind.observes):
            yield step


def _of_case(record: CaseRecord) -> list[TakenBack]:
    return [item for step in standing(record) if (item := _of_step(record.finding_key, step))]


def _of_step(key: str, step: Step) -> TakenBack | None:
    try:
        change = restored(step.change)
    except msgspec.ValidationError:
        why = "the record does not say any more what it changed, or a later version wrote it"
        return TakenBack(key=key, step=step, inverse=None, why=why)
    inverse = inverse_of(change)
    if inverse is None:
        return TakenBack(key=key, step=step, inverse=None, why=change.lasting) if step.status in _ENDED else None
    is_own = inverse.target is not None and inverse.target.uid == step.expected_uid
    why = "" if is_own else "the record names two objects for one step"
    return TakenBack(key=key, step=step, inverse=inverse if is_own else None, why=why)


def _marks(others: Iterable[CaseRecord], *, isolation: bool) -> Iterator[PatchObject]:
    """What other cases set and need still; with `isolation` the label of their policies too."""
    for other in others:
        for item in _of_case(other):
            if item.inverse is None or (item.is_isolation and not isolation):
                continue
            change = restored(item.step.change)
            if isinstance(change, PatchObject):
                yield change


def _keeping(item: TakenBack, kept: Sequence[PatchObject], foreign: frozenset[str]) -> TakenBack:
    inverse = item.inverse
    if not isinstance(inverse, ReleaseObject):
        return item
    needed = {
        key
        for other in kept
        if other.uid == inverse.uid
        for mine, theirs in ((inverse.labels, other.labels), (inverse.annotations, other.annotations))
        for key in mine.keys() & theirs.keys()
        if mine[key] == theirs[key]
    }
    needed |= _ISOLATES & inverse.labels.keys() if inverse.uid in foreign else set()
    kept_inverse = replace(inverse, kept=tuple(sorted(needed)))
    return TakenBack(key=item.key, step=item.step, inverse=kept_inverse, why=item.why)


def _is_label_of_isolation(item: TakenBack) -> bool:
    return item.is_isolation and isinstance(item.inverse, ReleaseObject)


def isolation_of(item: TakenBack) -> str:
    """The UID of the pod whose NetworkPolicy it takes back; empty for anything else."""
    is_policy = item.step.change.get("change") == "create_network_policy"
    return item.step.expected_uid if is_policy else ""
