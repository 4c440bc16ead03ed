"""Findings as they really come: spelt differently, doubled, incomplete, contradictory. Each has a named reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.findings import notification
from tests.kits.responder import ALL, CONTAINED, NODE, deployed, finding_about, mutations, policy

Object = dict[str, Any]
ANY = policy(*ALL, when="severity: LOW")
HELD_ALL = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")


def held(reason: str) -> list[str]:
    """What `ALL` comes to where everything is held that touches the cluster."""
    watching = {"capture_evidence": "captured", "notify": "published"}
    return [f"{action}: {watching.get(action, reason)}" for action in HELD_ALL]


@pytest.mark.parametrize(
    "golden",
    ["reverse_shell", "cluster_zones_spelling", "doubled_pods", "no_severity", "bare_finding", "added_binary_executed"],
)
def test_another_spelling_contains_the_same_pod(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, golden: str
) -> None:
    """The same finding in another spelling contains the same pod."""
    deployment = deployed(tmp_path, cluster, ANY)
    document = finding_about(pod, golden) if golden != "bare_finding" else finding_about(pod)["finding"]

    deployment.respond_to(document)

    assert deployment.outcomes(document) == CONTAINED


def test_a_cut_list_raises_nothing(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Related findings of which only a part came are missing, said to be so, and no policy takes them for none."""
    wanted = policy("delete_pod", when="confidence: confirmed")
    deployment = deployed(tmp_path, cluster, wanted, policy("isolate_pod", name="first"))

    def cut(_finding: Any) -> Any:
        raise ApiError(Reason.PARTIAL_LIST, "Security Command Center did not end its answer")

    monkeypatch.setattr(deployment.services.findings, "related", cut)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    decision = deployment.case(document).decision
    assert decision["missing"]["related"] == "partial_list"
    assert {item["name"]: item["reason"] for item in decision["policies"]} == {
        "contain": "when_confidence_missing",
        "first": "matched",
    }
    assert (ending.status, deployment.outcomes(document)[-1]) == (204, "isolate_pod: isolated")


ODD = [
    pytest.param("unknown_category", "threat_unknown", id="unknown-category"),
    pytest.param("contradiction", "contradiction:pod", id="contradiction"),
    pytest.param("two_pods", "contradiction:several_pods", id="two-pods"),
]


@pytest.mark.parametrize(("golden", "reason"), ODD)
def test_an_uncertain_finding_changes_nothing(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, golden: str, reason: str
) -> None:
    """What cannot be known for sure is told and kept, and nothing in the cluster changes."""
    deployment = deployed(tmp_path, cluster, ANY)
    document = finding_about(pod, golden)
    if golden != "unknown_category":
        event, name = document["finding"]["eventTime"], pod["metadata"]["name"]
        document = notification(golden, event_time=event, pod=name, node=NODE)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document) == held(reason)
    assert (ending.status, ending.severity) == (204, "WARNING")
    assert mutations(cluster.audit) == []


def test_a_missing_pod_still_yields_evidence(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A pod that is gone already leaves nothing to do on it; the evidence is kept all the same."""
    deployment = deployed(tmp_path, cluster, ANY)
    document = finding_about(pod, pod="web-gone-x2x9q")

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document) == [
        "label_pod: target_absent",
        "annotate_pod: target_absent",
        "isolate_pod: target_absent",
        "capture_evidence: captured",
        "cordon_node: identity_unknown:no_pod",
        "delete_pod: target_absent",
        "notify: published",
    ]
    assert ending.status == 204
    assert mutations(cluster.audit) == []


def test_pod_not_named(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A finding that names a node and no pod does not end as a success, nor with its node cordoned."""
    deployment = deployed(tmp_path, cluster, ANY)
    document = notification("missing_pod", event_time=finding_about(pod)["finding"]["eventTime"], node=NODE)

    deployment.respond_to(document)

    expected = held("pod_not_named")
    expected[4] = "cordon_node: identity_unknown:no_pod"
    assert deployment.outcomes(document) == expected
    assert deployment.case(document).state == "held"
    assert mutations(cluster.audit) == []


@pytest.mark.parametrize("golden", ["muted", "inactive"])
def test_no_longer_a_threat(tmp_path: Path, cluster: SimulatedCluster, pod: Object, golden: str) -> None:
    """A finding that is muted or resolved changes nothing, whatever its notification said."""
    deployment = deployed(tmp_path, cluster, ANY)
    listed = finding_about(pod, golden)
    arriving = finding_about(pod)
    arriving["finding"]["eventTime"] = listed["finding"]["eventTime"]
    arriving["finding"]["name"] = listed["finding"]["name"]
    deployment.list_finding(listed)

    ending = deployment.deliver(arriving)

    assert (ending.status, ending.reason) == (204, golden)
    assert deployment.case(listed).state == "superseded"
    assert list(cluster.audit) == []


def test_a_misconfiguration_is_settled(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A finding that is no threat is settled, and no policy is asked."""
    source = "SCC_RESPONDER_SOURCES", "4444444444444444444"
    deployment = deployed(tmp_path, cluster, ANY, sources=source[1])
    document = notification("misconfiguration")

    ending = deployment.respond_to(document)

    assert (ending.status, ending.reason) == (204, "not_a_threat")
    assert deployment.clusters.asked == 0


def test_googles_agent_is_never_touched(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Google's own agent is never touched, even where no namespace is protected; a person is told."""
    agent = cluster.create(objects.pod("container-watcher-abc12", "kube-system", NODE))
    deployment = deployed(tmp_path, cluster, ANY, guardrails="protected: {namespaces: []}\n")
    document = finding_about(agent)

    deployment.respond_to(document)

    assert deployment.outcomes(document)[:5] == held("google_agent_pod")[:5]
    assert mutations(cluster.audit) == []


def test_an_agents_name_elsewhere(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A pod that took an agent's name in another namespace is contained like any other."""
    pretender = cluster.create(objects.pod("container-watcher-abc12", "shop", NODE))
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    document = finding_about(pretender)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == ["label_pod: patched"]


def test_a_protected_namespace_is_never_touched(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nothing in a protected namespace is touched; the evidence is kept and the decision told."""
    protected = cluster.create(objects.pod("dns", "kube-system", NODE))
    deployment = deployed(tmp_path, cluster, ANY)
    document = finding_about(protected)

    ending = deployment.respond_to(document)

    assert "label_pod: namespace_protected" in deployment.outcomes(document)
    assert ending.reason == "namespace_protected"
    assert mutations(cluster.audit) == []


def test_held_is_told_without_notify(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """What was held is published even where no policy asks for it, with its reason."""
    protected = cluster.create(objects.pod("dns", "kube-system", NODE))
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    document = finding_about(protected)

    deployment.respond_to(document)

    told = deployment.published.messages
    assert [step["reason"] for step in told[0]["steps"]] == ["pod_standalone"]
    assert len(told) == 1


def test_late_failure_is_told(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step that fails after the decision was published is told by another message."""
    deployment = deployed(tmp_path, cluster, policy("notify", "label_pod"))
    deployment.clusters.api = api_of_reader(cluster)
    document = finding_about(pod)

    deployment.respond_to(document)

    told = deployment.published.messages
    assert deployment.outcomes(document)[:2] == ["notify: published", "label_pod: kubernetes_forbidden"]
    assert [len(message["steps"]) for message in told] == [0, 2]


def api_of_reader(cluster: SimulatedCluster) -> Any:
    """The API server as an identity that may only read."""
    from tests.kits.responder import api_of

    return api_of(cluster, "reader")
