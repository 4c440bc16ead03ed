"""`cordon_node`: the one patch of the pod's node, and when there is none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import AllowedKeys, Hold, Skip, actions
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Identity
from scc_responder.domain.reasons import Reason
from scc_responder.guard.guard import hold_reason
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.workbench.policy_files.rule_mistakes import parameter_mistakes
from tests.kits.decision_contexts import EVENT, NODE, context, plan

REPLACED = Identity(level="refuted", reason=Reason.NODE_REPLACED)


def test_a_cordon_remembers_the_prior_state() -> None:
    """The patch holds for the very version of the node that was read."""
    assert plan("cordon_node") == [
        PatchObject(
            kind="Node",
            name="node-1",
            uid=NODE.uid,
            spec={"unschedulable": True},
            annotations={"scc-responder/prior-unschedulable": "false"},
            versioned=True,
        )
    ]


def test_a_cordon_may_have_a_time() -> None:
    """It stands on the node, and in the step: the responder itself never uncordons."""
    cordon = actions()["cordon_node"]
    (change,) = cordon.plan(context(), cordon.params(release_after="24h"))
    assert change.annotations == {"scc-responder/prior-unschedulable": "false", "scc-responder/release-after": "24h"}
    assert inverse_of(change).annotations == change.annotations


@pytest.mark.parametrize("text", ["soon", "0h", "24", "24h ", "-1h", "1w", "1234567h"])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    """So that no cordon has a time that never comes, or has come already."""
    params = actions()["cordon_node"].params(release_after=text)
    (mistake,) = parameter_mistakes(params, AllowedKeys(), ("with",))
    assert mistake.path == ("with", "release_after")
    assert "such as" in mistake.text


@pytest.mark.parametrize("text", ["", "90s", "24h", "7d"])
def test_a_time_that_can_be_read_is_taken(text: str) -> None:
    """None at all means that the cordon stays until a person takes it back."""
    assert list(parameter_mistakes(actions()["cordon_node"].params(release_after=text), AllowedKeys(), ())) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"node": None, "missing": {"node": "not_found"}}, Skip(reason=Reason.NODE_ABSENT)),
        ({"node": None}, Hold(reason=Reason.NODE_NOT_KNOWN)),
        ({"node": None, "missing": {"node": "timeout"}}, Hold(reason=Reason.NODE_UNREADABLE)),
        ({"node": replace(NODE, unschedulable=True)}, Skip(reason=Reason.ALREADY_CORDONED)),
        ({"node_identity": REPLACED}, Hold(reason=Reason.NODE_REPLACED)),
        ({"node_identity": REPLACED, "node": replace(NODE, unschedulable=True)}, Hold(reason=Reason.NODE_REPLACED)),
    ],
    ids=["absent", "not-known", "unreadable", "cordoned", "replaced", "replaced-and-cordoned"],
)
def test_no_cordon_is_planned_without_need(changes: dict[str, Any], expected: Skip | Hold) -> None:
    """A node that is gone or cordoned leaves nothing to do; one that is not known may not be touched."""
    assert plan("cordon_node", **changes) == expected


def test_another_pod_says_more() -> None:
    """Where the pod itself is another, its guard says so, and the node's age is left unsaid."""
    other = Identity(level="refuted", reason=Reason.POD_REPLACED)
    found = context(identity=other, node_identity=REPLACED)
    assert isinstance(plan("cordon_node", identity=other, node_identity=REPLACED), list)
    assert hold_reason(found, actions()["cordon_node"], Guardrails(protected=Protected()), EVENT) == Reason.POD_REPLACED
