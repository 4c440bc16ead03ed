"""Every way an API server can fail, at every request of a response: no wrong success, and a redelivery converges."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.reasons import Reason
from scc_responder.journal.case import CaseRecord
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Cases
from tests.kits.responder import ALL, CONTAINED, Deployment, Interposed, deployed, finding_about, policy

Object = dict[str, Any]
CALLS = 22
WRITES = frozenset({"patch", "create", "delete"})


def refusal(reason: Reason, status: int, **more: Any) -> Callable[[str, str], ApiError]:
    """A certain answer: nothing was done."""
    return lambda _verb, _path: ApiError(reason, f"HTTP {status}", status=status, **more)


def silence(reason: Reason, status: int = 0) -> Callable[[str, str], ApiError]:
    """No usable answer: a write may have been applied."""
    return lambda verb, _path: (OutcomeUnknown if verb in WRITES else ApiError)(reason, "no answer", status=status)


def forbidden(verb: str, path: str) -> ApiError:
    """403, naming the permission as the adapter does."""
    return ApiError(Reason.KUBERNETES_FORBIDDEN, "HTTP 403", status=403, permission=f"{path.split('/')[-2]}: {verb}")


PASSING: dict[str, Callable[[str, str], ApiError]] = {
    "401": refusal(Reason.KUBERNETES_UNAUTHENTICATED, 401),
    "409": refusal(Reason.CONFLICT, 409, body_reason="Conflict"),
    "422": refusal(Reason.INVALID, 422),
    "429": refusal(Reason.THROTTLED, 429, retry_after_seconds=1.0),
    "429-long": refusal(Reason.THROTTLED, 429, retry_after_seconds=600.0),
    "500": silence(Reason.SERVER_ERROR, 500),
    "reset": silence(Reason.CLUSTER_UNREACHABLE),
    "stall": silence(Reason.TIMEOUT),
}
"""Faults that a later try, or delivery, overcomes."""


def tried_until_settled(deployment: Deployment, document: Object) -> list[tuple[int, str]]:
    """The endings of the first delivery and those after it, until one settles the message."""
    endings = [deployment.respond_to(document)]
    while endings[-1].status == 503 and len(endings) < 6:
        endings.append(deployment.deliver(document))
    return [(ending.status, ending.reason) for ending in endings]


def faulty(deployment: Deployment, number: int, fault: Callable[[str, str], ApiError], *, late: bool = False) -> None:
    """Let one call fail: before it reaches the API server, or (late) after it did its work."""

    def fail(call: int, verb: str, path: str) -> None:
        if call == number:
            raise fault(verb, path)

    api = deployment.clusters.api
    deployment.clusters.api = Interposed(api, after=fail) if late else Interposed(api, before=fail)


ONCE = {"patch pods": 4, "create networkpolicies": 1, "patch nodes": 1, "delete pods": 1}
"""The writes that contain a pod."""


def assert_contained_once(cluster: SimulatedCluster, pod: Object, *, moot: bool = False) -> None:
    """By the audit log: each write was accepted exactly once, and nothing else was.

    `moot`: a step that had to come again found the pod deleted, so that its writes are missing.
    """
    accepted = [event for event in cluster.audit if event.verb in WRITES and event.code < 300]
    counted = Counter(f"{event.verb} {event.resource}" for event in accepted)
    assert counted == ONCE or (moot and counted <= Counter(ONCE) and counted["delete pods"] == 1)
    deletion = next(event for event in accepted if event.verb == "delete")
    assert deletion.request["preconditions"]["uid"] == pod["metadata"]["uid"]


def effects_hold(record: CaseRecord, cluster: SimulatedCluster, pod: Object) -> bool:
    """Whether everything that the record calls done was done in the cluster."""
    uid = pod["metadata"]["uid"]
    writes = [json.dumps(event.request) for event in cluster.audit if event.verb in WRITES and event.code < 300]
    claimed = {step.reason for step in record.steps if step.status == "done"}
    gone = uid not in {item["metadata"]["uid"] for item in cluster.objects("Pod")}
    cordoned = any(node["spec"].get("unschedulable") for node in cluster.objects("Node"))
    done = {step.action for step in record.steps if step.status == "done"}
    truths = [
        not claimed & {"deleted", "processes_ended", "gone_after_intent"} or gone,
        "cordon_node" not in done or cordoned,
        "isolated" not in claimed or any("NetworkPolicy" in write for write in writes),
        "label_pod" not in done or any("scc-responder/case" in write for write in writes),
        "captured" not in claimed or any(step.action == "capture_evidence" for step in record.steps),
    ]
    return all(truths)


def carried_out(record: CaseRecord) -> list[str]:
    """The policy's actions; evidence counts once, which is kept again where a fact could not be read at first."""
    changes = (step.action for step in record.steps if step.policy and step.action != "capture_evidence")
    return ["capture_evidence", *changes]


def last_word(deployment: Deployment) -> set[str]:
    """The statuses of all changes in the last message about what was done."""
    told = [message for message in deployment.published.messages if "policies" in message]
    return {step["status"] for step in told[-1]["steps"] if step["action"] not in {"notify", "capture_evidence"}}


EACH_FAULT = [(fault, number) for fault in PASSING for number in range(1, CALLS + 1)]
FAULTY = Cases("calls times passing faults", EACH_FAULT[::3], EACH_FAULT)


@pytest.mark.parametrize(("fault", "number"), FAULTY.chosen)
def test_a_passing_fault(tmp_path: Path, cluster: SimulatedCluster, fault: str, number: int) -> None:
    """Whatever request fails, the pod is contained after all, each step once."""
    pod = cluster.objects("Pod", "shop")[0]
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    faulty(deployment, number, PASSING[fault])
    document = finding_about(pod)

    endings = tried_until_settled(deployment, document)

    record = deployment.case(document)
    assert effects_hold(record, cluster, pod)
    assert endings[-1][0] == 204
    assert all(reason == PASSING[fault]("get", "").reason for status, reason in endings if status == 503)
    if record.state == "done":
        moot = "deleted_meanwhile" in {step.reason for step in record.steps}
        # A step that had to come again stands after those that did not wait for it; a moot one has no further changes.
        actions, expected = carried_out(record), [outcome.split(":")[0] for outcome in CONTAINED]
        assert sorted(actions) == sorted(expected) or (moot and set(actions) == set(expected))
        assert_contained_once(cluster, pod, moot=moot)
        assert last_word(deployment) <= {"done", "skipped"}
    else:
        assert PASSING[fault]("get", "").reason in json.dumps([deployment.lines, record.decision])


LATE = [pytest.param(fault, id=fault) for fault in ("500", "reset", "stall")]


@pytest.mark.parametrize("number", range(1, CALLS + 1))
@pytest.mark.parametrize("fault", LATE)
def test_a_lost_answer(tmp_path: Path, cluster: SimulatedCluster, fault: str, number: int) -> None:
    """A request that was carried out and whose answer was lost is not carried out again."""
    pod = cluster.objects("Pod", "shop")[0]
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    faulty(deployment, number, PASSING[fault], late=True)
    document = finding_about(pod)

    endings = tried_until_settled(deployment, document)

    assert endings[-1] == (204, "done")
    assert deployment.case(document).state == "done"
    assert_contained_once(cluster, pod)


@pytest.mark.parametrize("number", range(1, CALLS + 1))
def test_a_missing_permission(tmp_path: Path, cluster: SimulatedCluster, number: int) -> None:
    """A refusal for want of a permission names it, and never ends as a success."""
    pod = cluster.objects("Pod", "shop")[0]
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    faulty(deployment, number, forbidden)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    record = deployment.case(document)
    call = deployment.clusters.api.calls[number - 1]  # type: ignore[attr-defined]  # an `Interposed`
    permission = f"missing permission: {call.split()[1].split('/')[-2]}: {call.split()[0]}"
    assert permission in json.dumps([deployment.lines, record.decision])
    assert effects_hold(record, cluster, pod)
    if ending.status == 503:
        assert deployment.deliver(document).reason == "done"
        assert_contained_once(cluster, pod)


def lasting(deployment: Deployment, verb: str, resource: str, fault: Callable[[str, str], ApiError]) -> None:
    """Let every call of this verb on this resource fail."""

    def fail(_call: int, called: str, path: str) -> None:
        if called == verb and f"/{resource}" in path:
            raise fault(called, path)

    deployment.clusters.api = Interposed(deployment.clusters.api, before=fail)


REFUSED = [
    pytest.param("patch", "pods", "label_pod: kubernetes_forbidden", id="patch-pods"),
    pytest.param("create", "networkpolicies", "isolate_pod: kubernetes_forbidden", id="create-networkpolicies"),
    pytest.param("list", "networkpolicies", "isolate_pod: kubernetes_forbidden", id="list-networkpolicies"),
    pytest.param("list", "events", "capture_evidence: captured_without_events", id="list-events"),
    pytest.param("patch", "nodes", "cordon_node: kubernetes_forbidden", id="patch-nodes"),
    pytest.param("get", "nodes", "cordon_node: node_unreadable", id="get-nodes"),
    pytest.param("delete", "pods", "delete_pod: kubernetes_forbidden", id="delete-pods"),
    pytest.param("list", "poddisruptionbudgets", "delete_pod: budgets_unread", id="list-disruption-budgets"),
    pytest.param("list", "nodes", "cordon_node: node_pool_unread", id="list-nodes"),
    pytest.param("get", "deployments", "delete_pod: workload_unread", id="get-deployments"),
]


@pytest.mark.parametrize(("verb", "resource", "outcome"), REFUSED)
def test_a_role_without(tmp_path: Path, cluster: SimulatedCluster, verb: str, resource: str, outcome: str) -> None:
    """A role that lacks a permission stops the policy at the step that needs it, and says so to a person."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    lasting(deployment, verb, resource, forbidden)
    document = finding_about(cluster.objects("Pod", "shop")[0])

    ending = deployment.respond_to(document)

    assert outcome in deployment.outcomes(document)
    assert (ending.status, deployment.case(document).state) == (204, "partial")
    assert ending.severity in {"ERROR", "WARNING"}
    assert deployment.published.messages != []
    assert "missing permission" in json.dumps([deployment.lines, deployment.case(document).decision])


def test_a_role_without_endpoint_slices(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A role of an earlier version stops nothing: which Services send to the pod is unknown, and why is said."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    lasting(deployment, "list", "endpointslices", forbidden)
    document = finding_about(cluster.objects("Pod", "shop")[0])
    assert deployment.respond_to(document).reason == "done"
    assert deployment.outcomes(document) == CONTAINED
    (isolated,) = (step for step in deployment.case(document).steps if step.reason == "isolated")
    assert "Services that still send to the pod: unknown (missing permission: " in isolated.detail
    told = deployment.published.messages[-1]["steps"]
    assert isolated.detail in [step["detail"] for step in told]


ALWAYS = [
    pytest.param("get pods", "500", "server_error", id="500-get-pods"),
    pytest.param("patch pods", "500", "server_error", id="500-patch-pods"),
    pytest.param("patch pods", "409", "conflict", id="409-patch-pods"),
    pytest.param("delete pods", "stall", "timeout", id="stall-delete-pods"),
    pytest.param("get nodes", "500", "server_error", id="500-get-nodes"),
    pytest.param("list events", "429", "throttled", id="429-list-events"),
]


@pytest.mark.parametrize(("call", "fault", "reason"), ALWAYS)
def test_a_lasting_fault(tmp_path: Path, cluster: SimulatedCluster, call: str, fault: str, reason: str) -> None:
    """Where a fault lasts, the message comes again and again: the case stays open, and nothing is called done."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    lasting(deployment, *call.split(), PASSING[fault])
    document = finding_about(cluster.objects("Pod", "shop")[0])

    endings = [deployment.respond_to(document), deployment.deliver(document)]

    assert [(ending.status, ending.reason) for ending in endings] == [(503, reason), (503, reason)]
    assert deployment.case(document).state == "open"


def test_an_unread_condition(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A policy that hangs on a fact that could not be read just now is decided when the message comes again."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", when="workload: Deployment/web"))
    pod = cluster.objects("Pod", "shop")[0]
    api = deployment.clusters.api
    lasting(deployment, "get", "replicasets", PASSING["500"])
    document = finding_about(pod)

    first = deployment.respond_to(document)
    deployment.clusters.api = api
    second = deployment.deliver(document)

    assert [(ending.status, ending.reason) for ending in (first, second)] == [(503, "server_error"), (204, "done")]
