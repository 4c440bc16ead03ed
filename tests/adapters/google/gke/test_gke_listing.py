"""The clusters of a project, as GKE lists them."""

from __future__ import annotations

import grpc
import pytest

from scc_responder.adapters.google.gke.gke_listing import GkeListing
from scc_responder.domain.errors import ApiError
from tests.kits.google.grpc_servers import ClusterManagerServer, cluster


def test_clusters_are_listed_by_location_or_all(cluster_manager: ClusterManagerServer) -> None:
    """The clusters of one project, in one location or in all."""
    for path in ("a/locations/l/clusters/one", "a/locations/m/clusters/two", "b/locations/l/clusters/three"):
        location, name = path.split("/")[2], path.rpartition("/")[2]
        cluster_manager.clusters[f"projects/{path}"] = cluster({"name": name, "location": location})
    listing = GkeListing(endpoint=cluster_manager.endpoint)
    assert [ref.name for ref in listing.clusters("a", "*")] == ["one", "two"]
    assert [ref.path for ref in listing.clusters("a", "m")] == ["projects/a/locations/m/clusters/two"]


def test_a_refused_listing_names_the_permission(cluster_manager: ClusterManagerServer) -> None:
    """The permission that is missing is named."""
    cluster_manager.fail_next(grpc.StatusCode.PERMISSION_DENIED, "denied")
    with pytest.raises(ApiError) as raised:
        GkeListing(endpoint=cluster_manager.endpoint).clusters("a", "*")
    assert raised.value.permission == "container.clusters.list"
