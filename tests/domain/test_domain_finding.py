"""A finding as the rest of the product sees it."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import ClusterRef, PodRef, case_id
from tests.kits.decision_contexts import FINDING, REF


@pytest.mark.parametrize("place", ["locations", "zones", "regions"])
@pytest.mark.parametrize("prefix", ["", "//container.googleapis.com/"])
def test_a_cluster_is_known_in_every_spelling(place: str, prefix: str) -> None:
    """All mean the same cluster."""
    found = ClusterRef.parse(f"{prefix}projects/example-project/{place}/europe-west1/clusters/prod-1")
    assert found == REF
    assert REF.path == "projects/example-project/locations/europe-west1/clusters/prod-1"


@pytest.mark.parametrize(
    "name", ["", "projects/p/clusters/c", "projects/p/zones/z/clusters/c/nodes/n", "projects/P/zones/z/clusters/c"]
)
def test_anything_else_is_no_cluster(name: str) -> None:
    """Nothing is guessed."""
    assert ClusterRef.parse(name) is None


def test_a_finding_is_about_one_pod_or_none() -> None:
    """Of several pods none is the one."""
    pods = (PodRef(namespace="shop", name="a"), PodRef(namespace="shop", name="b"))
    assert replace(FINDING, pods=pods[:1]).pod == pods[0]
    assert replace(FINDING, pods=pods).pod is None
    assert replace(FINDING, pods=()).pod is None


def test_a_finding_outside_clusters_has_no_path() -> None:
    """Limits and the kill switch know it by an empty one."""
    assert FINDING.cluster_path == REF.path
    assert replace(FINDING, cluster=None).cluster_path == ""


def test_a_case_is_named_by_twelve_digits() -> None:
    """The beginning of the finding's key."""
    assert case_id("0123456789abcdef") == "0123456789ab"
