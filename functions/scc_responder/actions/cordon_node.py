"""Action `cordon_node`."""

from __future__ import annotations

from scc_responder.action import NoParams, Planned, Skip, action
from scc_responder.changes import PREFIX, PatchObject
from scc_responder.context import Context


@action(params=NoParams, permissions=["nodes: get, patch"], reversible=True, needs_identity=True)
def cordon_node(context: Context, _params: NoParams) -> Planned:
    """Keep new pods off the node that the compromised pod runs on; running pods stay.

    The prior state is remembered in `scc-responder/prior-unschedulable`. On Autopilot, whose nodes are Google's, it
    ends as `not_possible_autopilot` and the later steps go on.

        then:
          - action: cordon_node
    """
    node = context.node
    if node is None:
        return Skip(reason="node_" + context.missing.get("node", "absent"))
    if node.unschedulable:
        return Skip(reason="already_cordoned")
    return [
        PatchObject(
            kind="Node",
            name=node.name,
            uid=node.uid,
            spec={"unschedulable": True},
            annotations={PREFIX + "prior-unschedulable": "false"},
            versioned=True,
        )
    ]
