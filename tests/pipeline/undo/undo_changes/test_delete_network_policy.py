"""The NetworkPolicy of an isolation deleted: ours in every part, or left alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy, Enforcement
from scc_responder.domain.labels import ISOLATED_POD, POD_LABEL
from scc_responder.domain.status import StepStatus
from scc_responder.pipeline.undo.inverses import inverse_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run
from tests.kits.responder import Interposed, api_of

NAME = "scc-responder-0123456789ab-8f14e45f"
PATH = f"/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies/{NAME}"


def isolation(cluster: SimulatedCluster) -> CreateNetworkPolicy:
    pod = pod_target(cluster)
    return CreateNetworkPolicy(
        namespace="shop",
        name=NAME,
        pod_name=pod["name"],
        pod_uid=pod["uid"],
        selector={ISOLATED_POD: pod["uid"]},
        effective=Enforcement.ENFORCED,
    )


def test_our_policy_is_deleted() -> None:
    """A rehearsal deletes nothing; then it is gone, and a second time there is nothing to do."""
    with one_cluster() as (cluster, means):
        change = isolation(cluster)
        means.api.create(PATH.rpartition("/")[0], change.manifest("a1"))
        rehearsed = inverse_of(change).carry_out(step_run(dry_run=True), OneCluster(cluster, "undo"))
        standing = len(cluster.objects("NetworkPolicy"))
        results = [
            inverse_of(change).carry_out(step_run(intended=again), OneCluster(cluster, "undo"))
            for again in (False, True, False)
        ]
        left = cluster.objects("NetworkPolicy")
    assert (rehearsed.status, rehearsed.reason, standing) == (StepStatus.DRY_RUN, "would_undo", 1)
    assert [str(result.reason) for result in results] == ["undone", "undone", "already_undone"]
    assert left == []


def test_one_of_version_0_1_0_is_deleted() -> None:
    """It selects the pod by the other label."""
    with one_cluster() as (cluster, means):
        change, older = isolation(cluster), {POD_LABEL: pod_target(cluster)["uid"]}
        made = change.manifest("a1")
        made["metadata"]["labels"] = made["spec"]["podSelector"]["matchLabels"] = older
        means.api.create(PATH.rpartition("/")[0], made)
        assert inverse_of(change).carry_out(step_run(), OneCluster(cluster, "undo")).reason == "undone"


def _with(part: str, **fields: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda policy: {**policy, part: {**policy[part], **fields}}


CHANGED = [
    pytest.param(_with("spec", ingress=[{}]), "spec", id="it-lets-in"),
    pytest.param(_with("spec", podSelector={}), "spec", id="it-selects-every-pod"),
    pytest.param(_with("metadata", labels={"app": "web"}), "labels", id="other-labels"),
    pytest.param(_with("metadata", ownerReferences=[]), "ownerReferences", id="no-owner"),
    pytest.param(_with("metadata", annotations={"scc-responder/action-id": "a9"}), "annotations", id="another-action"),
    pytest.param(
        _with("metadata", annotations={"scc-responder/action-id": "a1", "team": "x"}), "annotations", id="claimed"
    ),
    pytest.param(_with("metadata", finalizers=["example.com/x"]), "finalizers", id="a-finalizer"),
]


@pytest.mark.parametrize(("edit", "part"), CHANGED)
def test_one_that_somebody_changed_stays(edit: Callable[[dict[str, Any]], dict[str, Any]], part: str) -> None:
    """What is not exactly as we create it may be in somebody's use: the part is named."""
    with one_cluster() as (cluster, _means):
        change = isolation(cluster)
        api_of(cluster, "admin").create(PATH.rpartition("/")[0], edit(change.manifest("a1")))
        result = inverse_of(change).carry_out(step_run(), OneCluster(cluster, "undo"))
        left = cluster.objects("NetworkPolicy")
    assert (result.status, result.reason, len(left)) == (StepStatus.HELD, "undo_refused", 1)
    assert part in result.detail


def test_one_that_changes_meanwhile_is_read_again() -> None:
    """The version that was read is a condition of the deletion."""
    with one_cluster() as (cluster, means):
        change = isolation(cluster)
        means.api.create(PATH.rpartition("/")[0], change.manifest("a1"))

        def open_it(_number: int, verb: str, _path: str) -> None:
            if verb == "delete":
                api_of(cluster, "admin").patch(PATH, {"spec": {"ingress": [{}]}})

        between = OneCluster(cluster, "undo")
        between.api = Interposed(between.api, open_it)
        result = inverse_of(change).carry_out(step_run(), between)
        left = cluster.objects("NetworkPolicy")
    assert (result.reason, len(left)) == ("undo_refused", 1)
