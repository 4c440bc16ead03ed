"""Action `notify`."""

from __future__ import annotations

from scc_responder.action import NoParams, Planned, action
from scc_responder.changes import PublishDecision
from scc_responder.context import Context


@action(params=NoParams, permissions=["pubsub.topics.publish"], reversible=True, observes=True)
def notify(_context: Context, _params: NoParams) -> Planned:
    """Publish the decision and the outcomes so far to the outcome topic. Needs no pod.

    then:
      - action: notify
    """
    return [PublishDecision()]
