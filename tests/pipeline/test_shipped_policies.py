"""The shipped policies, raised to `enforce`, on a cluster: what they come to, alone and together."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.status import StepStatus
from scc_responder.intake.threats import Row, catalogue
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import (
    ALL,
    SHIPPED,
    Deployment,
    api_of,
    deployed,
    finding_about,
    mutations,
    policy,
    raised,
    write_policies,
)

Object = dict[str, Any]
CTD = "catalogue/container_threat_detection"
PODS = [row for row in catalogue() if (row.detector, row.surface) == ("container_threat_detection", "pod")]


COLLECTOR = f"example.test/tools/collector@sha256:{'c0' * 32}"
LEFT_OUT = {"no_collector_image", "no_cloud_logging"}
"""What steps say of what a deployment goes without. These go without Cloud Logging."""


def acting(tmp_path: Path, cluster: SimulatedCluster, **environment: str) -> Deployment:
    """The responder with copies of the shipped policies, all of which act."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        (folder / path.name).write_text(raised(path.read_text()))
    made = Deployment(tmp_path, api_of(cluster), folder, **environment)
    made.services.logs = None
    return made


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """Such a one without a collector."""
    return acting(tmp_path, cluster)


@pytest.fixture
def looking(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """Such a one with a collector."""
    return acting(tmp_path, cluster, collector=COLLECTOR)


def actions(deployment: Deployment, document: Object) -> list[str]:
    """The actions that were carried out, in order, each once."""
    steps = [step for step in deployment.case(document).steps if step.status == StepStatus.DONE]
    return list(dict.fromkeys(step.action for step in steps))


@pytest.mark.parametrize("row", PODS, ids=lambda row: row.name)
def test_each_threat_is_answered_as_shipped(
    row: Row, deployment: Deployment, cluster: SimulatedCluster, pod: Object
) -> None:
    """About each threat in a pod all is done that is asked for; only a confirmed one ever costs the pod."""
    document = finding_about(pod, f"{CTD}/{row.name}")

    ending = deployment.respond_to(document)

    done = actions(deployment, document)
    left = {item["metadata"]["uid"] for item in cluster.objects("Pod", "shop")}
    assert (ending.status, ending.reason, ending.severity) == (204, "done", "NOTICE")
    assert undone(deployment, document) <= LEFT_OUT
    assert deployment.case(document).state == "done"
    assert (pod["metadata"]["uid"] not in left) == ("delete_pod" in done)
    assert "delete_pod" not in done or row.confidence == "confirmed"
    assert len(deployment.published.messages) == 1


def undone(deployment: Deployment, document: Object) -> set[str]:
    """Why steps of the case are not done."""
    return {step.reason for step in deployment.case(document).steps if step.status != StepStatus.DONE}


@pytest.mark.parametrize("golden", ["reverse_shell", "modified_malicious_library_loaded"])
def test_a_collector_looks_before_the_pod_goes(golden: str, looking: Deployment, pod: Object) -> None:
    """With a collector, connections are ended, processes stopped, files kept: all of it before a deletion."""
    document = finding_about(pod, golden)

    ending = looking.respond_to(document)

    done = actions(looking, document)
    order = ["isolate_pod", "capture_logs", "capture_evidence", "sever_connections", "freeze_process"]
    assert (ending.reason, undone(looking, document)) == ("done", {"no_cloud_logging"})
    assert [name for name in done if name in order] == order
    assert done.index("freeze_process") < done.index("inspect_container")
    assert ("delete_pod" in done) == (golden != "reverse_shell")
    assert "delete_pod" not in done or done.index("inspect_container") < done.index("delete_pod")
    assert looking.line["containment"] == ("frozen" if golden == "reverse_shell" else "processes_ended")
    assert 0 <= looking.line["contained_seconds"] < 60


def test_nothing_is_tried_without_a_collector(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """Without one no container is asked for, and the log does not call that a fault."""
    document = finding_about(pod)

    deployment.respond_to(document)

    assert not [event for event in cluster.audit if event.subresource == "ephemeralcontainers"]
    left_out = {step.action for step in deployment.case(document).steps if step.reason == "no_collector_image"}
    assert left_out == {"sever_connections", "freeze_process", "inspect_container"}
    assert deployment.line["severity"] == "NOTICE"


def beside(deployment: Deployment, pod: Object, golden: str, other: str) -> Object:
    """A finding about the pod, where Security Command Center lists another one about it."""
    deployment.list_finding(finding_about(pod, f"{CTD}/{other}"), "other")
    return finding_about(pod, f"{CTD}/{golden}")


def test_two_policies_about_one_finding(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """A compiler beside a reverse shell: isolated and marked, each thing once, and told when all of it is done."""
    document = beside(deployment, pod, "launch_code_compiler_tool_in_container", "reverse_shell")

    deployment.respond_to(document)

    (message,) = deployment.published.messages
    matched = [policy["name"] for policy in message["policies"] if policy["matched"]]
    assert matched == ["isolate-raised-suspicion", "respond-to-compiler"]
    assert actions(deployment, document) == [
        "label_pod",
        "annotate_pod",
        "isolate_pod",
        "capture_logs",
        "capture_evidence",
        "notify",
    ]
    assert mutations(cluster.audit).count("create networkpolicies") == 1
    (marked,) = [item for item in cluster.objects("Pod", "shop") if item["metadata"]["uid"] == pod["metadata"]["uid"]]
    assert marked["metadata"]["labels"]["scc-responder/threat"] == "compiler"


def test_a_confirmed_miner(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """A miner beside known malware is isolated, captured and deleted, each once, by two policies."""
    miner = "suspicious_crypto_mining_activity_using_stratum_protocol"
    document = beside(deployment, pod, miner, "added_malicious_binary_executed")

    deployment.respond_to(document)

    done = actions(deployment, document)
    assert done.index("capture_evidence") < done.index("delete_pod")
    assert [line for line in mutations(cluster.audit) if line.endswith(("networkpolicies", "delete pods"))] == [
        "create networkpolicies",
        "delete pods",
    ]
    assert undone(deployment, document) == LEFT_OUT
    (message,) = deployment.published.messages
    assert [step["reason"] for step in message["steps"] if step["action"] == "delete_pod"] == [
        "armed",
        "processes_ended",
    ]


@pytest.fixture
def as_shipped(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """The responder with the shipped policies themselves, under a kill switch that allows everything."""
    made = Deployment(tmp_path, api_of(cluster), SHIPPED)
    made.services.logs = None
    return made


@pytest.mark.parametrize("row", PODS, ids=lambda row: row.name)
def test_each_threat_is_only_rehearsed(
    row: Row, as_shipped: Deployment, cluster: SimulatedCluster, pod: Object
) -> None:
    """As shipped, nothing but rehearsals is sent to the cluster; evidence is kept and people are told all the same."""
    document = finding_about(pod, f"{CTD}/{row.name}")
    before = [cluster.objects(kind) for kind in ("Pod", "Node", "NetworkPolicy")]

    ending = as_shipped.respond_to(document)

    writes = [event for event in cluster.audit if event.user == "responder" and event.verb not in {"get", "list"}]
    steps = as_shipped.case(document).steps
    assert all(event.dry_run for event in writes)
    assert [cluster.objects(kind) for kind in ("Pod", "Node", "NetworkPolicy")] == before
    assert (ending.reason, as_shipped.case(document).state) == ("dry_run", "rehearsed")
    kept = {step.action for step in steps if step.status == StepStatus.DONE}
    assert kept == {"capture_logs", "capture_evidence", "notify"}
    assert len(as_shipped.published.messages) == 1
    assert list(as_shipped.folder.glob("evidence/**/*.json"))


def test_a_rehearsal_counts_nothing(as_shipped: Deployment, pod: Object) -> None:
    """No limit, no breaker and no reservation is written, so that a later response finds all its room."""
    as_shipped.respond_to(finding_about(pod, f"{CTD}/modified_malicious_library_loaded"))
    kept = {entry.key.split("/")[0] for entry in as_shipped.services.store.scan("").entries}
    assert kept <= {"case", "control", "accounts"}  # the last notes that the case's account is due


def evidence_of(deployment: Deployment) -> dict[str, set[str]]:
    """The kinds of evidence kept, and what the manifest says of each source."""
    manifests = [manifest_content(path.read_bytes()) for path in deployment.folder.glob("evidence/**/manifest*.json")]
    return {"sources": {f"{each['name']}: {each['outcome']}" for found in manifests for each in found["sources"]}}


def test_a_rehearsal_keeps_as_much_evidence(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """The manifest says the same of every source in both modes."""
    kept = []
    for mode in ("dry_run", "enforce"):
        (tmp_path / mode).mkdir()
        made = deployed(tmp_path / mode, cluster, policy("isolate_pod", "capture_evidence", mode=mode))
        made.respond_to(finding_about(pod))
        kept.append(evidence_of(made))
    assert kept[0] == kept[1] != {"sources": set()}


def test_a_rehearsed_finding_is_acted_on_when_it_has_news(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """The case is opened again by what is new; then its rehearsed steps are carried out, by the policy as it is now."""
    made = deployed(tmp_path, cluster, policy(*ALL, mode="dry_run"))
    seen = finding_about(pod, finding={"severity": "MEDIUM"})
    made.respond_to(seen)
    write_policies(tmp_path / "policies", policy(*ALL))
    made.services.policies = load_policies(tmp_path / "policies")
    event = datetime.fromisoformat(seen["finding"]["eventTime"]) + timedelta(seconds=1)
    news = finding_about(pod, event_time=event.isoformat().replace("+00:00", "Z"))

    made.respond_to(news)

    assert made.case(news).state == "done"
    assert mutations(event for event in cluster.audit if not event.dry_run).count("delete pods") == 1
