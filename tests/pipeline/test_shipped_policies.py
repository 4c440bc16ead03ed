"""The shipped policies, raised to `enforce`, on a cluster: what they come to, alone and together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.status import StepStatus
from scc_responder.intake.threats import Row, catalogue
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import SHIPPED, Deployment, api_of, finding_about, mutations

Object = dict[str, Any]
CTD = "catalogue/container_threat_detection"
PODS = [row for row in catalogue() if (row.detector, row.surface) == ("container_threat_detection", "pod")]


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """The responder with copies of the shipped policies, all of which act."""
    folder = tmp_path / "policies"
    folder.mkdir()
    for path in SHIPPED.glob("*.yaml"):
        (folder / path.name).write_text(path.read_text().replace("\nmode: dry_run\n", "\nmode: enforce\n"))
    return Deployment(tmp_path, api_of(cluster), folder)


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
    assert (ending.status, ending.reason) == (204, "done")
    assert {step.status for step in deployment.case(document).steps} == {StepStatus.DONE}
    assert (pod["metadata"]["uid"] not in left) == ("delete_pod" in done)
    assert "delete_pod" not in done or row.confidence == "confirmed"
    assert len(deployment.published.messages) == 1


def beside(deployment: Deployment, pod: Object, golden: str, other: str) -> Object:
    """A finding about the pod, where Security Command Center lists another one about it."""
    deployment.list_finding(finding_about(pod, f"{CTD}/{other}"), "other")
    return finding_about(pod, f"{CTD}/{golden}")


def test_two_policies_about_one_finding(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """A compiler beside a reverse shell: cut off and marked, each thing once, and told when all of it is done."""
    document = beside(deployment, pod, "launch_code_compiler_tool_in_container", "reverse_shell")

    deployment.respond_to(document)

    (message,) = deployment.published.messages
    matched = [policy["name"] for policy in message["policies"] if policy["matched"]]
    assert matched == ["isolate-raised-suspicion", "respond-to-compiler"]
    assert actions(deployment, document) == ["label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "notify"]
    assert mutations(cluster.audit).count("create networkpolicies") == 1
    (marked,) = [item for item in cluster.objects("Pod", "shop") if item["metadata"]["uid"] == pod["metadata"]["uid"]]
    assert marked["metadata"]["labels"]["scc-responder/threat"] == "compiler"


def test_a_confirmed_miner(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    """A miner beside known malware is cut off, captured and deleted, each once, by two policies."""
    miner = "suspicious_crypto_mining_activity_using_stratum_protocol"
    document = beside(deployment, pod, miner, "added_malicious_binary_executed")

    deployment.respond_to(document)

    done = actions(deployment, document)
    assert done.index("capture_evidence") < done.index("delete_pod")
    assert [line for line in mutations(cluster.audit) if line.endswith(("networkpolicies", "delete pods"))] == [
        "create networkpolicies",
        "delete pods",
    ]
    assert {step.status for step in deployment.case(document).steps} == {StepStatus.DONE}
    (message,) = deployment.published.messages
    assert [step["reason"] for step in message["steps"] if step["action"] == "delete_pod"] == ["armed", "deleted"]
