"""Kind of change: tell people. Nothing of the target is changed."""

from __future__ import annotations

from typing import ClassVar

from scc_responder.domain.changes import Change, ChangeKind, Means, StepRun
from scc_responder.domain.permissions import iam
from scc_responder.domain.status import Result

PUBLISHES_DECISION = ChangeKind(permissions=iam("pubsub.topics.publish"), observes=True, tells=True)


class PublishDecision(Change, frozen=True, kw_only=True, tag="notify", omit_defaults=True):
    """Publish the decision and the outcomes so far to the outcome topic. `to`: the route that a policy names."""

    declares: ClassVar[ChangeKind] = PUBLISHES_DECISION

    to: str = ""

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Publish it."""
        return means.publish_decision(step, self.to)
