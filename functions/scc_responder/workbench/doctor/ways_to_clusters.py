"""How to make a cluster reachable, by the error that doctor got."""

from __future__ import annotations

from scc_responder.domain.errors import ResponderError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.doctor.check import LOGIN, OR, THEN, permission_of

_CREDENTIALS = frozenset(
    {Reason.KUBERNETES_UNAUTHENTICATED, Reason.NO_CREDENTIALS, Reason.TOKEN_REFUSED, Reason.TOKEN_UNAVAILABLE}
)
_PASSING = frozenset({Reason.SERVER_ERROR, Reason.THROTTLED, Reason.TIMEOUT})


def place(ref: ClusterRef) -> str:
    """The cluster as `gcloud container clusters` takes it."""
    return f"{ref.name} --location={ref.location} --project={ref.project}"


def way_to(ref: ClusterRef, error: ResponderError) -> str:
    """The fix of a cluster that is not reached."""
    permission = permission_of(error)
    if permission.startswith("gkehub."):
        grant = f"Terraform variable connect_gateway = true: terraform apply grants {permission}"
        return f"{grant}{OR}grant it in the fleet's project, where that is another one"
    if permission.startswith("container."):
        # To open another endpoint fixes nothing where the caller may not use the one there is.
        return f"Terraform variable clusters: name its project, and terraform apply grants {permission} there"
    if permission:
        shown = "kubectl get clusterrolebinding system:basic-user --output yaml"
        return f"{shown}{THEN}let it bind system:authenticated"
    if error.reason in _CREDENTIALS:
        return LOGIN
    if error.reason in _PASSING:
        described = f"gcloud container clusters describe {place(ref)} --format='value(status,conditions)'"
        return f"{described}{THEN}run doctor again"
    variable = "connect_gateway" if error.reason == Reason.CONNECT_GATEWAY_OFF else "vpc_connector"
    return f"gcloud container clusters update {place(ref)} --enable-dns-access{OR}Terraform variable {variable}"
