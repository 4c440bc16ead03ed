"""Which clusters doctor probes: by name, by a list, from a local file, or as GKE lists them for a pattern."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import grpc
import pytest
import yaml

from scc_responder.cli.doctor.doctor_clusters import Found, Wanted, find_clusters, list_command, parse_clusters
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import ClusterRef
from scc_responder.settings import Settings
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.doctor.check import CheckResult
from tests.kits.google.grpc_servers import ClusterManagerServer, cluster
from tests.kits.responder import CLUSTER, SOURCE

PROD = ClusterRef(project="example-project", location="europe-west1", name="prod-1")
ELSEWHERE = ClusterRef(project="another-project", location="europe-west1", name="prod-1")
ALL = "projects/example-project/locations/*/clusters/*"
SHOP = "projects/shop-prod/locations/*/clusters/*"
ANYWHERE = "projects/*/locations/*/clusters/*"
NONE, UNLISTED = (CheckResult.FAULT, "no_cluster_probed"), (CheckResult.FAULT, "cluster_not_listed")
DENIED = grpc.StatusCode.PERMISSION_DENIED


@pytest.fixture
def gke(cluster_manager: ClusterManagerServer) -> ClusterManagerServer:
    """A GKE API that has the one cluster."""
    cluster_manager.clusters[CLUSTER] = cluster({"name": "prod-1", "location": "europe-west1"})
    return cluster_manager


def settings(patterns: Sequence[str] = (ALL,), endpoint: str = "", file: str = "") -> Settings:
    """The settings of a function that acts in the clusters of these patterns."""
    return Settings(
        clusters=tuple(patterns),
        sources=(SOURCE,),
        store="sqlite:///journal.db",
        policies=Path("policies"),
        gke_endpoint=endpoint,
        clusters_file=file,
    )


def found_at(gke: ClusterManagerServer, wanted: Wanted | None = None, *patterns: str) -> Found:
    """What is found where this GKE lists clusters."""
    return find_clusters(settings(patterns or (ALL,), gke.endpoint), None, wanted or Wanted(), 30.0)


def test_a_list_of_clusters_skips_empty_lines() -> None:
    """One cluster to a line, each once; a line that is none is named with file and number."""
    assert parse_clusters(f"{CLUSTER}\n\n  {CLUSTER} \n{ELSEWHERE.path}", "-") == (PROD, ELSEWHERE)
    with pytest.raises(SettingsError) as caught:
        parse_clusters(f"{CLUSTER}\nprod-1", "list.txt")
    assert str(caught.value).endswith("list.txt:2: 'prod-1' is not projects/P/locations/L/clusters/C")


def test_patterns_are_listed_by_project(gke: ClusterManagerServer) -> None:
    """Clusters that a pattern covers are found; a full name in settings needs no list."""
    assert found_at(gke) == Found(refs=(PROD,))
    assert found_at(gke, None, CLUSTER, ELSEWHERE.path) == Found(refs=(PROD, ELSEWHERE))
    assert len(gke.requests) == 1


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(names=("prod-*",)), set()),
        (Wanted(names=(CLUSTER,)), set()),
        (Wanted(refs=()), {NONE}),
        (Wanted(refs=(ELSEWHERE,)), {NONE, (CheckResult.SKIPPED, "cluster_not_listed")}),
        (Wanted(names=("nothing-*",)), {NONE}),
        (Wanted(names=(ELSEWHERE.path,)), {UNLISTED}),
        (Wanted(names=(ELSEWHERE.path, CLUSTER)), {UNLISTED}),
        (Wanted(names=("prod-*",), refs=(ELSEWHERE,)), {(CheckResult.SKIPPED, "cluster_not_listed")}),
    ],
    ids=[
        "pattern",
        "name",
        "empty-list",
        "list-of-others",
        "no-such-name",
        "another",
        "another-too",
        "pattern-and-list",
    ],
)
def test_a_named_cluster_outside_patterns_is_a_fault(
    gke: ClusterManagerServer, wanted: Wanted, told: set[tuple[CheckResult, str]]
) -> None:
    """Nothing probed is a fault. A cluster in no pattern is one where it was named, not where a list has it too."""
    found = found_at(gke, wanted)
    assert (PROD in found.refs) is (CLUSTER in wanted.names or "prod-*" in wanted.names)
    assert ELSEWHERE not in found.refs
    assert {(check.result, check.reason) for check in found.checks} == told
    assert (gke.requests == []) is wanted.are_named


@pytest.mark.parametrize(("pattern", "project"), [(SHOP, "shop-prod"), (ANYWHERE, "PROJECT")])
def test_a_list_that_cannot_be_had_gives_the_command(gke: ClusterManagerServer, pattern: str, project: str) -> None:
    """Where other clusters are probed it is unknown, and where none is, it is a fault; the fix lists them."""
    gke.fail_next(DENIED, "denied", count=2)
    beside, alone = found_at(gke, None, CLUSTER, pattern), found_at(gke, None, pattern)
    assert (beside.refs, alone.refs) == ((PROD,), ())
    (unknown,), (fault,) = beside.checks, alone.checks
    assert (unknown.result, fault.result) == (CheckResult.UNKNOWN, CheckResult.FAULT)
    assert fault.reason == "no_cluster_probed"
    assert unknown.fix == fault.fix == list_command(project)


def test_a_failed_list_says_why(gke: ClusterManagerServer) -> None:
    """A list that fails otherwise says so."""
    gke.fail_next(grpc.StatusCode.NOT_FOUND, "no such project")
    (check,) = found_at(gke, None, CLUSTER, SHOP).checks
    assert (check.name, check.result, check.reason) == ("cluster.listed", CheckResult.FAULT, "gke_not_found")


def test_local_clusters_need_no_list(tmp_path: Path) -> None:
    """The clusters of a local file are probed if a pattern covers them; another is a fault."""
    access = {"cluster": "c", "user": "u"}
    kubeconfig = {
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "local", "context": access}],
        "users": [{"name": "u", "user": {"token": "t"}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    file = tmp_path / "clusters.yaml"
    entry = "context: local, kubeconfig: kubeconfig"
    file.write_text("".join(f"{path}: {{{entry}}}\n" for path in (CLUSTER, ELSEWHERE.path)))
    found = find_clusters(settings(file=str(file)), ClustersFile(file), Wanted(), 30.0)
    assert found.refs == (PROD,)
    assert [(check.probed, check.reason) for check in found.checks] == [(ELSEWHERE.path, "cluster_not_listed")]
