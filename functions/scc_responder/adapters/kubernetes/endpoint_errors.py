"""What a failed request means by the endpoint used: the answer may be the API server's, or its front end's.

The DNS endpoint and Connect Gateway are front ends of Google's. They ask IAM before the API server is asked, and may
refuse without a `Status`, which an API server always sends.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scc_responder.collect.endpoints import Endpoint, EndpointKind
from scc_responder.domain.errors import ApiError

_LOST = frozenset(
    {
        "cluster_unreachable",
        "kubernetes_unauthenticated",
        "no_such_resource",
        "redirect_refused",
        "timeout",
        "untrusted_certificate",
    }
)
"""Failures that a cluster reached by what GKE says of it today may not have."""

_FRONT_ENDS = frozenset({EndpointKind.DNS_ENDPOINT, EndpointKind.CONNECT_GATEWAY})
_REFUSED_BY_IAM = re.compile(r"[Pp]ermission '?((?:container|gkehub)\.[A-Za-z.]{1,80}[A-Za-z])'? denied", re.ASCII)

_REMEDIES: Mapping[tuple[str, EndpointKind], str] = {
    ("endpoint_forbidden", EndpointKind.DNS_ENDPOINT): (
        "grant container.clusters.connect; if it is granted, the DNS endpoint is closed to external traffic"
    ),
    ("endpoint_forbidden", EndpointKind.CONNECT_GATEWAY): (
        "the Terraform variable connect_gateway grants it; in a fleet's own project, grant it and enable "
        "connectgateway.googleapis.com"
    ),
    ("cluster_unreachable", EndpointKind.DNS_ENDPOINT): "a VPC Service Controls perimeter may keep callers out",
    ("cluster_unreachable", EndpointKind.CONNECT_GATEWAY): "the fleet membership may be gone",
    ("cluster_unreachable", EndpointKind.PUBLIC_IP): "authorised networks must list this deployment's egress address",
    ("cluster_unreachable", EndpointKind.PRIVATE_IP): "this deployment's VPC must have a route to the control plane",
}


def retold(endpoint: Endpoint, method: str, error: ApiError) -> ApiError:
    """The error to raise instead; the same one if the endpoint is not the cause."""
    permission = _permission(endpoint.kind, method, error)
    if not permission and error.reason not in _LOST:
        return error
    reason = "endpoint_forbidden" if permission else error.reason
    remedy = _REMEDIES.get((reason, endpoint.kind), "")
    return type(error)(
        reason,
        f"{error} (by {endpoint.kind}, {_host(endpoint)}" + (f": {remedy})" if remedy else ")"),
        status=error.status,
        permission=permission,
        body_reason=error.body_reason,
        retry_after_seconds=error.retry_after_seconds,
    )


def _permission(kind: EndpointKind, method: str, error: ApiError) -> str:
    """The IAM permission for want of which a front end refused, if one did."""
    if error.reason != "kubernetes_forbidden" or kind not in _FRONT_ENDS:
        return ""
    named = _REFUSED_BY_IAM.search(str(error))
    if named:
        return named[1]
    if error.body_reason:
        return ""
    return "container.clusters.connect" if kind is EndpointKind.DNS_ENDPOINT else f"gkehub.gateway.{method.lower()}"


def _host(endpoint: Endpoint) -> str:
    return endpoint.url.removeprefix("https://").partition("/")[0]
