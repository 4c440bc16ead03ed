"""Carry out `PublishDecision`: notify people of the decision and the outcomes so far."""

from __future__ import annotations

from scc_responder.domain.changes import StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.domain.notices.notice import Notice
from scc_responder.domain.ports import Notifier
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, refused


def publish(notice: Notice, step: StepRun, notifier: Notifier | None) -> Result:
    """Publish the decision and the outcomes so far, once: a copy can only follow a crash within this step."""
    if notifier is None:
        return Result(status=StepStatus.SKIPPED, reason=Reason.NO_OUTCOME_TOPIC)
    step.intend()
    try:
        return done(Reason.PUBLISHED, notifier.tell(notice))
    except ApiError as error:
        return refused(error)
