"""A change that stands in the store is a memory: whoever wrote it there, it is carried out only where it is planned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.store import Entry
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import (
    NODE,
    SPARE_NODE,
    Deployment,
    api_of,
    crashing,
    deployed,
    finding_about,
    mutations,
    policy,
)

Object = dict[str, Any]
THEN = ("label_pod", "cordon_node", "delete_pod")


@pytest.fixture
def system_pod(cluster: SimulatedCluster) -> Object:
    """A pod of the cluster itself, which guardrails protect."""
    return cluster.create(objects.pod("coredns", "kube-system", NODE))


def stored(deployment: Deployment) -> tuple[Entry, Object]:
    """The one case in the store, and its record as JSON data."""
    (entry,) = deployment.services.store.scan("case/", None, 2).entries
    return entry, json.loads(entry.value)


def plant(deployment: Deployment, *steps: Object, **fields: Any) -> None:
    """Write steps into the one case in the store, as who may write there could."""
    entry, record = stored(deployment)
    record |= {"steps": [*record["steps"], *({"policy": "contain", "epoch": 1} | step for step in steps)], **fields}
    deployment.services.store.replace(entry.key, json.dumps(record).encode(), entry.version, unfinished=True)


def opened(
    tmp_path: Path, cluster: SimulatedCluster, document: Object, *then: str, mode: str = "enforce"
) -> Deployment:
    """A deployment with a case that an earlier delivery claimed, and nothing more."""
    deployment = deployed(tmp_path, cluster, policy(*then, mode=mode))
    deployment.list_finding(document)
    claim = deployment.services.journal.claim(parse_notification(document))
    assert claim.case is not None
    claim.case.release("out_of_time")
    return deployment


def meta(item: Object) -> Object:
    """Where the object is, as a change says it."""
    return {key: item["metadata"][key] for key in ("namespace", "name", "uid") if key in item["metadata"]}


def intent(action: str, change: Object, number: int = 0, **fields: Any) -> Object:
    """An unsettled step with this change."""
    return {"action": action, "action_id": f"{number:032x}", "status": "intent", "change": change, **fields}


def patch(item: Object, **fields: Any) -> Object:
    """A patch of the object."""
    return {"change": "patch", "kind": item["kind"], **meta(item), **fields}


def deletion(item: Object, kind: str = "delete_pod", **fields: Any) -> Object:
    """A deletion of the pod."""
    return {"change": kind, **meta(item), **fields}


ARMED = {"marker": "scc-responder/armed-by", "versioned": True}
MARK = {"labels": {"planted": "yes"}}
TAINT = {"taints": [{"key": "planted", "effect": "NoExecute"}]}


def planted_steps(other: Object, node: Object, own: Object) -> dict[str, list[Object]]:
    """Steps about `other`, about a node that is not the pod's, and about the pod in ways that nobody plans."""
    awaited = {"status": "terminating", "reason": "deletion_awaited"}
    refused = {"status": "held", "reason": "budget_awaited"}
    armed = intent("delete_pod", patch(other, **ARMED))
    return {
        "another pod": [armed, intent("delete_pod", deletion(other), index=1)],
        "an unknown end": [armed, intent("delete_pod", deletion(other), index=1, status="unknown")],
        "without a uid": [
            intent("delete_pod", deletion(other) | {"uid": ""}),
            intent("label_pod", patch(other, **MARK) | {"uid": ""}, 1),
        ],
        "awaited, without a moment": [armed, intent("delete_pod", deletion(other), index=1, **awaited)],
        "awaited at a budget": [armed, intent("delete_pod", deletion(other, "evict_pod"), index=1, **refused)],
        "an action that observes": [intent("capture_evidence", deletion(other), policy="")],
        "the responder's own message": [intent("notify", deletion(other), policy="")],
        "a label of a pod": [intent("label_pod", patch(other, **MARK))],
        "another node": [intent("cordon_node", patch(node, **MARK, spec=TAINT))],
        "its own node, otherwise": [intent("cordon_node", patch(own, spec=TAINT, **MARK))],
        "no change at all": [intent("label_pod", {})],
    }


CASES = list(planted_steps(*3 * ({"kind": "Pod", "metadata": {"uid": "u"}},)))


@pytest.mark.parametrize("named", CASES)
def test_planted_changes_are_not_carried_out(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, system_pod: Object, named: str
) -> None:
    """What the policies want of the finding's own pod and node is done, and nothing else; the rest says why not."""
    document = finding_about(pod)
    nodes = {item["metadata"]["name"]: item for item in cluster.objects("Node")}
    deployment = opened(tmp_path, cluster, document, *THEN)
    plant(deployment, *planted_steps(system_pod, nodes[SPARE_NODE], nodes[NODE])[named])

    deployment.deliver(document)

    audit = [event for event in cluster.audit if event.user == "responder"]
    assert mutations(audit) == ["patch pods", "patch nodes", "patch pods", "delete pods"]
    touched = {event.name for event in audit if event.verb not in {"get", "list"}}
    assert touched == {pod["metadata"]["name"], NODE}
    after = {item["metadata"]["name"]: item for item in [*cluster.objects("Node"), *cluster.objects("Pod")]}
    assert after["coredns"]["metadata"]["uid"] == system_pod["metadata"]["uid"]
    assert not any("planted" in str(item) for item in after.values())
    ids = {f"{number:032x}" for number in range(3)}
    left = [step for step in deployment.case(document).steps if step.action_id in ids]
    assert all(step.status in {"held", "failed", "target_replaced", "target_gone", "terminating"} for step in left)
    assert deployment.case(document).state in {"partial", "open"}


def test_a_planted_uid_lets_nothing_be_done(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, system_pod: Object
) -> None:
    """A record that says it is about another pod alone holds everything: on that pod, and on the finding's own."""
    document = finding_about(pod)
    deployment = opened(tmp_path, cluster, document, *THEN)
    uid = system_pod["metadata"]["uid"]
    plant(deployment, intent("delete_pod", deletion(system_pod), expected_uid=uid))

    deployment.deliver(document)

    assert mutations(cluster.audit) == []
    changes = [step.reason for step in deployment.case(document).steps if step.status == "held"]
    assert set(changes) == {"pod_replaced"}


def test_a_planted_step_does_not_turn_the_case(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, system_pod: Object
) -> None:
    """A record that says it is about another pod too changes neither the names of the case's actions nor its target."""
    document = finding_about(pod)
    for name in ("planted", "plain"):
        (tmp_path / name).mkdir()
    deployment = opened(tmp_path / "planted", cluster, document, "label_pod")
    own = {"action": "label_pod", "action_id": "b", "status": "done", "expected_uid": pod["metadata"]["uid"]}
    other = {"action": "label_pod", "action_id": "a", "status": "done", "expected_uid": "0"}
    plant(deployment, own | {"change": patch(pod, **MARK)}, other | {"change": patch(system_pod, **MARK)})

    deployment.deliver(document)

    plain = opened(tmp_path / "plain", cluster, document, "label_pod")
    plain.deliver(document)
    names = [{step.action_id for step in each.case(document).steps} for each in (deployment, plain)]
    assert names[1] <= names[0]
    assert mutations(cluster.audit) == ["patch pods"]


@pytest.mark.parametrize("pod_is", ["gone", "ended by the record", "there"])
def test_a_node_of_the_record_alone_is_left_alone(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, pod_is: str
) -> None:
    """Where neither the finding nor its pod names the node, a record is no proof of which one is meant."""
    document = finding_about(pod)
    document["finding"].get("kubernetes", {}).pop("nodes", None)
    document["finding"]["sourceProperties"].pop("VM_Instance_Name", None)
    assert not parse_notification(document).node
    spare = next(item for item in cluster.objects("Node") if item["metadata"]["name"] == SPARE_NODE)
    deployment = opened(tmp_path, cluster, document, "cordon_node")
    ended = intent("delete_pod", deletion(pod) | {"uid": "u"}, 1, status="done", expected_uid="u")
    cordon = intent("cordon_node", patch(spare, spec={"unschedulable": True}), 2, expected_uid=spare["metadata"]["uid"])
    plant(deployment, *([ended] if pod_is.startswith("ended") else []), cordon)
    if pod_is == "gone":
        api_of(cluster, "admin").delete(api_paths.pod("shop", pod["metadata"]["name"]), {"gracePeriodSeconds": 0})

    deployment.deliver(document)

    assert "patch nodes" not in mutations(cluster.audit)


def test_a_planted_deletion_does_not_come_before_its_evidence(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """The very deletion that is planned, written as begun, is carried out in its turn, once the evidence is kept."""
    document = finding_about(pod)
    deployment = opened(tmp_path, cluster, document, "capture_evidence", "delete_pod {grace_period_seconds: 10}")
    plant(
        deployment,
        intent("delete_pod", patch(pod, **ARMED), 1),
        intent("delete_pod", deletion(pod, grace_period_seconds=10), 1, index=1),
    )

    deployment.deliver(document)

    reasons = [(step.action, step.reason) for step in deployment.case(document).steps]
    assert reasons[:3] == [
        ("delete_pod", "needs_capture_evidence"),
        ("delete_pod", "not_armed"),
        ("capture_evidence", "captured"),
    ]
    assert mutations(cluster.audit) == ["patch pods", "delete pods"]


LAWFUL = [
    pytest.param("patch", True, id="a-label-that-was-set"),
    pytest.param("patch", False, id="a-label-that-was-not"),
    pytest.param("delete", True, id="a-deletion-that-was-sent"),
    pytest.param("delete", False, id="a-deletion-that-was-not"),
]


@pytest.mark.parametrize(("verb", "sent"), LAWFUL)
def test_what_was_begun_is_finished(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, verb: str, *, sent: bool
) -> None:
    """A case that was cut off goes on as before: nothing is held, and nothing is done twice."""
    deployment = deployed(tmp_path, cluster, policy(*THEN))
    document = finding_about(pod)
    api = deployment.clusters.api
    deployment.clusters.api = crashing(api, verb, sent=sent)
    assert deployment.respond_to(document).status == 503
    deployment.clusters.api = api

    deployment.deliver(document)

    assert not [step for step in deployment.case(document).steps if step.status == "held"]
    assert mutations(cluster.audit) == ["patch pods", "patch nodes", "patch pods", "delete pods"]
