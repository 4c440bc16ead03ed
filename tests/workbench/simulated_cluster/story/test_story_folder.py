"""The demonstration's folder: what the function reads of it, and where it writes."""

from __future__ import annotations

import json
from pathlib import Path

from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.mode import Mode
from scc_responder.settings import read_settings
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from scc_responder.workbench.simulated_cluster.story.notifications import CHECKOUT_SERVICE, STORY_CLUSTER
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.kits.responder import SHIPPED


def test_the_folder_is_ready_for_the_function(tmp_path: Path) -> None:
    """Policies but one are raised to enforce, and the cluster is reached by the name that findings use."""
    folder = StoryFolder(tmp_path)
    with SimulatedCluster(stop_seconds=0) as cluster:
        raised = folder.lay_out(cluster, SHIPPED)
        reached = ClustersFile(folder.clusters).connect(ref())
        assert reached.list("/api/v1/nodes") == []
    policies = load_policies(folder.policies).policies
    assert [policy.name for policy in policies if policy.mode is Mode.DRY_RUN] == ["respond-to-compiler"]
    assert {policy.mode for policy in policies} == {Mode.DRY_RUN, Mode.APPROVE, Mode.ENFORCE}
    assert raised == sum(policy.mode is Mode.ENFORCE for policy in policies)
    settings = read_settings(folder.settings, folder.policies)
    assert settings.clusters == (STORY_CLUSTER,)
    assert json.loads((tmp_path / "responder-kubeconfig").read_text())["current-context"] == "simulated"


def test_a_played_cloud_run_may_be_changed(tmp_path: Path) -> None:
    """Only where it is played: its service alone."""
    folder = StoryFolder(tmp_path)
    assert read_settings(folder.settings, folder.policies).services == ()
    folder.run_endpoint = "127.0.0.1:4711"
    settings = read_settings(folder.settings, folder.policies)
    assert (settings.services, settings.run_endpoint) == ((CHECKOUT_SERVICE,), "127.0.0.1:4711")
    assert settings.run_writer


def ref() -> ClusterRef:
    found = ClusterRef.parse(STORY_CLUSTER)
    assert found is not None
    return found
