"""What must hold whatever arrives: non-threats, false sources, Google's agents, refused pods, and the unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.status import CaseState
from scc_responder.intake.threats import catalogue
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.findings import notification
from tests.findings.synthetic import synthetic
from tests.kits.responder import ALL, NODE, Deployment, deployed, finding_about, mutations, policy

Object = dict[str, Any]
EVERYTHING = policy(*ALL[:-2], "delete_pod {allow_standalone: true}", "notify", when="severity: LOW")
OBSERVE = {"capture_evidence: captured", "notify: published"}
AGENT = "service-project-100000000001@gcp-sa-ktd-hpsa.iam.gserviceaccount.com"
CLASSES = [
    "MISCONFIGURATION",
    "VULNERABILITY",
    "OBSERVATION",
    "SCC_ERROR",
    "POSTURE_VIOLATION",
    "TOXIC_COMBINATION",
    "SENSITIVE_DATA_RISK",
    "CHOKEPOINT",
    "EXTERNAL_EXPOSURE",
    "A_CLASS_OF_NEXT_YEAR",
]
SETTLED = [
    *(pytest.param({"findingClass": name}, "not_a_threat", id=name.lower()) for name in CLASSES),
    pytest.param({"mute": "MUTED"}, "muted", id="muted"),
    pytest.param({"state": "INACTIVE"}, "inactive", id="inactive"),
    pytest.param({"state": "STATE_UNSPECIFIED"}, "inactive", id="no state"),
]


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment that would do everything about every finding."""
    return deployed(
        tmp_path, cluster, EVERYTHING, sources="1111111111111111111,2222222222222222222,3333333333333333333"
    )


def of_source(document: Object, number: str) -> Object:
    """The notification as a source of another number would send it."""
    changed: Object = json.loads(json.dumps(document).replace("1111111111111111111", number))
    return changed


@pytest.mark.parametrize(("changes", "reason"), SETTLED)
def test_what_is_not_to_be_acted_on(
    deployment: Deployment, cluster: SimulatedCluster, pod: Object, changes: Object, reason: str
) -> None:
    """It is settled and recorded with a named reason, and the cluster is not asked anything."""
    document = finding_about(pod, finding=changes)

    ending = deployment.respond_to(document)

    assert (ending.status, ending.reason) == (204, reason)
    state = CaseState.HELD if reason == "not_a_threat" else CaseState.SUPERSEDED
    assert (deployment.case(document).state, deployment.case(document).reason) == (state, reason)
    assert deployment.line["logging.googleapis.com/labels"]["reason"] == reason
    assert (deployment.clusters.asked, list(cluster.audit), deployment.published.messages) == (0, [], [])


@pytest.mark.parametrize(
    "detector", ["Container Threat Detection", "container  threat detection", "Event Threat Detection"]
)
def test_a_source_that_calls_itself_googles(
    deployment: Deployment, cluster: SimulatedCluster, pod: Object, detector: str
) -> None:
    """A custom source with a display name of Google's is refused: only its number tells who it is."""
    document = finding_about(pod, finding={"parentDisplayName": detector})
    custom: Object = json.loads(
        json.dumps(document).replace("sources/1111111111111111111", "sources/7777777777777777777")
    )

    ending = deployment.respond_to(custom)

    assert (ending.status, ending.reason) == (204, "source_not_allowed")
    assert (deployment.clusters.asked, list(cluster.audit)) == (0, [])


def test_a_source_is_not_taken_from_the_parent(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """A finding of a custom source that names Google's source as its parent is refused all the same."""
    document = finding_about(pod)
    parent = document["finding"]["parent"]
    custom: Object = json.loads(
        json.dumps(document).replace("sources/1111111111111111111", "sources/7777777777777777777")
    )
    custom["finding"]["parent"] = parent

    assert deployment.respond_to(custom).reason == "source_not_allowed"
    assert deployment.clusters.asked == 0


@pytest.mark.parametrize("field", ["principalEmail", "principalSubject"])
def test_an_agents_principal(deployment: Deployment, cluster: SimulatedCluster, pod: Object, field: str) -> None:
    """What Google's own agent did is told and kept, and nothing is done about it, whatever the policies say."""
    document = finding_about(pod, finding={"access": {field: AGENT}})

    deployment.respond_to(document)

    held = {outcome.partition(": ")[2] for outcome in deployment.outcomes(document) if outcome not in OBSERVE}
    assert held == {"google_agent_principal"}
    assert mutations(cluster.audit) == []


LOOK_ALIKES = [
    "service-project-1@gcp-sa-ktd-hpsa.iam.gserviceaccount.com.example.com",
    "service-project-1@xgcp-sa-ktd-hpsa.iam.gserviceaccount.com",
    "service-project-1@gcp-sa-ktd-hpsa.example.iam.gserviceaccount.com",
    "a b@gcp-sa-ktd-hpsa.iam.gserviceaccount.com",
    f"{AGENT}\n",
]


@pytest.mark.parametrize("principal", LOOK_ALIKES)
def test_a_principal_that_only_looks_like_an_agents(
    deployment: Deployment, cluster: SimulatedCluster, pod: Object, principal: str
) -> None:
    """A name that an attacker could choose protects nobody."""
    document = finding_about(pod, finding={"access": {"principalEmail": principal}})
    deployment.respond_to(document)
    assert "label_pod: patched" in deployment.outcomes(document)


RAILS = [
    pytest.param("protected: {namespaces: []}\n", id="no namespace is protected"),
    pytest.param("protected: {namespaces: []}\nmax_mode: enforce\n", id="everything is allowed"),
]


@pytest.mark.parametrize("rails", RAILS)
@pytest.mark.parametrize(
    "name", ["container-watcher-abc12", "gke-metadata-server-x7k2p", "fluentbit-gke-9x2kd", "anetd-4k2lp"]
)
def test_no_file_lifts_the_agents_protection(tmp_path: Path, cluster: SimulatedCluster, name: str, rails: str) -> None:
    """Google's agents are protected by namespace and name together, whatever guardrails and policies say."""
    deployment = deployed(tmp_path, cluster, EVERYTHING, guardrails=rails)
    document = finding_about(cluster.create(objects.pod(name, "kube-system", NODE)))

    deployment.respond_to(document)

    assert {outcome for outcome in deployment.outcomes(document) if "google_agent_pod" not in outcome} == OBSERVE
    assert mutations(cluster.audit) == []


def test_a_pod_that_admission_refused(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """An event tells of a pod that was asked for and never came to be: reported as absent, nothing attempted."""
    event_time = finding_about(pod)["finding"]["eventTime"]
    document = notification("affected_resource_pod", event_time=event_time, pod="refused-6d5f9c7b4-zzzzz")

    ending = deployment.respond_to(document)

    outcomes = deployment.outcomes(document)
    about_pod = {"label_pod", "annotate_pod", "isolate_pod", "delete_pod"}
    assert {outcome for outcome in outcomes if outcome.partition(":")[0] in about_pod} == {
        f"{action}: target_absent" for action in about_pod
    }
    assert ending.status == 204
    assert mutations(cluster.audit) == []
    assert deployment.case(document).decision["missing"]["pod"] == "target_absent"
    assert deployment.published.messages[0]["policies"][0]["actions"][0]["reason"] == "target_absent"


@pytest.mark.parametrize("when", ["threat: unknown", 'threat: "*"', 'category: "*"', "severity: LOW"])
def test_the_unknown_is_never_enforced_upon(tmp_path: Path, cluster: SimulatedCluster, pod: Object, when: str) -> None:
    """A threat that no row describes is recorded, captured and told; no policy may do more."""
    deployment = deployed(tmp_path, cluster, policy(*ALL, when=when))
    document = finding_about(pod, "unknown_category")

    deployment.respond_to(document)

    outcomes = deployment.outcomes(document)
    assert {outcome for outcome in outcomes if not outcome.endswith(": threat_unknown")} == OBSERVE
    assert mutations(cluster.audit) == []


def test_cloud_runs_twin_moves_nothing_in_a_cluster(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A category that both detectors share runs no policy for pods when Cloud Run's detector sends it."""
    deployment = deployed(tmp_path, cluster, policy(*ALL, when="threat: container_escape"))
    document = synthetic(next(row for row in catalogue() if row.name == "cloud_run_container_escape"))

    assert deployment.respond_to(document).reason == "no_policy_matched"
    assert (deployment.clusters.asked, list(cluster.audit)) == (0, [])
