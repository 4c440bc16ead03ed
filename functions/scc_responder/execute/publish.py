"""Carry out `PublishDecision`: the decision and the outcomes so far are published."""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.domain.changes import StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import Outcomes
from scc_responder.domain.status import Result, StepStatus, done, refused


def publish(message: bytes, step: StepRun, attributes: Mapping[str, str], topic: Outcomes | None) -> Result:
    """Publish the decision and the outcomes so far, once: a copy can only follow a crash within this step."""
    if topic is None:
        return Result(status=StepStatus.SKIPPED, reason="no_outcome_topic")
    if step.dry_run:
        return Result(status=StepStatus.DRY_RUN, reason="would_publish")
    step.intend()
    try:
        message_id = topic.publish(message, attributes)
    except ApiError as error:
        return refused(error)
    return done("published", message_id)
