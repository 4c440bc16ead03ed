"""Action `notify`."""

from __future__ import annotations

from scc_responder.actions import Params, Planned, action
from scc_responder.domain.changes.publish_decision import PUBLISHES_DECISION, PublishDecision
from scc_responder.domain.context import Context


class NotifyParams(Params, frozen=True, kw_only=True, omit_defaults=True):
    """Whom it is for: the name of a route, such as `payments-team`. The message has it as its attribute `to`."""

    to: str = ""


@action(params=NotifyParams, makes=[PUBLISHES_DECISION])
def notify(_context: Context, params: NotifyParams) -> Planned:
    """Publish the decision and the outcomes so far to the outcome topic. Needs no pod.

    then:
      - action: notify
        with: {to: payments-team}
    """
    return [PublishDecision(to=params.to)]
