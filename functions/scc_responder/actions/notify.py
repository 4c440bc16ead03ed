"""Action `notify`."""

from __future__ import annotations

from scc_responder.actions import AllowedKeys, Params, Planned, action
from scc_responder.domain.changes.publish_decision import PUBLISHES_DECISION, PublishDecision
from scc_responder.domain.context import Context
from scc_responder.domain.labels import RefusedParameter
from scc_responder.domain.text import LatePattern

_ROUTE = LatePattern(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class NotifyParams(Params, frozen=True, kw_only=True, omit_defaults=True):
    """Whom it is for: the name of a route, such as `payments-team`. The message has it as its attribute `to`."""

    to: str = ""

    def refused_by(self, allowed: AllowedKeys) -> RefusedParameter | None:  # noqa: ARG002 - no key is set
        """See `Params.refused_by`."""
        if not self.to or _ROUTE.fullmatch(self.to):
            return None
        sentence = f"{self.to!r} is no name of a route; write lower-case letters, digits and '-', at most 63"
        return RefusedParameter(field="to", sentence=sentence)


@action(params=NotifyParams, makes=[PUBLISHES_DECISION])
def notify(_context: Context, params: NotifyParams) -> Planned:
    """Publish the decision and the outcomes so far to the outcome topic. Needs no pod.

    then:
      - action: notify
        with: {to: payments-team}
    """
    return [PublishDecision(to=params.to)]
