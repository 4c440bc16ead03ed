"""People are reminded of an isolation or a cordon that stands after the last look, and of nothing else."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.journal.watch.looks_due import MOST_UNREAD, due_at
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster.polling import wait_until
from tests.kits.compromised_pod import is_gone
from tests.kits.responder import Deployment, Interposed, api_of, deployed, finding_about, policy
from tests.pipeline.looks.test_look_sweep import later, looked

MOMENTS = [timedelta(minutes=1, seconds=1), timedelta(minutes=6), timedelta(hours=2), timedelta(hours=25)]


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    return deployed(tmp_path, cluster, policy("isolate_pod", "cordon_node", "notify"))


def reminders(deployment: Deployment) -> list[dict[str, Any]]:
    return [item for item in deployment.published.messages if item["attributes"].get("reason") == "still_contained"]


def delete(cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Somebody deletes the pod, at once."""
    path = api_paths.pod("shop", pod["metadata"]["name"])
    api_of(cluster, "owner").delete(path, {"gracePeriodSeconds": 0})
    wait_until(lambda: is_gone(cluster, pod), what="the pod is gone")


def look_at_all(deployment: Deployment) -> list[int]:
    """How many reminders there are after each look."""
    counts = []
    for moment in MOMENTS:
        later(deployment, moment)
        assert looked(deployment) == {"still_contained": 1}
        counts.append(len(reminders(deployment)))
    return counts


def test_what_stands_is_told_once_at_the_last_look(deployment: Deployment, pod: dict[str, Any]) -> None:
    """With the pod, the node, and the command that takes both back."""
    document = finding_about(pod)
    deployment.respond_to(document)
    assert look_at_all(deployment) == [0, 0, 0, 1]
    (reminder,) = reminders(deployment)
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    case = deployment.case(document).finding_key[:12]
    assert (
        f"isolate_pod: shop/{name}; cordon_node: {node}. To take it back: scc-responder case undo {case}"
        in (reminder["error"])
    )
    assert "--expired" not in reminder["error"]
    assert due_at(deployment.case(document)) is None
    later(deployment, MOMENTS[-1] * 2)
    assert (looked(deployment), len(reminders(deployment))) == ({}, 1)


def test_a_cordon_with_a_time_names_the_command_that_ends_it(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """For all of them at once: a person types it, or a scheduler."""
    made = deployed(tmp_path, cluster, policy("isolate_pod", "cordon_node {release_after: 24h}", "notify"))
    made.respond_to(finding_about(pod))
    look_at_all(made)
    (reminder,) = reminders(made)
    assert "scc-responder case undo --expired --apply" in reminder["error"]


def test_a_pod_that_is_gone_is_not_told(deployment: Deployment, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Its node is, if it is cordoned still."""
    deployment.respond_to(finding_about(pod))
    delete(cluster, pod)
    look_at_all(deployment)
    (reminder,) = reminders(deployment)
    assert "isolate_pod" not in reminder["error"]
    assert "cordon_node" in reminder["error"]


def test_what_the_last_look_could_not_see_is_told(deployment: Deployment, pod: dict[str, Any]) -> None:
    """Its cluster does not answer any more: people are told what may stand, and what takes it back."""
    deployment.respond_to(finding_about(pod))
    for moment in MOMENTS[:3]:
        later(deployment, moment)
        looked(deployment)

    def silent(*_call: object) -> None:
        raise ApiError(Reason.CLUSTER_UNREACHABLE, "no route")

    deployment.clusters.api = Interposed(deployment.clusters.api, silent)
    for number in range(MOST_UNREAD + 1):
        later(deployment, MOMENTS[3] + number * timedelta(minutes=6))
        looked(deployment)
    told = [item for item in deployment.published.messages if "To take it back" in item.get("error", "")]
    assert [item["attributes"]["reason"] for item in told] == ["cluster_unreachable"]
    assert "was not made (cluster_unreachable): isolate_pod; cordon_node. To take it back: scc" in told[0]["error"]


def test_nothing_that_stands_is_no_reminder(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A pod that is gone needs nobody any more."""
    made = deployed(tmp_path, cluster, policy("isolate_pod", "notify"))
    made.respond_to(finding_about(pod))
    delete(cluster, pod)
    assert look_at_all(made) == [0, 0, 0, 0]
