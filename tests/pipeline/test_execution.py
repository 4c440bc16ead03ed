"""In which order steps are carried out, what stops them, and what a later delivery does not do again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.policy.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.responder import (
    ALL,
    CONTAINED,
    NODE,
    Deployment,
    Interposed,
    api_of,
    deployed,
    finding_about,
    mutations,
    policy,
    write_policies,
)

Object = dict[str, Any]


def outcomes(deployment: Deployment, document: Object) -> list[str]:
    """The case's steps as `policy action: reason`."""
    return [f"{step.policy} {step.action}: {step.reason}" for step in deployment.case(document).steps]


def test_irreversible_steps_come_last(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """No policy's deletion comes before what another policy still wants of the pod."""
    first = policy("delete_pod", "notify", name="a")
    second = policy("label_pod", "capture_evidence", "delete_pod", name="b")
    deployment = deployed(tmp_path, cluster, first, second)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert outcomes(deployment, document) == [
        "b label_pod: patched",
        "b capture_evidence: captured",
        "a delete_pod: armed",
        "a delete_pod: deleted",
        "a notify: published",
    ]
    assert mutations(cluster.audit) == ["patch pods", "patch pods", "delete pods"]


def refusing(deployment: Deployment, verb: str, resource: str) -> None:
    """Let a permission be missing."""

    def refuse(_number: int, called: str, path: str) -> None:
        if called == verb and f"/{resource}" in path:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission=f"{resource}: {verb}")

    deployment.clusters.api = Interposed(deployment.clusters.api, before=refuse)


def test_a_failure_stops_its_policy_only(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step that fails stops the rest of its policy; other policies go on."""
    first = policy("cordon_node", "capture_evidence", "delete_pod", name="a")
    deployment = deployed(tmp_path, cluster, first, policy("label_pod", name="b"))
    refusing(deployment, "patch", "nodes")
    document = finding_about(pod)

    deployment.respond_to(document)

    assert outcomes(deployment, document)[:5] == [
        "a cordon_node: kubernetes_forbidden",
        "a capture_evidence: earlier_step_stopped",
        "b label_pod: patched",
        "a delete_pod: earlier_step_stopped",
        "a delete_pod: earlier_step_stopped",
    ]
    assert mutations(cluster.audit) == ["patch pods"]


def test_policies_that_ask_for_the_same(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """What two policies ask for is done once."""
    both = [policy(*ALL, name=name) for name in ("a", "b")]
    deployment = deployed(tmp_path, cluster, *both)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == CONTAINED
    assert len(deployment.published.messages) == 1
    assert mutations(cluster.audit).count("delete pods") == 1


MODES = [("dry_run", "enforce"), ("enforce", "dry_run")]


@pytest.mark.parametrize(("first", "second"), MODES)
def test_modes_side_by_side(tmp_path: Path, cluster: SimulatedCluster, pod: Object, first: str, second: str) -> None:
    """A policy in dry run neither keeps another from acting nor acts itself."""
    policies = policy("label_pod", name="a", mode=first), policy("label_pod", name="b", mode=second)
    deployment = deployed(tmp_path, cluster, *policies)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == ["label_pod: patched"]
    assert [event.dry_run for event in cluster.audit if event.verb == "patch"][-1] is False


def test_a_person_undid_it(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """What a person undid between two deliveries is not done again."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node", "label_pod"))
    api = deployment.clusters.api

    def crash(_number: int, verb: str, path: str) -> None:
        if verb == "patch" and "/pods/" in path:
            raise KeyError("a crash of ours")

    deployment.clusters.api = Interposed(api, before=crash)
    document = finding_about(pod)
    first = deployment.respond_to(document)
    api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": None}})
    deployment.clusters.api = api

    second = deployment.deliver(document)

    assert [ending.status for ending in (first, second)] == [503, 204]
    assert deployment.outcomes(document) == ["cordon_node: patched", "label_pod: patched"]
    assert [event.user for event in cluster.audit if event.resource == "nodes" and event.verb == "patch"] == [
        "responder",
        "admin",
    ]


SENT = [pytest.param(False, "held_before_resumed", id="not-sent"), pytest.param(True, "gone_after_intent", id="sent")]


@pytest.mark.parametrize(("sent", "reason"), SENT)
def test_held_when_it_resumes(tmp_path: Path, cluster: SimulatedCluster, *, sent: bool, reason: str) -> None:
    """A step that is held by the time a case resumes is not taken any more; whether it was taken is still found out."""
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    api = deployment.clusters.api

    def crash(_number: int, verb: str, _path: str) -> None:
        if verb == "delete":
            raise KeyError("a crash of ours")

    deployment.clusters.api = Interposed(api, after=crash) if sent else Interposed(api, before=crash)
    document = finding_about(cluster.objects("Pod", "shop")[0])
    deployment.respond_to(document)
    deployment.clusters.api = api
    folder = write_policies(tmp_path / "policies", policy("delete_pod"), guardrails="protected: {namespaces: [shop]}\n")
    deployment.services.policies = load_policies(folder)

    deployment.deliver(document)

    assert deployment.outcomes(document)[:2] == ["delete_pod: armed", f"delete_pod: {reason}"]
    assert mutations(cluster.audit).count("delete pods") == int(sent)


def test_an_interrupted_delivery(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """What was done before a step had to wait for another delivery is kept: nobody is told twice."""
    deployment = deployed(tmp_path, cluster, policy("notify", "capture_evidence"))
    api = deployment.clusters.api

    def fail(_number: int, verb: str, _path: str) -> None:
        if verb == "list":
            raise ApiError(Reason.SERVER_ERROR, status=500)

    deployment.clusters.api = Interposed(api, before=fail)
    document = finding_about(pod)
    first = deployment.respond_to(document)
    deployment.clusters.api = api

    second = deployment.deliver(document)

    assert [(ending.status, ending.reason) for ending in (first, second)] == [(503, "server_error"), (204, "done")]
    assert [message.get("reason", "decided") for message in deployment.published.messages] == [
        "decided",
        "server_error",
    ]


def test_two_findings_arm_one_pod(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A pod that another action armed meanwhile is not deleted by this one."""
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    admin = api_of(cluster, "admin")

    def rearm(_number: int, verb: str, path: str) -> None:
        if verb == "delete":
            admin.patch(path, {"metadata": {"annotations": {"scc-responder/armed-by": "another"}}})

    deployment.clusters.api = Interposed(deployment.clusters.api, before=rearm)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document)[:2] == ["delete_pod: armed", "delete_pod: not_armed"]
    assert mutations(cluster.audit).count("delete pods") == 1
    assert [event.code for event in cluster.audit if event.verb == "delete"] == [409]


def test_a_reverted_change_is_never_done(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """What is taken away right after each request was not verified, and is never called done."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "delete_pod"))
    admin = api_of(cluster, "admin")

    def strip(_number: int, verb: str, path: str) -> None:
        if verb == "patch":
            admin.patch(path, {"metadata": {"labels": {"scc-responder/case": None}}})

    deployment.clusters.api = Interposed(deployment.clusters.api, after=strip)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document)[:2] == ["label_pod: not_verified", "delete_pod: earlier_step_stopped"]
    assert ending.severity == "ERROR"


def test_another_cordoned_it_first(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A node that someone cordoned after it was read is not remembered as schedulable."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node"))
    admin = api_of(cluster, "admin")

    def cordon(_number: int, verb: str, path: str) -> None:
        if verb == "patch" and "/nodes/" in path:
            admin.patch(path, {"spec": {"unschedulable": True}})

    deployment.clusters.api = Interposed(deployment.clusters.api, before=cordon)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == ["cordon_node: already"]
    assert "scc-responder/prior-unschedulable" not in cluster.objects("Node")[0]["metadata"]["annotations"]
