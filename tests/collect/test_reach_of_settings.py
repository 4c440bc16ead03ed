"""Which clusters and sources a deployment listens to: by whole segments, never by resemblance."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.collect.confirm import out_of_reach
from scc_responder.domain.finding import ClusterRef
from scc_responder.settings import Settings
from tests.kits.decision_contexts import FINDING

SETTINGS = Settings(
    policies=Path(),
    clusters=("projects/example-project/locations/*/clusters/prod-1", "projects/p/locations/l/clusters/*"),
    sources=("1",),
    store="sqlite:///x",
)


def reach(project: str, location: str, name: str) -> str | None:
    cluster = ClusterRef(project=project, location=location, name=name)
    return out_of_reach(replace(FINDING, cluster=cluster), SETTINGS)


INSIDE = [
    ("example-project", "europe-west1", "prod-1"),
    ("example-project", "us-central1-a", "prod-1"),
    ("p", "l", "x"),
]
OUTSIDE = [
    ("example-project", "europe-west1", "prod-10"),
    ("example-project", "europe-west1", "prod-"),
    ("example-project", "europe-west1", "xprod-1"),
    ("example-project-evil", "europe-west1", "prod-1"),
    ("evil-example-project", "europe-west1", "prod-1"),
    ("example.com:example-project", "europe-west1", "prod-1"),
    ("100000000001", "europe-west1", "prod-1"),
    ("p", "l2", "x"),
    ("example-project", "europe-west1/clusters/prod-1/locations/x", "prod-1"),
    ("EXAMPLE-PROJECT", "europe-west1", "prod-1"),
    ("example-project", "", ""),
]


@pytest.mark.parametrize("names", INSIDE, ids="/".join)
def test_a_listed_cluster_is_in_reach(names: tuple[str, str, str]) -> None:
    """A listed cluster, and any in the place of a star, is in reach."""
    assert reach(*names) is None


@pytest.mark.parametrize("names", OUTSIDE, ids="/".join)
def test_a_resembling_cluster_is_out_of_reach(names: tuple[str, str, str]) -> None:
    """A cluster whose name only looks like a listed one is not."""
    assert reach(*names) == "cluster_not_listed"


@pytest.mark.parametrize("source", ["2", "11", "", "01", "1 "])
def test_a_source_counts_by_whole_id(source: str) -> None:
    """A source is known by its whole id."""
    assert out_of_reach(replace(FINDING, source_id=source), SETTINGS) == "source_not_allowed"


def test_a_finding_without_cluster_counts_by_source() -> None:
    """A finding about no cluster is in reach by its source."""
    assert out_of_reach(replace(FINDING, cluster=None), SETTINGS) is None
