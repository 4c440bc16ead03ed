"""Action `notify`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, action
from scc_responder.domain.changes.publish_decision import PUBLISHES_DECISION, PublishDecision
from scc_responder.domain.context import Context


@action(params=NoParams, makes=[PUBLISHES_DECISION])
def notify(_context: Context, _params: NoParams) -> Planned:
    """Publish the decision and the outcomes so far to the outcome topic. Needs no pod.

    then:
      - action: notify
    """
    return [PublishDecision()]
