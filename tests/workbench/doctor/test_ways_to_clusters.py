"""What opens the way to a cluster that is not reached."""

from __future__ import annotations

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import ClusterRef
from scc_responder.workbench.doctor.ways_to_clusters import way_to
from tests.docs.command_lines import fix_mistakes

REF = ClusterRef(project="example-project", location="europe-west1", name="prod-1")


WAYS = [
    ("endpoint_forbidden", "container.clusters.connect", "grants container.clusters.connect"),
    ("endpoint_forbidden", "gkehub.gateway.get", "Terraform variable connect_gateway = true"),
    ("connect_gateway_off", "", "--enable-dns-access; or: Terraform variable connect_gateway"),
    ("kubernetes_forbidden", "selfsubjectaccessreviews: create", "kubectl get clusterrolebinding system:basic-user"),
    ("kubernetes_unauthenticated", "", "gcloud auth application-default login"),
    ("no_credentials", "", "gcloud auth application-default login"),
    ("timeout", "", "gcloud container clusters describe"),
    ("cluster_unreachable", "", "--enable-dns-access; or: Terraform variable vpc_connector"),
    ("cluster_endpoint_private", "", "--enable-dns-access; or: Terraform variable vpc_connector"),
    ("no_reachable_endpoint", "", "--enable-dns-access"),
    ("no_cluster_authority", "", "--enable-dns-access"),
]


@pytest.mark.parametrize(("reason", "permission", "told"), WAYS)
def test_each_lack_has_its_own_fix(reason: str, permission: str, told: str) -> None:
    """What keeps doctor from a cluster has its own fix: another endpoint fixes no lack of a permission."""
    fix = way_to(REF, ApiError(reason, "why", permission=permission))
    assert told in fix
    assert ("--enable-dns-access" in fix) is ("--enable-dns-access" in told)
    assert list(fix_mistakes(fix)) == []
