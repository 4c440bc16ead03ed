"""A look at a case of Cloud Run, from its steps to the fields of the look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from scc_responder.domain.changes import Disruption, kind_of_stored
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from scc_responder.pipeline.looks.run_look import MadeOnRun, RunLook
from scc_responder.pipeline.looks.unseen import kept_change, unseen_effects
from scc_responder.pipeline.services import Services


def is_on_run(steps: Sequence[Step]) -> bool:
    """Whether the steps that are watched are on Cloud Run: those of one case are, or none is."""
    kinds = (kind_of_stored(step.change) for step in steps)
    return any(kind is not None and kind.disrupts is Disruption.SERVICES for kind in kinds)


def look_at_run(
    record: CaseRecord, steps: Sequence[Step], services: Services, now: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The fields of the look, and what stands still. Raises ApiError, `cloud_run_not_reached` where it is not."""
    if services.run is None:
        raise ApiError(Reason.CLOUD_RUN_NOT_REACHED, record.cluster)
    seen = RunLook(services.run, services.metrics, record.decision, now).seen([*_made(steps)])
    fields = {
        "gone": tuple(seen.gone),
        "noted": tuple(seen.noted),
        "unseen": (*seen.unseen, *unseen_effects(record, steps)),
        "instances": seen.instances,
    }
    return fields, tuple(seen.standing)


def _made(steps: Sequence[Step]) -> Iterator[MadeOnRun]:
    for step in steps:
        change, ended = kept_change(step), step.settled_at
        if change is not None and ended is not None:
            begun = step.intended_at or ended
            yield MadeOnRun(action=step.action, action_id=step.action_id, change=change, begun=begun, ended=ended)
