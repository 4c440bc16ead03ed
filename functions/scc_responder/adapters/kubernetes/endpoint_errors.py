"""What a failed request means by the endpoint used: the answer may be the API server's, or its front end's.

The DNS endpoint and Connect Gateway are front ends of Google's. They ask IAM before the API server is asked, and may
refuse without a `Status`, which an API server always sends.
"""

from __future__ import annotations

from collections.abc import Mapping

from scc_responder.collect.endpoints import Endpoint, EndpointKind
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

_LOST = frozenset(
    {
        Reason.CLUSTER_UNREACHABLE,
        Reason.KUBERNETES_UNAUTHENTICATED,
        Reason.NO_SUCH_RESOURCE,
        Reason.REDIRECT_REFUSED,
        Reason.TIMEOUT,
        Reason.UNTRUSTED_CERTIFICATE,
    }
)
"""Failures that a cluster reached by what GKE says of it today may not have."""

_FRONT_ENDS = frozenset({EndpointKind.DNS_ENDPOINT, EndpointKind.CONNECT_GATEWAY})

_REMEDIES: Mapping[tuple[str, EndpointKind], str] = {
    (Reason.ENDPOINT_FORBIDDEN, EndpointKind.DNS_ENDPOINT): (
        "grant container.clusters.connect; if it is granted, the DNS endpoint is closed to external traffic"
    ),
    (Reason.ENDPOINT_FORBIDDEN, EndpointKind.CONNECT_GATEWAY): (
        "the Terraform variable connect_gateway grants it; in a fleet's own project, grant it and enable "
        "connectgateway.googleapis.com"
    ),
    (Reason.CLUSTER_UNREACHABLE, EndpointKind.DNS_ENDPOINT): "a VPC Service Controls perimeter may keep callers out",
    (Reason.CLUSTER_UNREACHABLE, EndpointKind.CONNECT_GATEWAY): "the fleet membership may be gone",
    (
        Reason.CLUSTER_UNREACHABLE,
        EndpointKind.PUBLIC_IP,
    ): "authorised networks must list this deployment's egress address",
    (
        Reason.CLUSTER_UNREACHABLE,
        EndpointKind.PRIVATE_IP,
    ): "this deployment's VPC must have a route to the control plane",
}


def retold(endpoint: Endpoint, method: str, error: ApiError) -> ApiError:
    """The error to raise instead; the same one if the endpoint is not the cause."""
    permission = _permission(endpoint.kind, method, error)
    if not permission and error.reason not in _LOST:
        return error
    reason = Reason.ENDPOINT_FORBIDDEN if permission else error.reason
    remedy = _REMEDIES.get((reason, endpoint.kind), "")
    return type(error)(
        reason,
        f"{error} (by {endpoint.kind}, {_host(endpoint)}" + (f": {remedy})" if remedy else ")"),
        status=error.status,
        permission=permission,
        body_reason=error.body_reason,
        refused_by=error.refused_by,
        retry_after_seconds=error.retry_after_seconds,
    )


def _permission(kind: EndpointKind, method: str, error: ApiError) -> str:
    """The IAM permission for want of which a front end refused, if one did."""
    if error.reason != Reason.KUBERNETES_FORBIDDEN or kind not in _FRONT_ENDS:
        return ""
    if error.refused_by or error.body_reason:
        return error.refused_by
    return "container.clusters.connect" if kind is EndpointKind.DNS_ENDPOINT else f"gkehub.gateway.{method.lower()}"


def _host(endpoint: Endpoint) -> str:
    return endpoint.url.removeprefix("https://").partition("/")[0]
