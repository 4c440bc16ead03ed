"""A severe threat that nothing answered is told once, with a warning; a lesser one stands in the record alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import NODE, RAILS, Deployment, Interposed, api_of, deployed, finding_about, policy

Object = dict[str, Any]
CONTAIN = policy("label_pod", "isolate_pod")
REHEARSE = policy("label_pod", "isolate_pod", mode="dry_run")
DELETE = "delete_pod {allow_standalone: true}"
ELSEWHERE = policy("isolate_pod", when="threat: added_binary_executed")
UNLESS = CONTAIN.replace("then:", "unless:\n  namespace: [sh*]\nthen:")
EXEMPT = RAILS + (
    "exemptions:\n  - {name: x, when: {namespace: shop}, expires: 2027-06-30, owner: a@example.com, reason: t,"
    " ticket: https://tickets.example.com/1}\n"
)


def plain(cluster: SimulatedCluster) -> Object:
    return cluster.objects("Pod", "shop")[0]


def gone(cluster: SimulatedCluster) -> Object:
    """A pod that is deleted before its finding arrives."""
    pod: Object = cluster.create(objects.pod("alone", "shop", NODE))
    api_of(cluster, "admin").delete("/api/v1/namespaces/shop/pods/alone", {"gracePeriodSeconds": 0})
    return pod


def on_the_host(cluster: SimulatedCluster) -> Object:
    pod: Object = cluster.create(objects.pod("net", "shop", NODE, hostNetwork=True))
    return pod


def kept(cluster: SimulatedCluster) -> Object:
    """A pod that a finalizer keeps."""
    pod: Object = cluster.create(objects.held_pod("kept", "shop", NODE))
    return pod


def ending(cluster: SimulatedCluster) -> Object:
    """A pod that somebody deleted, and a finalizer keeps."""
    pod = kept(cluster)
    api_of(cluster, "admin").delete("/api/v1/namespaces/shop/pods/kept", {})
    return pod


def without_node(cluster: SimulatedCluster) -> Object:
    """A pod whose node is deleted before its finding arrives."""
    api_of(cluster, "admin").delete(f"/api/v1/nodes/{NODE}", {})
    return plain(cluster)


Made = Callable[[SimulatedCluster], Object]
ENDS: dict[str, tuple[str, str, Made, str, str]] = {
    "no policy matched": (ELSEWHERE, RAILS, plain, "no_policy_matched", "nothing_matched"),
    "an unless holds": (UNLESS, RAILS, plain, "no_policy_matched", "nothing_matched"),
    "an unless holds in a rehearsal": (
        UNLESS.replace("enforce", "dry_run"),
        RAILS,
        plain,
        "no_policy_matched",
        "nothing_matched",
    ),
    "the policy is disabled": (policy("notify", mode="disabled"), RAILS, plain, "no_policy_matched", "nothing_matched"),
    "exempt": (CONTAIN, EXEMPT, plain, "exempt:x", "held"),
    "exempt in a rehearsal": (REHEARSE, EXEMPT, plain, "exempt:x", "rehearsed"),
    "the pod is gone": (CONTAIN, RAILS, gone, "target_absent", "target_absent"),
    "the pod of a rehearsal is gone": (REHEARSE, RAILS, gone, "target_absent", "target_absent"),
    "isolation is worth nothing": (CONTAIN, RAILS, on_the_host, "host_network", "partial"),
    "the pod of a rehearsal is gone, its node is held": (
        policy("isolate_pod", "cordon_node", mode="dry_run"),
        RAILS,
        gone,
        "target_absent",
        "target_absent",
    ),
    "the node is gone": (policy("cordon_node"), RAILS, without_node, "target_absent", "target_absent"),
    "a finalizer": (policy(DELETE), RAILS, kept, "terminating", "partial"),
    "a finalizer in a rehearsal": (policy(DELETE, mode="dry_run"), RAILS, ending, "terminating", "rehearsed"),
}


def ended(folder: Path, cluster: SimulatedCluster, end: str, severity: str) -> tuple[Deployment, Object, str]:
    """A deployment that has answered, the notification, and the severity of its log line."""
    text, guardrails, made, reason, state = ENDS[end]
    pod = made(cluster)
    deployment = deployed(folder, cluster, text, guardrails=guardrails)
    document = finding_about(pod, finding={"severity": severity})
    ending = deployment.respond_to(document)
    deployment.deliver(document)
    assert (ending.reason, deployment.case(document).state) == (reason, state)
    return deployment, document, ending.severity


@pytest.mark.parametrize("severity", ["HIGH", "CRITICAL"])
@pytest.mark.parametrize("end", ENDS)
def test_a_severe_threat_without_an_answer_is_told(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, end: str, severity: str
) -> None:
    """One notice, also where the message comes twice, and a warning with the reason."""
    deployment, _, logged = ended(tmp_path, cluster, end, severity)
    assert (len(deployment.published.messages), logged) == (1, "WARNING")


@pytest.mark.parametrize("end", ["no policy matched", "an unless holds", "the pod is gone", "a finalizer"])
def test_a_lesser_threat_is_only_recorded(tmp_path: Path, cluster: SimulatedCluster, pod: Object, end: str) -> None:
    """The state says what it came to."""
    deployment, _, _ = ended(tmp_path, cluster, end, "MEDIUM")
    assert deployment.published.messages == []


def test_what_a_policy_told_is_not_told_again(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Its own message is the one."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "notify"))
    document = finding_about(gone(cluster), finding={"severity": "HIGH"})
    deployment.respond_to(document)
    (message,) = deployment.published.messages
    assert message["attributes"]["reason"] == "target_absent"


@pytest.mark.parametrize(("severity", "told"), [("CRITICAL", 1), ("LOW", 0)])
@pytest.mark.parametrize("replaced", [False, True], ids=["gone", "replaced"])
def test_a_pod_that_goes_away_meanwhile_is_told(
    tmp_path: Path, cluster: SimulatedCluster, *, replaced: bool, severity: str, told: int
) -> None:
    """Its deletion by somebody else is no answer either."""
    deployment = deployed(tmp_path, cluster, CONTAIN)
    target = cluster.create(objects.pod("alone", "shop", NODE))
    path = "/api/v1/namespaces/shop/pods/alone"

    def take_away(_number: int, verb: str, called: str) -> None:
        if (verb, called) == ("patch", path) and not taken:
            taken.append(path)
            api_of(cluster, "admin").delete(path, {"gracePeriodSeconds": 0})
            if replaced:
                cluster.create(objects.pod("alone", "shop", NODE))

    taken: list[str] = []
    deployment.clusters.api = Interposed(deployment.clusters.api, before=take_away)
    document = finding_about(target, finding={"severity": severity})
    deployment.respond_to(document)
    deployment.deliver(document)
    steps = {step.status for step in deployment.case(document).steps if step.action == "label_pod"}
    assert (steps, len(deployment.published.messages)) == ({"target_replaced" if replaced else "target_gone"}, told)
