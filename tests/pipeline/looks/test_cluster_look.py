"""What a look sees of a pod, its node and its workload, with at most four requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import Disruption, change_classes
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.watch.looks_due import watched_steps
from scc_responder.journal.watch.watch import Replacement
from scc_responder.pipeline.looks.cluster_look import ClusterLook
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import NODE, Interposed, api_of, deployed, finding_about, policy

ISOLATE = ("isolate_pod", "cordon_node", "notify")
DETACH = ("isolate_pod", "detach_pod", "cordon_node", "notify")
DELETE = ("isolate_pod", "cordon_node", "delete_pod", "notify")
MOST_REQUESTS = 4


class Scene:
    """A case that was carried out on one pod, and the cluster as its owner changes it."""

    def __init__(self, tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], *steps: str) -> None:
        self.owner = api_of(cluster, "owner")
        made, document = deployed(tmp_path, cluster, policy(*steps)), finding_about(pod)
        assert made.respond_to(document).reason == "done"
        self.pod = pod["metadata"]
        self.record: CaseRecord = made.case(document)
        self.api = Interposed(api_of(cluster))
        self.own_policy = cluster.objects("NetworkPolicy", "shop")[:1]

    def seen(self) -> tuple[tuple[str, ...], Replacement | None]:
        """What a look sees; it makes four requests at most."""
        self.api.calls.clear()
        cluster, steps = ClusterLook(self.api), watched_steps(self.record)
        answer = cluster.gone(steps), cluster.replacement(steps, self.record.decision)
        assert len(self.api.calls) <= MOST_REQUESTS, self.api.calls
        assert not [call for call in self.api.calls if call.split()[0] not in {"get", "list", "gather"}]
        return answer

    def path(self) -> str:
        """The pod's path."""
        return api_paths.pod("shop", self.pod["name"])

    def label(self, **labels: str | None) -> None:
        """Set or take away labels of the pod."""
        self.owner.patch(self.path(), {"metadata": {"labels": labels}})


def remove_policy(scene: Scene) -> None:
    name = scene.own_policy[0]["metadata"]["name"]
    scene.owner.delete(api_paths.network_policy("shop", name), {})


def open_policy(scene: Scene) -> None:
    path = api_paths.network_policy("shop", scene.own_policy[0]["metadata"]["name"])
    scene.owner.patch(path, {"spec": {"egress": [{}]}})


def remove_label(scene: Scene) -> None:
    scene.label(**{"scc-responder/isolated-pod": None})


def uncordon(scene: Scene) -> None:
    scene.owner.patch(api_paths.node(NODE), {"spec": {"unschedulable": None}})


def leave_alone(_scene: Scene) -> None:
    """Nobody does anything."""


def drop_marks(scene: Scene) -> None:
    scene.label(team="checkout")


def delete_pod(scene: Scene) -> None:
    scene.owner.delete(scene.path(), {"gracePeriodSeconds": 0})


TAKEN_AWAY: dict[str, tuple[Callable[[Scene], None], tuple[str, ...]]] = {
    "nothing": (leave_alone, ()),
    "other labels": (drop_marks, ()),
    "the policy": (remove_policy, ("isolate_pod: network_policy_removed",)),
    "the policy allows again": (open_policy, ("isolate_pod: network_policy_removed",)),
    "the label": (remove_label, ("isolate_pod: label_removed",)),
    "the cordon": (uncordon, ("cordon_node: uncordoned",)),
    "the pod": (delete_pod, ()),
}


@pytest.mark.parametrize(("act", "gone"), TAKEN_AWAY.values(), ids=TAKEN_AWAY)
def test_what_others_took_away_is_seen(
    tmp_path: Path,
    cluster: SimulatedCluster,
    pod: dict[str, Any],
    act: Callable[[Scene], None],
    gone: tuple[str, ...],
) -> None:
    """Each effect by its step. A pod that is gone lost nothing by it."""
    scene = Scene(tmp_path, cluster, pod, *ISOLATE)
    act(scene)
    assert scene.seen() == (gone, None)


def test_a_detached_pod_that_is_adopted_again_is_seen(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """It has all the labels again by which its workload selects it. Its replacement is named all along."""
    scene = Scene(tmp_path, cluster, pod, *DETACH)
    gone, replacement = scene.seen()
    assert gone == ()
    assert replacement is not None
    assert (replacement.ready, replacement.name != pod["metadata"]["name"]) == (True, True)
    scene.label(**pod["metadata"]["labels"])
    assert scene.seen()[0] == ("detach_pod: attached_again",)


def test_the_replacement_of_a_deleted_pod_is_named(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """With the digest that it runs, and whether it is ready."""
    scene = Scene(tmp_path, cluster, pod, *DELETE)
    digests = {
        item["metadata"]["name"]: item["status"]["containerStatuses"][0]["imageID"].rpartition("@")[2]
        for item in cluster.objects("Pod", "shop")
    }
    gone, replacement = scene.seen()
    assert (gone, replacement is not None) == ((), True)
    assert replacement is not None
    assert replacement == Replacement(
        name=replacement.name, ready=True, digests=(digests[replacement.name],), same_image=True
    )


def test_siblings_of_before_are_no_replacement(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Only what was made since the pod was deleted came in its place."""
    scene = Scene(tmp_path, cluster, pod, *DELETE)
    steps = tuple(
        replace(step, intended_at=step.intended_at and step.intended_at + timedelta(minutes=1))
        for step in watched_steps(scene.record)
    )
    assert ClusterLook(scene.api).replacement(steps, scene.record.decision) == Replacement()


def test_a_workload_that_makes_no_pod_is_told(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Nothing came in the place of the pod: that is another answer than that nothing is expected."""
    scene = Scene(tmp_path, cluster, pod, *DELETE)
    workload = scene.record.decision["pod"]["workload"].partition("/")[2]
    path = api_paths.owner("shop", "apps/v1", "Deployment", workload)
    scene.owner.patch(path, {"spec": {"replicas": 0}})
    for item in cluster.objects("ReplicaSet", "shop"):
        name = item["metadata"]["name"]
        scene.owner.patch(api_paths.owner("shop", "apps/v1", "ReplicaSet", name), {"spec": {"replicas": 0}})
    for item in cluster.objects("Pod", "shop"):
        scene.owner.delete(api_paths.pod("shop", item["metadata"]["name"]), {"gracePeriodSeconds": 0})
    assert scene.seen() == ((), Replacement())
    scene.owner.delete(path, {})
    assert scene.seen() == ((), None)


def test_a_pod_of_the_same_name_lost_nothing(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Another UID is another pod: nothing was ever done to it."""
    scene = Scene(tmp_path, cluster, pod, *ISOLATE)
    delete_pod(scene)
    cluster.create(objects.pod(pod["metadata"]["name"], "shop", NODE))
    assert scene.seen() == ((), None)


def test_what_cannot_be_read_is_no_answer(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A refusal says nothing about what stands."""
    scene = Scene(tmp_path, cluster, pod, *ISOLATE)

    def refuse(_number: int, _verb: str, _path: str) -> None:
        raise ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403)

    scene.api.before = refuse
    with pytest.raises(ApiError):
        scene.seen()


LOOKED_AT = frozenset({"create_network_policy", "detach_pod", "patch"})
ON_RUN = frozenset(
    {"shift_traffic", "restrict_access", "scale_service", "set_invokers", "delete_revision", "restart_service"}
    | {"cancel_execution"}
)
"""Each has its case in `test_run_look.py`."""
NOT_LOOKED_AT = {
    "delete_pod": "its workload is looked at: the pod is gone",
    "evict_pod": "its workload is looked at: the pod is gone",
    "freeze_process": "no request to the API server tells whether a process is stopped: it is noted as unseen",
    "sever_connections": "no request to the API server tells whether a connection is there: likewise",
}


def test_each_disruptive_change_is_looked_at_or_says_why_not() -> None:
    """A new kind of change that disrupts anything is to be looked at too, or to be named here with its reason."""
    kinds = change_classes().items()
    disruptive = {tag for tag, kind in kinds if kind.declares.disrupts is not Disruption.NOTHING or tag == "patch"}
    assert disruptive == LOOKED_AT | ON_RUN | NOT_LOOKED_AT.keys()
