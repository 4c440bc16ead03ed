"""`isolate_pod`: a label with the pod's own UID, and a policy that selects it."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Cluster, Node
from tests.kits.decision_contexts import POD, POD_TARGET, REF, plan

NO_DATAPLANE = Cluster(ref=REF, enforces_network_policy=False)
ON_WINDOWS = Node(name="node-1", uid="n1", resource_version="1", labels={"kubernetes.io/os": "windows"})
POD_UID = {"scc-responder/isolated-pod": POD.uid}


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
    ("changes", "effective", "obstacle"),
    [
        pytest.param({"cluster": None}, "unknown", None, id="cluster-unread"),
        pytest.param({"cluster": Cluster(ref=REF)}, "unknown", None, id="nothing-says-so"),
        pytest.param({"cluster": NO_DATAPLANE}, "not_enforced", None, id="no-dataplane"),
        pytest.param({"pod": {"host_network": True}}, "not_enforced", "host_network", id="host-network"),
        pytest.param({"pod": {"operating_system": "windows"}}, "not_enforced", "windows_node", id="windows-pod"),
        pytest.param({"node": ON_WINDOWS}, "not_enforced", "windows_node", id="windows-node"),
        pytest.param({"pod": {"operating_system": "linux"}}, "enforced", None, id="linux-pod"),
        pytest.param({"node": None}, "enforced", None, id="node-unread"),
        pytest.param({"pod": {"further_interfaces": True}}, "unknown", "further_interfaces", id="interfaces"),
        pytest.param(
            {"pod": {"further_interfaces": True}, "cluster": NO_DATAPLANE}, "not_enforced", None, id="interfaces-alike"
        ),
    ],
)
def test_a_plan_knows_whether_isolation_holds(changes: dict[str, Any], effective: str, obstacle: str | None) -> None:
    """A plan already knows what the cluster can make of it, and which truth of the pod stands in the way."""
    planned: Any = plan("isolate_pod", **changes)
    assert (planned[1].effective, planned[1].obstacle) == (effective, obstacle)
