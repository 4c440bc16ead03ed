"""Where a pod's packets go that no NetworkPolicy holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scc_responder.domain.kubernetes.pod_network import (
    has_further_interfaces,
    is_for_another_network,
    node_system,
    operating_system,
)


def needing(operator: str, *values: str) -> dict[str, Any]:
    term = {"matchExpressions": [{"key": "kubernetes.io/os", "operator": operator, "values": list(values)}]}
    return {
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    }


ASKED = [
    pytest.param({}, "", id="nothing"),
    pytest.param({"os": {"name": "windows"}}, "windows", id="by-field"),
    pytest.param({"nodeSelector": {"kubernetes.io/os": "windows"}}, "windows", id="by-selector"),
    pytest.param({"os": None, "nodeSelector": {"kubernetes.io/os": "linux"}}, "linux", id="linux"),
    pytest.param({"nodeSelector": {"beta.kubernetes.io/os": "windows"}}, "windows", id="by-the-old-selector"),
    pytest.param(needing("In", "windows"), "windows", id="by-affinity"),
    pytest.param(needing("In", "windows", "linux"), "", id="affinity-to-either"),
    pytest.param(needing("NotIn", "windows"), "", id="affinity-to-others"),
    pytest.param({"affinity": {"nodeAffinity": None}}, "", id="no-affinity"),
]


@pytest.mark.parametrize(("spec", "asked"), ASKED)
def test_a_pod_asks_for_an_operating_system(spec: dict[str, Any], asked: str) -> None:
    """A pod says it itself, or by the node that it asks for."""
    assert operating_system({"metadata": {}, "spec": spec}) == asked


def test_a_node_has_the_operating_system_that_its_kubelet_reports() -> None:
    """Labels can be taken away."""
    windows = {"metadata": {"labels": {"kubernetes.io/os": "windows"}}}
    reported = {"metadata": {}, "status": {"nodeInfo": {"operatingSystem": "windows"}}}
    assert (node_system(windows), node_system(reported), node_system({"metadata": {}})) == ("windows", "windows", "")


OWN = {"interfaceName": "eth0", "network": "default"}
INTERFACES = [
    pytest.param({}, False, id="none"),
    pytest.param({"networking.gke.io/interfaces": json.dumps([OWN])}, False, id="own-alone"),
    pytest.param({"networking.gke.io/interfaces": json.dumps([OWN, {"network": "blue"}])}, True, id="gke"),
    pytest.param({"networking.gke.io/interfaces": "?"}, True, id="gke-not-readable"),
    pytest.param({"networking.gke.io/interfaces": "[" * 50_000}, True, id="gke-too-deep"),
    pytest.param({"networking.gke.io/pod-ips": json.dumps([{"networkName": "blue"}])}, True, id="gke-addresses"),
    pytest.param({"k8s.v1.cni.cncf.io/networks": "macvlan-1"}, True, id="multus"),
    pytest.param({"k8s.v1.cni.cncf.io/networks": "[]"}, False, id="multus-none"),
    pytest.param({"k8s.v1.cni.cncf.io/network-status": json.dumps([{"default": True}])}, False, id="status-own"),
    pytest.param(
        {"k8s.v1.cni.cncf.io/network-status": json.dumps([{"default": True}, {"name": "net1"}])}, True, id="status"
    ),
    pytest.param({"k8s.v1.cni.cncf.io/networks-status": "[{}]"}, True, id="status-of-old"),
    pytest.param(
        {"networking.gke.io/interfaces": json.dumps([{"network": "blue", "default": True}])},
        True,
        id="gke-by-no-status",
    ),
    pytest.param({"v1.multus-cni.io/default-network": "kube-system/sriov"}, True, id="another-in-its-place"),
]


@pytest.mark.parametrize(("annotations", "further"), INTERFACES)
def test_further_interfaces_are_seen(annotations: dict[str, str], further: bool) -> None:
    """Annotations say which interfaces a pod has; what cannot be read may say that it has more."""
    assert has_further_interfaces({"metadata": {"annotations": annotations}}) is further


def test_an_address_of_a_further_network_is_a_resource() -> None:
    """GKE hands out the addresses of further networks as a resource of containers."""
    limits = {"networking.gke.io.networks/blue.IP": "1", "cpu": "1"}
    for containers in ("containers", "initContainers"):
        assert has_further_interfaces({"metadata": {}, "spec": {containers: [{"resources": {"limits": limits}}]}})
    assert not has_further_interfaces({"metadata": {}, "spec": {"containers": [{"resources": {"limits": {"cpu": 1}}}]}})


def test_a_policy_may_be_for_another_network() -> None:
    """An annotation says so."""
    assert is_for_another_network({"metadata": {"annotations": {"networking.gke.io/network": "blue"}}})
    assert not is_for_another_network({"metadata": {"annotations": {"networking.gke.io/network": "default"}}})
    assert not is_for_another_network({"metadata": {}})
