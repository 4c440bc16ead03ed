"""What each action comes to: its changes, or the named reason why there are none."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.context import Cluster, Identity, Node, Owner
from tests.kits.decision_contexts import FINDING, NODE, POD, REF, context

POD_UID = {"scc-responder/pod-uid": POD.uid}
CASE = {"scc-responder/case": "0a" * 6}
NOTES = {"scc-responder/finding": FINDING.canonical_name, "scc-responder/threat": "reverse_shell"}


def plan(action: str, params: dict[str, Any] | None = None, **changes: Any) -> Any:
    """What the action plans in a context."""
    known = actions()[action]
    return known.plan(context(**changes), known.params(**(params or {})))


REASONS: list[Any] = [
    *[
        pytest.param(
            action, {"missing": {"pod": missing}, "pod": False}, kind(reason=missing), id=f"{action}-{missing}"
        )
        for action in ("label_pod", "annotate_pod", "isolate_pod", "delete_pod")
        for missing, kind in (
            ("target_absent", Skip),
            ("pod_not_named", Hold),
            ("several_pods", Hold),
            ("pod_unreadable", Hold),
            ("cluster_not_named", Hold),
        )
    ],
    pytest.param("label_pod", {"pod": {"labels": {**CASE, **POD_UID}}}, Skip(reason="already_labeled"), id="labeled"),
    pytest.param("annotate_pod", {"pod": {"annotations": NOTES}}, Skip(reason="already_annotated"), id="annotated"),
    pytest.param(
        "cordon_node", {"node": None, "missing": {"node": "not_found"}}, Skip(reason="node_absent"), id="gone"
    ),
    pytest.param("cordon_node", {"node": None}, Hold(reason="node_not_known"), id="node-not-known"),
    pytest.param(
        "cordon_node",
        {"node": None, "missing": {"node": "timeout"}},
        Hold(reason="node_unreadable"),
        id="node-unreadable",
    ),
    pytest.param(
        "cordon_node",
        {"node": Node(name="n", uid="u", resource_version="1", unschedulable=True)},
        Skip(reason="already_cordoned"),
        id="cordoned",
    ),
    pytest.param("delete_pod", {"pod": {"mirror": True}}, Hold(reason="pod_static"), id="static"),
    pytest.param("delete_pod", {"pod": {"owners": ()}}, Hold(reason="pod_standalone"), id="standalone"),
    pytest.param(
        "delete_pod",
        {"pod": {"owners": (Owner(kind="DaemonSet", name="d", uid="u", api_version="apps/v1"),)}},
        Hold(reason="pod_daemonset"),
        id="daemonset",
    ),
    pytest.param(
        "delete_pod",
        {
            "pod": {"owners": (Owner(kind="DaemonSet", name="d", uid="u", api_version="apps/v1"),)},
            "missing": {"owner": "deadline"},
        },
        Hold(reason="pod_daemonset"),
        id="daemonset-unread",
    ),
    pytest.param(
        "delete_pod",
        {"identity": Identity(level="likely", reason="node_absent")},
        Hold(reason="identity_not_proved:node_absent"),
        id="not-proved",
    ),
]


@pytest.mark.parametrize(("action", "changes", "expected"), REASONS)
def test_an_action_that_plans_nothing_says_why(action: str, changes: dict[str, Any], expected: Any) -> None:
    """An action that plans nothing says why: skipped where there is nothing to do, held where it may not be done."""
    assert plan(action, **changes) == expected


@pytest.mark.parametrize(
    ("params", "changes"),
    [
        ({"allow_standalone": True}, {"pod": {"owners": ()}}),
        (
            {"allow_daemonset": True},
            {"pod": {"owners": (Owner(kind="DaemonSet", name="d", uid="u", api_version="apps/v1"),)}},
        ),
        ({"identity": "likely"}, {"identity": Identity(level="likely", reason="node_absent")}),
    ],
    ids=["standalone", "daemonset", "likely"],
)
def test_what_a_policy_allows_is_planned(params: dict[str, Any], changes: dict[str, Any]) -> None:
    """What a policy allows is planned."""
    assert [type(change) for change in plan("delete_pod", params, **changes)] == [PatchObject, DeletePod]


TARGET = {"namespace": "shop", "name": "web-1", "uid": POD.uid}
CHANGES: list[Any] = [
    pytest.param(
        "label_pod",
        {"labels": {"scc-responder/threat": "x"}},
        [PatchObject(kind="Pod", **TARGET, labels={**CASE, **POD_UID, "scc-responder/threat": "x"})],
        id="label_pod",
    ),
    pytest.param(
        "annotate_pod",
        {"annotations": {"scc-responder/runbook": "r"}},
        [PatchObject(kind="Pod", **TARGET, annotations={**NOTES, "scc-responder/runbook": "r"})],
        id="annotate_pod",
    ),
    pytest.param(
        "isolate_pod",
        {},
        [
            PatchObject(kind="Pod", **TARGET, labels=POD_UID),
            CreateNetworkPolicy(
                namespace="shop",
                name=f"scc-responder-{'0a' * 6}-11111111",
                pod_name="web-1",
                pod_uid=POD.uid,
                selector=POD_UID,
                effective="enforced",
            ),
        ],
        id="isolate_pod",
    ),
    pytest.param(
        "cordon_node",
        {},
        [
            PatchObject(
                kind="Node",
                name="node-1",
                uid=NODE.uid,
                spec={"unschedulable": True},
                annotations={"scc-responder/prior-unschedulable": "false"},
                versioned=True,
            )
        ],
        id="cordon_node",
    ),
    pytest.param(
        "delete_pod",
        {"grace_period_seconds": 5},
        [
            PatchObject(kind="Pod", **TARGET, marker="scc-responder/armed-by", versioned=True),
            DeletePod(**TARGET, grace_period_seconds=5),
        ],
        id="delete_pod",
    ),
    pytest.param(
        "capture_evidence", {}, [CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid=POD.uid)], id="capture"
    ),
    pytest.param("notify", {}, [PublishDecision()], id="notify"),
]


@pytest.mark.parametrize(("action", "params", "expected"), CHANGES)
def test_each_change_is_bound_to_the_uid(action: str, params: dict[str, Any], expected: list[Any]) -> None:
    """Each change is bound to the UID that was read."""
    assert plan(action, params) == expected


def test_evidence_without_a_pod() -> None:
    """Evidence is kept even where there is no pod."""
    assert plan("capture_evidence", pod=False) == [CaptureEvidence()]


EFFECTS = [
    pytest.param({"cluster": None}, "unknown", id="cluster-unread"),
    pytest.param({"cluster": Cluster(ref=REF)}, "unknown", id="nothing-says-so"),
    pytest.param({"cluster": Cluster(ref=REF, enforces_network_policy=False)}, "not_enforced", id="no-dataplane"),
    pytest.param({"pod": {"host_network": True}}, "not_enforced", id="host-network"),
]


@pytest.mark.parametrize(("changes", "effective"), EFFECTS)
def test_effect_of_isolation(changes: dict[str, Any], effective: str) -> None:
    """A plan already knows what the cluster can make of it."""
    assert plan("isolate_pod", **changes)[1].effective == effective
