"""What happens again: it is looked at what stands, and what others took away is put back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.again import again, later
from tests.kits.responder import NODE, RAILS, Deployment, api_of, deployed, finding_about, mutations, policy, rewritten

ISOLATED = policy("label_pod", "isolate_pod", "capture_evidence", "cordon_node", "notify")
POLICIES = "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies"


def without_policy(cluster: SimulatedCluster) -> None:
    """Somebody deletes our NetworkPolicies."""
    for each in cluster.objects("NetworkPolicy"):
        api_of(cluster, "admin").delete(f"{POLICIES}/{each['metadata']['name']}", {})


def without_label(cluster: SimulatedCluster) -> None:
    """Somebody takes the labels of ours off the pods."""
    for pod in cluster.objects("Pod", "shop"):
        labels = {key: None for key in pod["metadata"].get("labels", {}) if key.startswith("scc-responder/")}
        path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"
        api_of(cluster, "admin").patch(path, {"metadata": {"labels": labels}})


def uncordoned(cluster: SimulatedCluster) -> None:
    """Somebody lets new pods on the node."""
    api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": False}})


def contained(tmp_path: Path, cluster: SimulatedCluster, document: Mapping[str, Any], *policies: str) -> Deployment:
    """A deployment that has contained the finding's pod."""
    deployment = deployed(tmp_path, cluster, *(policies or (ISOLATED,)))
    assert deployment.respond_to(document).reason == "done"
    return deployment


def is_contained(cluster: SimulatedCluster, pod: Mapping[str, Any]) -> bool:
    """Whether a NetworkPolicy selects the pod by the label that it has, and its node takes no pods."""
    (now,) = (each for each in cluster.objects("Pod", "shop") if each["metadata"]["uid"] == pod["metadata"]["uid"])
    selectors = [each["spec"]["podSelector"]["matchLabels"] for each in cluster.objects("NetworkPolicy")]
    node = next(each for each in cluster.objects("Node") if each["metadata"]["name"] == NODE)
    labels = now["metadata"].get("labels", {})
    return any(each.items() <= labels.items() for each in selectors) and node["spec"].get("unschedulable", False)


def test_what_stands_costs_reads_alone(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The case ends as it did, nothing is sent, and nobody is told a second time."""
    document = finding_about(pod)
    deployment = contained(tmp_path, cluster, document)
    sent, told, steps = (
        len(mutations(cluster.audit)),
        len(deployment.published.messages),
        deployment.case(document).steps,
    )
    assert again(deployment, document).reason == "done"
    assert (len(mutations(cluster.audit)), len(deployment.published.messages)) == (sent, told)
    record = deployment.case(document)
    assert [(step.action, step.reason) for step in record.steps] == [(step.action, step.reason) for step in steps]
    assert (record.state, record.undone, deployment.line["containment"]) == ("done", (), "isolated")


def test_a_copy_is_never_looked_at(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A flood of the same message costs the cluster nothing."""
    document = finding_about(pod)
    deployment = contained(tmp_path, cluster, document)
    without_policy(cluster)
    asked = len(cluster.audit)
    assert [deployment.deliver(document).reason for _ in range(30)] == ["duplicate"] * 30
    assert len(cluster.audit) == asked


TAKEN_AWAY: list[Any] = [
    pytest.param([without_policy], id="policy"),
    pytest.param([without_label], id="label"),
    pytest.param([without_policy, without_label], id="policy and label"),
    pytest.param([uncordoned], id="cordon"),
    pytest.param([without_policy, without_label, uncordoned], id="all"),
]


@pytest.mark.parametrize("taken_away", TAKEN_AWAY)
def test_what_others_took_away_is_put_back(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], taken_away: list[Callable[[SimulatedCluster], None]]
) -> None:
    """The case says so, and so does one message."""
    document = finding_about(pod)
    deployment = contained(tmp_path, cluster, document)
    told = len(deployment.published.messages)
    for take_away in taken_away:
        take_away(cluster)
    assert not is_contained(cluster, pod)
    again(deployment, document)
    record = deployment.case(document)
    assert is_contained(cluster, pod)
    assert (record.state, record.reason, len(record.undone)) == ("done", "undone_by_others", 1)
    news = [message["reason"] for message in deployment.published.messages[told:] if "reason" in message]
    assert news == ["undone_by_others"]


def test_a_fight_is_held_for_a_person(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """It is put back twice in a day; the third time nothing is sent, and it is told once."""
    document = finding_about(pod)
    deployment = contained(tmp_path, cluster, document)
    ends = []
    for minutes in (10, 20, 30, 40):
        without_policy(cluster)
        again(deployment, document, minutes)
        record = deployment.case(document)
        ends.append((str(record.state), record.reason, len(cluster.objects("NetworkPolicy"))))
    held = ("held", "fought_over", 0)
    assert ends == [("done", "undone_by_others", 1)] * 2 + [held] * 2
    told = [message["reason"] for message in deployment.published.messages if "reason" in message]
    assert told == ["undone_by_others", "undone_by_others", "fought_over"]


def test_it_is_not_put_back_unasked(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Where the policy asks a person by now, a person is asked; what stands is no part of that plan."""
    document = finding_about(pod)
    deployment = contained(tmp_path, cluster, document)
    rewritten(deployment, ISOLATED.replace("mode: enforce", "mode: approve"))
    again(deployment, document)
    assert (deployment.case(document).state, deployment.case(document).plan) == ("done", None)
    without_policy(cluster)
    again(deployment, document, 20)
    plan = deployment.case(document).plan
    assert (deployment.case(document).state, plan and [step.action for step in plan.steps]) == (
        "waiting",
        ["isolate_pod"],
    )
    assert cluster.objects("NetworkPolicy") == []


def test_a_limit_that_is_free_again_lets_the_real_one_through(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Decoys use the limit up; an hour later the same detection is acted on, though it says nothing new."""
    rails = f"{RAILS}isolation: {{limits: {{owner: [{{most: 1, within: 10m}}]}}}}\n"
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"), guardrails=rails)
    decoy, real = (finding_about(pod, finding_id=f"{n:032x}") for n, pod in enumerate(cluster.objects("Pod", "shop")))
    for name, document in (("decoy", decoy), ("real", real)):
        deployment.list_finding(document, name)
    ends = [deployment.deliver(document).reason for document in (decoy, real)]
    assert ends == ["done", "limit_owner"]
    assert again(deployment, real, 60, name="real").reason == "done"
    assert len(cluster.objects("NetworkPolicy")) == 2


ENDS: list[Any] = [
    pytest.param(policy("isolate_pod", mode="dry_run"), "rehearsed", id="rehearsed"),
    pytest.param(policy("isolate_pod", when="threat: cryptomining_pool_ip"), "nothing_matched", id="no policy"),
]


@pytest.mark.parametrize(("before", "state"), ENDS)
def test_what_was_not_done_is_done_once_it_is_asked_for(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], before: str, state: str
) -> None:
    """A policy that enforces by now acts on the next event of the same content."""
    deployment, document = deployed(tmp_path, cluster, before), finding_about(pod)
    deployment.respond_to(document)
    assert deployment.case(document).state == state
    rewritten(deployment, policy("isolate_pod"))
    assert again(deployment, document).reason == "done"
    assert len(cluster.objects("NetworkPolicy")) == 1


def test_a_deleted_pod_stays_deleted(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A late event about it changes neither the end of the case nor anything else."""
    document = finding_about(pod)
    deployment = contained(tmp_path, cluster, document, policy("isolate_pod", "delete_pod"))
    sent, told = len(mutations(cluster.audit)), len(deployment.published.messages)
    again(deployment, document)
    assert (deployment.case(document).state, len(mutations(cluster.audit))) == ("done", sent)
    assert len(deployment.published.messages) == told


def test_later_says_the_same_of_a_later_time() -> None:
    """The kit changes the event time and nothing else."""
    document = {"finding": {"eventTime": "2026-03-01T12:00:00Z", "name": "n"}, "other": 1}
    moved = later(document, timedelta(minutes=1))
    assert datetime.fromisoformat(moved["finding"].pop("eventTime")).minute == 1
    assert moved == {"finding": {"name": "n"}, "other": 1}
