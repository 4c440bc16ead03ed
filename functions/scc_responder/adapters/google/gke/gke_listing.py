"""Which clusters a project has, by the GKE API."""

from __future__ import annotations

from scc_responder.adapters.google.access import google_channel, lean_imports
from scc_responder.adapters.google.access.grpc_errors import ApiMethod, grpc_failures
from scc_responder.adapters.google.gke.gke_clusters import GKE_SERVICE
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.reasons import Reason

LIST_CLUSTERS = ApiMethod(api=Reason.GKE, permission="container.clusters.list")


class GkeListing:
    """ListClusters. `endpoint`: a stand-in for the GKE API on this machine. Safe to use from several threads."""

    def __init__(self, *, endpoint: str = "", timeout_seconds: float = 20.0) -> None:
        self._endpoint = google_channel.check_loopback(endpoint, "SCC_RESPONDER_GKE_ENDPOINT") if endpoint else ""
        self._timeout_seconds = timeout_seconds

    def clusters(self, project: str, location: str) -> tuple[ClusterRef, ...]:
        """The clusters of a project in a location, or in all (`*`). Raises ApiError."""
        client = google_channel.client(lean_imports.CLUSTER_MANAGER, GKE_SERVICE, self._endpoint)
        parent = f"projects/{project}/locations/{'-' if location == '*' else location}"
        try:
            with grpc_failures(LIST_CLUSTERS):
                answer = client.list_clusters(parent=parent, timeout=self._timeout_seconds, retry=None)
        finally:
            client.transport.close()
        found = (
            ClusterRef.parse(f"projects/{project}/locations/{one.location}/clusters/{one.name}")
            for one in answer.clusters
        )
        return tuple(ref for ref in found if ref is not None)
