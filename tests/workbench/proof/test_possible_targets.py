"""The values that a pack tells apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.resource_names import is_namespace, region_of
from scc_responder.domain.wildcards import matches
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.policy_files import pattern_words
from scc_responder.workbench.proof.possible_targets import (
    SYSTEM_NAMESPACES,
    TargetValues,
    cluster_lists,
    matches_of,
    possible_targets,
)
from tests.workbench.proof.small_pack import loaded


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> PolicySet:
    """The pack as it is."""
    return loaded(tmp_path_factory.mktemp("packs") / "small")


@pytest.fixture(scope="module")
def values(pack: PolicySet) -> TargetValues:
    """Its values."""
    return possible_targets([pack])


def test_each_value_is_one_that_may_be(values: TargetValues) -> None:
    """Paths are read as the product reads them, and namespaces are those that Kubernetes takes."""
    assert all(ClusterRef.parse(path) for path in values.clusters)
    assert all(RunName.parse(path) for path in values.services)
    assert all(is_namespace(workload.split("/")[0]) for workload in values.workloads)


def test_each_entry_has_a_value_that_fits_and_one_that_does_not(values: TargetValues) -> None:
    """Of guardrails, `when` and `unless` alike."""
    for patterns, names in (
        (["payments/Deployment/ledger", "*/Deployment/web-*", "shop/Deployment/checkout"], values.workloads),
        (["projects/example-prod/locations/*/clusters/control-plane"], values.clusters),
        (["projects/*/locations/*/services/login", "projects/*/locations/*/jobs/*"], values.services),
        (["gke-prod-1-system-*"], values.nodes),
        (["break-glass@example.com", "*@example.com"], values.principals),
        (["pool-1"], values.node_pools),
        (["critical"], values.labels["tier"]),
        (["ci", "ci-*", "team-a-*", *SYSTEM_NAMESPACES], [name.split("/")[0] for name in values.workloads]),
        (["registry.example.com/team-a/**"], [images[0] for images in values.images if images]),
    ):
        for pattern in patterns:
            assert {matches(pattern, name) for name in names} == {True, False}, pattern


def test_a_region_has_its_zones(values: TargetValues) -> None:
    """A location that policies or guardrails name is met as itself, and by a zone of it."""
    locations = {ClusterRef.parse(path).location for path in values.clusters if ClusterRef.parse(path)}
    for wanted in ("us-central1", "europe-west1"):
        assert wanted in locations
        assert any(region_of(place) == wanted != place for place in locations)


def test_several_containers_and_none_are_tried(values: TargetValues) -> None:
    """One image may be asked for while another one is excepted."""
    assert {len(images) for images in values.images} == {0, 1, 2}


def test_what_nobody_asks_for_has_one_value(tmp_path: Path, pack: PolicySet) -> None:
    """So that it multiplies nothing."""
    other = loaded(tmp_path / "other", ("mark-library.yaml", "  node_pool: pool-1\n", ""))
    assert len(possible_targets([other]).node_pools) == 1
    assert len(possible_targets([pack]).node_pools) == 3


def test_matches_and_lists_of_clusters_are_all_found(pack: PolicySet) -> None:
    """`when` and `unless` of each policy, exemptions, ceilings."""
    assert len(list(matches_of([pack]))) == 2 * len(pack.policies) + 1
    assert list(cluster_lists(pack.guardrails)) == [("projects/example-prod/locations/*/clusters/*",)]


def test_patterns_that_cannot_be_told_apart_are_named(pack: PolicySet, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what they are of."""
    monkeypatch.setattr(pattern_words, "MOST_WALKED", 1)
    with pytest.raises(PolicyError, match=r"^node pools in policies and guardrails: patterns .* write fewer \*"):
        possible_targets([pack])
