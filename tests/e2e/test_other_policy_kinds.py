"""Policies of other kinds on a real API server, which serves them by CRDs: what an isolation is said to be worth.

What a dataplane makes of them is in its vendor's documentation: nothing enforces policies here.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.adapters.kubernetes.kubernetes_api import connect
from scc_responder.workbench.needed_permissions import cluster_role, of_all_actions
from tests.cluster import binaries, objects
from tests.cluster.control_plane import ControlPlane, running
from tests.cluster.polling import wait_until
from tests.cluster.roles import RESPONDER
from tests.kits.responder import Deployment, finding_about, policy, write_policies
from tests.requirements import missing

pytestmark = pytest.mark.timeout(180)

LISTS = "fqdnnetworkpolicies.networking.gke.io: list"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A cluster of its own that serves FQDNNetworkPolicies, and of another group one kind of two."""
    try:
        programs = binaries.programs()
    except binaries.BinariesUnavailable as error:
        missing("the test cluster", error.reason, error.remedy)
    with running(programs) as own:
        served = {
            ("networking.gke.io", "fqdnnetworkpolicies", "FQDNNetworkPolicy"): "Namespaced",
            ("policy.networking.k8s.io", "adminnetworkpolicies", "AdminNetworkPolicy"): "Cluster",
        }
        for (group, plural, kind), scope in served.items():
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            own.admin.request("POST", path, _definition(group, plural, kind, scope))
            _wait_for(own, f"/apis/{group}/v1alpha1/{plural}")
        yield own


def _wait_for(own: ControlPlane, path: str) -> None:
    wait_until(lambda: own.admin.send("GET", path).status == 200, what=f"{path} to be served")


def _definition(group: str, plural: str, kind: str, scope: str) -> dict[str, Any]:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1alpha1", "served": True, "storage": True, "schema": schema}
    names = {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"}
    definition = {"group": group, "names": names, "scope": scope, "versions": [version]}
    # The API server wants it of groups of Kubernetes' own.
    approval = {"api-approved.kubernetes.io": "unapproved, for a test"}
    metadata = {"name": f"{plural}.{group}", "annotations": approval}
    kind_of_it = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return {**kind_of_it, "metadata": metadata, "spec": definition}


def isolated(plane: ControlPlane, folder: Path, namespace: str) -> tuple[str, str]:
    """Isolate a new pod of the namespace: the outcome's reason and detail."""
    node = objects.create_node(plane.admin)["metadata"]["name"]
    pod = objects.create_running(plane.admin, objects.pod("web", namespace, node))
    api = connect(plane.url, plane.ca_pem.encode(), lambda: plane.token("responder"))
    deployment = Deployment(folder, api, write_policies(folder / "policies", policy("isolate_pod")))
    document = finding_about(pod, finding_id=pod["metadata"]["uid"].replace("-", ""))
    deployment.respond_to(document)
    step = [step for step in deployment.case(document).steps if step.action == "isolate_pod"][-1]
    return str(step.reason), step.detail


def let_out(plane: ControlPlane, namespace: str) -> None:
    """Create a FQDNNetworkPolicy that lets every pod of the namespace out."""
    body = {
        "apiVersion": "networking.gke.io/v1alpha1",
        "kind": "FQDNNetworkPolicy",
        "metadata": {"name": "out"},
        "spec": {"podSelector": {}, "egress": [{"matches": [{"pattern": "*.example.com"}]}]},
    }
    path = f"/apis/networking.gke.io/v1alpha1/namespaces/{namespace}/fqdnnetworkpolicies"
    plane.admin.request("POST", path, body)


def test_a_bypass_by_another_kind_is_named(plane: ControlPlane, tmp_path: Path) -> None:
    """The policy of another kind that lets the pod out is named; where there is none, the pod is isolated.

    A kind whose group is served without it is not there: that is no reserve.
    """
    namespace, quiet = objects.create_namespace(plane.admin), objects.create_namespace(plane.admin)
    let_out(plane, namespace)
    for folder in ("open", "quiet"):
        (tmp_path / folder).mkdir()

    reason, detail = isolated(plane, tmp_path / "open", namespace)

    assert (reason, "bypassed_by FQDNNetworkPolicy/out" in detail) == ("bypassed_by", True), detail
    assert isolated(plane, tmp_path / "quiet", quiet)[0] == "isolated"


def test_roles_of_before_are_said_to_lack_the_lists(plane: ControlPlane, tmp_path: Path) -> None:
    """With roles that do not grant the list of a kind that is served, nothing is called isolated."""
    namespace = objects.create_namespace(plane.admin)
    needs = of_all_actions()
    plane.admin.apply(yaml.safe_dump(cluster_role([need for need in needs if need.permission != LISTS], RESPONDER)))
    try:
        wait_until(lambda: _status(plane, namespace) == 403, what="the role to be in force")
        reason, detail = isolated(plane, tmp_path, namespace)
    finally:
        plane.admin.apply(yaml.safe_dump(cluster_role(needs, RESPONDER)))
        wait_until(lambda: _status(plane, namespace) == 200, what="the whole role to be in force")

    assert reason == "enforcement_unknown"
    assert f"FQDNNetworkPolicy (missing permission: {LISTS} in namespace {namespace})" in detail


def _status(plane: ControlPlane, namespace: str) -> int:
    path = f"/apis/networking.gke.io/v1alpha1/namespaces/{namespace}/fqdnnetworkpolicies"
    return int(plane.client("responder").send("GET", path).status)
