"""Action `cordon_node`."""

from __future__ import annotations

from typing import Annotated

from scc_responder.actions import Hold, Params, Planned, Skip, action
from scc_responder.domain.changes.countermeasure import Countermeasure
from scc_responder.domain.changes.patch_object import CORDONS_NODE, PatchObject
from scc_responder.domain.context import Context, IdentityLevel
from scc_responder.domain.labels import PRIOR_UNSCHEDULABLE, RELEASE_AFTER
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import between


class CordonNodeParams(Params, frozen=True, kw_only=True):
    """`release_after`: a time such as `24h`, after which `case undo --expired` uncordons the node; empty: none does."""

    release_after: Annotated[str, between("1s", "90d")] = ""


@action(params=CordonNodeParams, makes=[CORDONS_NODE], needs_identity=True, against=Countermeasure.EXECUTION_ISOLATION)
def cordon_node(context: Context, params: CordonNodeParams) -> Planned:
    """Keep new pods off the node that the compromised pod runs on; running pods stay.

    Held while a quarter of its pool takes no pods, for the last node of its pool or zone that does, and as
    `node_replaced` where the node is younger than the event: spot nodes come back under their old names. The prior
    state is remembered in `scc-responder/prior-unschedulable`. On Autopilot, whose nodes are Google's, it
    ends as `not_possible_autopilot` and the later steps go on. The responder never uncordons: once `release_after` is
    over, `scc-responder case undo --expired --apply` does, as the identity of undo.

        then:
          - action: cordon_node
            with: {release_after: 24h}
    """
    node = context.node
    if node is None:
        return _without_node(context)
    if context.node_identity.level == IdentityLevel.REFUTED and context.identity.level != IdentityLevel.REFUTED:
        # Of another pod's node nothing is done anyway; that it is another pod says more.
        return Hold(reason=context.node_identity.reason)
    if node.unschedulable:
        return Skip(reason=Reason.ALREADY_CORDONED)
    after = params.release_after
    return [
        PatchObject(
            kind="Node",
            name=node.name,
            uid=node.uid,
            spec={"unschedulable": True},
            annotations={PRIOR_UNSCHEDULABLE: "false"} | ({RELEASE_AFTER: after} if after else {}),
            versioned=True,
        )
    ]


def _without_node(context: Context) -> Skip | Hold:
    reason = context.missing.get("node", "")
    if reason == Reason.NOT_FOUND:
        return Skip(reason=Reason.NODE_ABSENT)
    return Hold(reason=Reason.NODE_UNREADABLE if reason else Reason.NODE_NOT_KNOWN)
