"""An error of a cluster, told again with the way by which it was asked."""

from __future__ import annotations

import pytest

from scc_responder.adapters.kubernetes.endpoint_errors import retold
from scc_responder.collect.endpoints import Endpoint, EndpointKind
from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.reasons import Reason

DNS, GATEWAY, PUBLIC = EndpointKind.DNS_ENDPOINT, EndpointKind.CONNECT_GATEWAY, EndpointKind.PUBLIC_IP


def endpoint(kind: EndpointKind) -> Endpoint:
    return Endpoint(kind=kind, url="https://gke.example.com/path", ca_pem=None)


@pytest.mark.parametrize(
    ("kind", "error", "permission", "remedy"),
    [
        (DNS, ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403), "container.clusters.connect", "grant container"),
        (GATEWAY, ApiError(Reason.KUBERNETES_FORBIDDEN, "no"), "gkehub.gateway.get", "connect_gateway grants it"),
        (
            GATEWAY,
            ApiError(Reason.KUBERNETES_FORBIDDEN, "no", refused_by="gkehub.gateway.patch"),
            "gkehub.gateway.patch",
            "grants",
        ),
        (PUBLIC, ApiError(Reason.CLUSTER_UNREACHABLE, "no"), "", "authorised networks"),
        (EndpointKind.PRIVATE_IP, ApiError(Reason.CLUSTER_UNREACHABLE, "no"), "", "must have a route"),
        (PUBLIC, ApiError(Reason.TIMEOUT, "no"), "", "(by public_ip, gke.example.com)"),
    ],
)
def test_a_lost_cluster_names_its_way(kind: EndpointKind, error: ApiError, permission: str, remedy: str) -> None:
    """Host, kind of endpoint, and what opens it; a permission of the front end is named as missing."""
    told = retold(endpoint(kind), "GET", error)
    assert told.permission == permission
    assert told.reason == ("endpoint_forbidden" if permission else error.reason)
    assert "gke.example.com" in str(told)
    assert remedy in str(told)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        (PUBLIC, ApiError(Reason.KUBERNETES_FORBIDDEN, "no")),
        (DNS, ApiError(Reason.KUBERNETES_FORBIDDEN, "no", body_reason="Forbidden")),
        (DNS, ApiError(Reason.CONFLICT, "no")),
    ],
)
def test_a_clusters_own_answer_stays(kind: EndpointKind, error: ApiError) -> None:
    """What does not speak against the way is the very same error."""
    assert retold(endpoint(kind), "GET", error) is error


def test_an_unknown_outcome_stays_unknown() -> None:
    """With everything that it carried."""
    told = retold(endpoint(PUBLIC), "PATCH", OutcomeUnknown(Reason.TIMEOUT, "no", status=0, retry_after_seconds=2.0))
    assert isinstance(told, OutcomeUnknown)
    assert told.retry_after_seconds == 2.0
