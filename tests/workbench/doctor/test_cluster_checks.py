"""What doctor makes of a cluster that it reaches, or does not."""

from __future__ import annotations

import pytest

from scc_responder.collect.confirm import covers
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ENDPOINT_PERMISSIONS
from scc_responder.domain.context import Cluster
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.ports import KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.cluster_checks import Examined, examine_cluster, unlisted_cluster

REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")


@pytest.mark.parametrize(
    ("path", "covered"),
    [("projects/a/locations/l/clusters/c", True), ("projects/b/locations/l/clusters/c", False)],
)
def test_a_cluster_outside_patterns_names_the_variable(path: str, covered: bool) -> None:
    """A cluster in no pattern is a fault that names the variable."""
    check = unlisted_cluster(["projects/a/locations/*/clusters/*"], path, covers)
    assert (check is None) is covered
    assert check is None or check.fix == f'Terraform variable clusters: add "{path}"'


class Beyond:
    """A cluster whose front end refuses every request."""

    def __init__(self, permission: str) -> None:
        self.permission = permission

    def describe(self, ref: ClusterRef) -> Cluster:
        """It is known to GKE."""
        return Cluster(ref=ref, enforces_network_policy=True)

    def connect(self, ref: ClusterRef) -> KubernetesApi:
        """Nobody gets there."""
        raise ApiError(Reason.ENDPOINT_FORBIDDEN, f"denied for {ref.name}", status=403, permission=self.permission)


@pytest.mark.parametrize("permission", ENDPOINT_PERMISSIONS[EndpointKind.CONNECT_GATEWAY])
def test_the_gateway_s_permissions(permission: str) -> None:
    """Where Connect Gateway wants a permission, it is named with the input that grants it."""
    *_, check = examine_cluster(Beyond(permission), lambda _: "connect_gateway", Examined(ref=REF, needs=()))
    assert (check.name, check.reason) == ("cluster.reached", "permission_missing")
    assert check.why == f"missing permission: {permission}"
    assert check.fix.startswith(f"Terraform variable connect_gateway = true: terraform apply grants {permission};")


def test_the_dns_endpoint_s_permission() -> None:
    """Another way's permission is not said to come with that input."""
    beyond = Beyond("container.clusters.connect")
    *_, check = examine_cluster(beyond, lambda _: "dns_endpoint", Examined(ref=REF, needs=()))
    assert "connect_gateway" not in check.fix
