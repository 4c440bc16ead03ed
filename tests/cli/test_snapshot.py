"""`scc-responder snapshot`: one file, whole or not at all, that `explain` and others can go by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.collect.asked_reads import GOOGLE_ACCOUNT
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.cluster_snapshot import read_snapshot
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cli import commands
from tests.cluster import objects
from tests.kits.responder import CLUSTER, finding_about


@pytest.fixture
def cluster() -> Iterator[SimulatedCluster]:
    """A cluster with a pod."""
    with SimulatedCluster(stop_seconds=0) as running:
        running.create(objects.namespace("shop"))
        running.create(objects.node("node-1"))
        running.create(objects.deployment("web", "shop", "node-1"))
        yield running


def clusters_file(folder: Path, cluster: SimulatedCluster, user: str = "admin") -> Path:
    """A file of local clusters that reaches this one as a user."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": cluster.url}}],
        "users": [{"name": "u", "user": {"token": cluster.token(user)}}],
        "contexts": [{"name": "kind-shop", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    entry = {"context": "kind-shop", "kubeconfig": "kubeconfig", "enforces_network_policy": True}
    (folder / "clusters.yaml").write_text(yaml.safe_dump({CLUSTER: entry}))
    return folder / "clusters.yaml"


def snapshot(folder: Path, clusters: Path, *options: str, name: str = "prod-1") -> Any:
    """Take one into the folder."""
    output = folder / "prod-1.json"
    return commands.run("snapshot", "--clusters", clusters, "--cluster", name, "--output", output, *options)


def test_a_terminal_shows_how_far_it_is(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What is read and how much of it, in one line that is gone at the end: then it says what the file has."""
    output = tmp_path / "prod-1.json"
    given = ("--clusters", str(clusters_file(tmp_path, cluster)), "--cluster", "prod-1", "--output", str(output))
    shown = commands.Terminal("snapshot", *given, TERM="xterm")
    assert shown.ended() == 0
    lines = shown.shown.replace("\x1b[2m", "").replace("\x1b[0m", "").split("\r\x1b[2K")
    assert {"prod-1: 1 namespaces ...", "prod-1: 1 nodes ...", "prod-1: 1 pods ..."} <= set(lines)
    assert f"{output.name}: 1 namespaces" in lines[-1]
    assert "..." not in lines[-1]


def test_a_snapshot_holds_what_decisions_need(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The file says of a finding's pod what decisions need; only its owner may read it, and nothing was changed."""
    done = snapshot(tmp_path, clusters_file(tmp_path, cluster))
    path = tmp_path / "prod-1.json"
    found = read_snapshot(path).facts(parse_notification(finding_about(cluster.objects("Pod")[0])))
    assert (done.returncode, done.stdout) == (0, "")
    assert f"{path}: 1 namespaces, 1 nodes, 1 pods, 1 replicasets, 1 deployments" in done.stderr
    assert "\x1b" not in done.stderr
    assert found.pod is not None
    assert found.pod.workload is not None
    assert (found.pod.workload.name, found.cluster and found.cluster.enforces_network_policy) == ("web", True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert {event.verb for event in cluster.audit if event.user == "admin"} == {"list"}
    assert [item.name for item in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("name", ["prod-1", "kind-shop", CLUSTER])
def test_a_cluster_has_three_names(tmp_path: Path, cluster: SimulatedCluster, name: str) -> None:
    """A cluster is named by its last part, its context, or in full."""
    assert snapshot(tmp_path, clusters_file(tmp_path, cluster), name=name).returncode == 0


def test_the_same_again(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Two snapshots of the same cluster differ in their time alone."""
    clusters = clusters_file(tmp_path, cluster)
    texts = []
    for _ in range(2):
        assert snapshot(tmp_path, clusters).returncode == 0
        texts.append(re.sub(r'"taken_at": ".*"', "", (tmp_path / "prod-1.json").read_text()))
    assert texts[0] == texts[1]
    assert "taken_at" not in texts[0]


def test_forbidden_parts_are_named_and_left_out(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What may not be listed is told with the permission, and the rest is there: exit 1."""
    done = snapshot(tmp_path, clusters_file(tmp_path, cluster, "reader"))
    assert done.returncode == 1
    assert "  without jobs: kubernetes_forbidden: missing permission: jobs.batch: list" in done.stderr
    assert "jobs" in read_snapshot(tmp_path / "prod-1.json").missing


def test_wrong_use_leaves_no_file(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """An unknown cluster, an unwritable place and a cluster that is away are told, and leave no file.

    Where nothing can be written, no cluster is read for it.
    """
    clusters = clusters_file(tmp_path, cluster)
    unknown = snapshot(tmp_path, clusters, name="prod-9")
    unwritable = snapshot(tmp_path / "no", clusters)
    cluster.stop()
    away = snapshot(tmp_path, clusters)
    (tmp_path / "folder" / "prod-1.json").mkdir(parents=True)
    unread = [snapshot(tmp_path / place, clusters) for place in ("no", "folder")]
    assert [done.stderr.rpartition(": ")[2] for done in unread] == ["No such file or directory\n", "Is a directory\n"]
    assert (unknown.returncode, unwritable.returncode, away.returncode) == (2, 2, 2)
    assert f"no cluster is named 'prod-9'; there are: {CLUSTER} (context kind-shop)" in unknown.stderr
    assert "prod-1.json: No such file or directory" in unwritable.stderr
    assert "Traceback" not in unknown.stderr + unwritable.stderr + away.stderr
    assert not (tmp_path / "prod-1.json").exists()
    assert {item.name for item in tmp_path.iterdir()} == {"clusters.yaml", "kubeconfig", "folder"}


def test_who_a_pod_is_in_google_cloud_is_kept_on_demand(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """With `--service-accounts`, and not without it."""
    meta = {"name": "default", "namespace": "shop", "annotations": {GOOGLE_ACCOUNT: "web@example.com"}}
    cluster.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    finding = parse_notification(finding_about(cluster.objects("Pod")[0]))
    told = []
    for options in ((), ("--service-accounts",)):
        snapshot(tmp_path, clusters_file(tmp_path, cluster), *options)
        told.append(read_snapshot(tmp_path / "prod-1.json").facts(finding).google_identity)
    assert told == [None, "web@example.com"]
