"""The main job on a simulated cluster: every part is the product's own, only the API server is played."""

from __future__ import annotations

from concurrent.futures import Executor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.workbench.explanation import NOTHING_READ, explain
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import data
from tests.kits.responder import ALL, CLUSTER, CONTAINED, NODE, Interposed, deployed, finding_about, mutations, policy

Object = dict[str, Any]


def test_a_finding_leads_to_all_actions(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A finding makes the compromised pod labeled, isolated, captured, its node cordoned and the pod deleted."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document) == CONTAINED
    assert (ending.status, ending.reason) == (204, "done")
    asked = [event.uri for event in cluster.audit if event.user == "responder"]
    assert len([uri for uri in asked if uri != "/apis"]) <= 22
    assert asked.count("/apis") == 1


def test_a_delivery_has_one_share_of_the_reading_threads(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made once: what is read to decide and what is read to act wait in one line."""
    deployment, made = deployed(tmp_path, cluster, policy(*ALL)), []
    bulkheads = deployment.services.bulkheads
    reads = bulkheads.reads

    def noted(name: str) -> Executor:
        made.append(name)
        return reads(name)

    monkeypatch.setattr(bulkheads, "reads", noted)
    assert deployment.respond_to(finding_about(pod)).reason == "done"
    assert made == [CLUSTER]


def test_a_dry_run_changes_nothing_but_keeps_evidence(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy in dry run asks the API server for everything and changes nothing; evidence and message are real."""
    deployment = deployed(tmp_path, cluster, policy(*ALL, mode="dry_run"))
    before = cluster.objects("Pod"), cluster.objects("Node")
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document) == [
        "label_pod: would_patch",
        "annotate_pod: would_patch",
        "isolate_pod: would_patch",
        "isolate_pod: would_isolate",
        "capture_evidence: captured",
        "cordon_node: would_patch",
        "delete_pod: would_patch",
        "delete_pod: would_delete",
        "notify: published",
    ]
    assert (ending.reason, ending.severity, deployment.case(document).state) == ("dry_run", "NOTICE", "rehearsed")
    assert all(event.dry_run for event in cluster.audit if event.verb in {"patch", "create", "delete"})
    assert (cluster.objects("Pod"), cluster.objects("Node")) == before
    assert cluster.objects("NetworkPolicy") == []
    assert len(list(tmp_path.glob("evidence/**/*.json"))) > 1
    (message,) = deployment.published.messages
    assert message["attributes"]["reason"] == "dry_run"


def test_the_moment_of_a_decision_is_kept(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """The case has it, so that the same finding is decided again as it was."""
    late = "condition: now - finding.event_time > duration('1h')\n"
    deployment = deployed(tmp_path, cluster, policy("label_pod") + late)
    document, began = finding_about(pod), utc_now()
    deployment.respond_to(document)
    decision = deployment.case(document).decision
    kept = datetime.fromisoformat(decision["now"])
    assert began <= kept <= utc_now()
    again = explain(data(document), NOTHING_READ, deployment.services.policies, kept)
    assert [answer["reason"] for answer in decision["policies"]] == [answer["reason"] for answer in again["policies"]]


def requests_of(folder: Path, cluster: SimulatedCluster, pod: Object, *policies: str) -> list[str]:
    """What the API server is asked for one finding."""
    folder.mkdir()
    deployment, before = deployed(folder, cluster, *policies), len(cluster.audit)
    assert deployment.respond_to(finding_about(pod)).status == 204
    return sorted(event.uri for event in cluster.audit[before:] if event.user == "responder")


ASKING = "condition: {}\n"
LIVE = "live.workload.ready >= 2 && live.budgets.size() == 0"
FACTS = [
    (
        LIVE,
        [
            "/apis/apps/v1/namespaces/shop/deployments/web",
            "/apis/policy/v1/namespaces/shop/poddisruptionbudgets?limit=250",
        ],
    ),
    ("'workload_object.kind == \"Deployment\"'", ["/apis/apps/v1/namespaces/shop/deployments/web"]),
]


@pytest.mark.parametrize(("condition", "more"), FACTS)
def test_a_policy_asks_for_what_it_names(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, condition: str, more: list[str]
) -> None:
    """One request a fact, only where a policy about the finding names it; what is then done reads it no more."""
    plain = requests_of(tmp_path / "plain", cluster, pod, policy("label_pod", mode="dry_run"))
    about_others = policy("notify", name="other", when="namespace: bank") + ASKING.format(condition)
    others = policy("label_pod", mode="dry_run"), about_others
    assert requests_of(tmp_path / "others", cluster, pod, *others) == plain
    asking = policy("label_pod", mode="dry_run") + ASKING.format(condition)
    asked = requests_of(tmp_path / "asking", cluster, pod, asking)
    assert asked == sorted([*plain, *more])
    deleting = policy("capture_evidence", "delete_pod {grace_period_seconds: 1}", mode="dry_run")
    deleted = requests_of(tmp_path / "deleting", cluster, pod, deleting)
    both = requests_of(tmp_path / "both", cluster, pod, deleting + ASKING.format(condition))
    assert both == deleted


@pytest.mark.parametrize(("needed", "matched"), [(2, True), (3, False)])
def test_a_policy_goes_by_how_many_are_ready(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, needed: int, matched: bool
) -> None:
    """Of the workload that owns the pod, at the moment of the decision."""
    asking = policy("label_pod") + ASKING.format(f"live.workload.ready >= {needed}")
    deployment = deployed(tmp_path, cluster, asking)
    deployment.respond_to(finding_about(pod))
    answers = deployment.case(finding_about(pod)).decision["policies"]
    assert [answer["reason"] for answer in answers] == ["matched" if matched else "condition_differs"]


def test_a_message_names_its_route(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """For each whom a policy names, one message, and none twice."""
    deployment = deployed(tmp_path, cluster, policy("notify {to: payments-team}", "notify"))
    document = finding_about(pod)
    deployment.respond_to(document)
    deployment.respond_to(document)
    assert [message["attributes"].get("to") for message in deployment.published.messages] == ["payments-team", None]


def test_only_this_pod(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """The siblings of the compromised pod are neither marked nor isolated, and go on."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "isolate_pod"))
    sibling = cluster.objects("Pod", "shop")[1]

    deployment.respond_to(finding_about(pod))

    isolating = cluster.objects("NetworkPolicy")[0]
    assert isolating["spec"]["podSelector"] == {"matchLabels": {"scc-responder/isolated-pod": pod["metadata"]["uid"]}}
    assert isolating["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert cluster.objects("Pod", "shop")[1] == sibling


def test_a_second_finding_on_the_pod(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Another finding that marks the same pod does not lift its isolation."""
    policies = (
        policy("label_pod", "isolate_pod"),
        policy("label_pod", name="mark", when="threat: added_binary_executed"),
    )
    deployment = deployed(tmp_path, cluster, *policies)
    deployment.respond_to(finding_about(pod))

    ending = deployment.respond_to(finding_about(pod, "added_binary_executed"))

    selector = cluster.objects("NetworkPolicy")[0]["spec"]["podSelector"]["matchLabels"]
    assert selector.items() <= cluster.objects("Pod", "shop")[0]["metadata"]["labels"].items()
    assert ending.reason == "done"


def test_the_prior_state_is_remembered(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A cordoned node says that it was schedulable before, and a node that is cordoned already is left alone."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node"))
    deployment.respond_to(finding_about(pod))

    again = finding_about(pod, finding_id="another")
    deployment.respond_to(again)

    node = cluster.objects("Node")[0]
    assert node["metadata"]["name"] == NODE
    assert node["metadata"]["annotations"]["scc-responder/prior-unschedulable"] == "false"
    assert deployment.outcomes(again) == ["cordon_node: already_cordoned"]
    assert mutations(cluster.audit) == ["patch nodes"]


def test_a_label_that_is_taken_away_meanwhile(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A pod that another controller robs of its label while it is isolated is not told as isolated."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    api = deployment.clusters.api
    path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"

    def rob(_number: int, verb: str, _path: str) -> None:
        if verb == "create":
            api.patch(path, {"metadata": {"labels": {"scc-responder/isolated-pod": None}}})

    deployment.clusters.api = Interposed(api, after=rob)
    document = finding_about(pod)
    deployment.respond_to(document)

    assert deployment.case(document).state != "done"
    assert "isolate_pod: label_removed" in deployment.outcomes(document)
