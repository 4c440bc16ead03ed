"""`isolate_pod`: a label with the pod's own UID, and a policy that selects it."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Cluster
from tests.kits.decision_contexts import POD, POD_TARGET, REF, plan

POD_UID = {"scc-responder/pod-uid": POD.uid}


def test_isolation_selects_the_one_pod() -> None:
    """The label comes first; the policy selects nothing else."""
    assert plan("isolate_pod") == [
        PatchObject(kind="Pod", **POD_TARGET, labels=POD_UID),
        CreateNetworkPolicy(
            namespace="shop",
            name=f"scc-responder-{'0a' * 6}-11111111",
            pod_name="web-1",
            pod_uid=POD.uid,
            selector=POD_UID,
            effective="enforced",
        ),
    ]


@pytest.mark.parametrize(
    ("changes", "effective"),
    [
        pytest.param({"cluster": None}, "unknown", id="cluster-unread"),
        pytest.param({"cluster": Cluster(ref=REF)}, "unknown", id="nothing-says-so"),
        pytest.param({"cluster": Cluster(ref=REF, enforces_network_policy=False)}, "not_enforced", id="no-dataplane"),
        pytest.param({"pod": {"host_network": True}}, "not_enforced", id="host-network"),
    ],
)
def test_a_plan_knows_whether_isolation_holds(changes: dict[str, Any], effective: str) -> None:
    """A plan already knows what the cluster can make of it."""
    planned: Any = plan("isolate_pod", **changes)
    assert planned[1].effective == effective
