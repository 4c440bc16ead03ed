"""Pods that may not be deleted like others, nodes that may not be cordoned, isolation that does not hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import case_id
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.journal.step import Step
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import (
    ALL,
    CONTAINED,
    NODE,
    SPARE_NODE,
    Deployment,
    Interposed,
    OneCluster,
    api_of,
    deployed,
    finding_about,
    mutations,
    policy,
)

Object = dict[str, Any]
DELETE = policy("delete_pod")


def created(cluster: SimulatedCluster, manifest: Object) -> Object:
    """The pod that a manifest, or its workload, makes."""
    made = cluster.create(manifest)
    if made["kind"] == "Pod":
        return made
    name = made["metadata"]["name"]
    return next(pod for pod in cluster.objects("Pod", "shop") if pod["metadata"]["name"].startswith(f"{name}-"))


def mirror(cluster: SimulatedCluster) -> Object:
    uid = cluster.objects("Node")[0]["metadata"]["uid"]
    return created(cluster, objects.mirror_pod("proxy", "shop", uid, NODE))


def daemon(cluster: SimulatedCluster) -> Object:
    return created(cluster, objects.daemon_set("agent", "shop", NODE))


def standalone(cluster: SimulatedCluster) -> Object:
    return created(cluster, objects.pod("alone", "shop", NODE))


ALLOW_ALL = "delete_pod {allow_standalone: true, allow_daemonset: true, identity: likely}"
SPECIAL = [
    pytest.param(mirror, "delete_pod", "pod_static", id="mirror"),
    pytest.param(mirror, ALLOW_ALL, "pod_static", id="mirror-whatever-is-allowed"),
    pytest.param(daemon, "delete_pod", "pod_daemonset", id="daemonset"),
    pytest.param(daemon, "delete_pod {allow_standalone: true}", "pod_daemonset", id="daemonset-other-allowed"),
    pytest.param(standalone, "delete_pod", "pod_standalone", id="standalone"),
    pytest.param(standalone, "delete_pod {allow_daemonset: true}", "pod_standalone", id="standalone-other-allowed"),
]


@pytest.mark.parametrize(("make", "step", "reason"), SPECIAL)
def test_special_pods_need_explicit_permission(
    tmp_path: Path, cluster: SimulatedCluster, make: Any, step: str, reason: str
) -> None:
    """Static pods are never deleted, standalone and DaemonSet pods only where the policy says so."""
    pod = make(cluster)
    deployment = deployed(tmp_path, cluster, policy(step))
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document)[0] == f"delete_pod: {reason}"
    assert (ending.status, ending.reason, deployment.case(document).state) == (204, reason, "held")
    assert mutations(cluster.audit) == []


ALLOWED = [
    pytest.param(daemon, "delete_pod {allow_daemonset: true}", id="daemonset"),
    pytest.param(standalone, "delete_pod {allow_standalone: true}", id="standalone"),
]


@pytest.mark.parametrize(("make", "step"), ALLOWED)
def test_deleted_where_allowed(tmp_path: Path, cluster: SimulatedCluster, make: Any, step: str) -> None:
    """A policy may say that standalone or DaemonSet pods are deleted."""
    pod = make(cluster)
    deployment = deployed(tmp_path, cluster, policy(step))
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == ["delete_pod: armed", "delete_pod: processes_ended"]


def later(stamp: str, seconds: int) -> str:
    return (datetime.fromisoformat(stamp) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def restarted(pod: Object) -> Object:
    """The status of a pod whose container was killed after the event, and restarted."""
    status = pod["status"]["containerStatuses"][0]
    started = later(status["state"]["running"]["startedAt"], 30)
    again = {**status, "restartCount": 1, "state": {"running": {"startedAt": started}}}
    return {"status": {"containerStatuses": [again]}}


def other_image(pod: Object) -> Object:
    """The same of one whose image was changed in place, which restarts the container too."""
    again = {**restarted(pod)["status"]["containerStatuses"][0], "imageID": "repo@sha256:" + "ff" * 32}
    return {"status": {"containerStatuses": [again]}}


def evicted(_pod: Object) -> Object:
    """The status of a pod that its kubelet has evicted."""
    status = {"phase": "Failed", "reason": "Evicted", "containerStatuses": None}
    return {"status": {**status, "conditions": [{"type": "Ready", "status": "False"}]}}


SAME_PODS = [
    pytest.param(restarted, ["proved", "restarted", "processes_ended"], id="restarted"),
    pytest.param(other_image, ["likely", "image_differs", "identity_not_proved:image_differs"], id="changed-in-place"),
    pytest.param(evicted, ["likely", "started_unreported", "identity_not_proved:started_unreported"], id="evicted"),
]


@pytest.mark.parametrize(("change", "expected"), SAME_PODS)
def test_no_change_makes_another_pod(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, change: Any, expected: list[str]
) -> None:
    """Whatever becomes of the pod of one UID, it is cut off; it is deleted where its restart is all that happened."""
    document = finding_about(pod)
    api_of(cluster, "admin").patch(f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}", change(pod))
    deployment = deployed(tmp_path, cluster, policy("label_pod", "isolate_pod", "delete_pod"))

    deployment.respond_to(document)

    found = deployment.case(document).decision["identity"]
    deletion = [step.reason for step in deployment.case(document).steps if step.action == "delete_pod"][-1]
    assert "isolate_pod: isolated" in deployment.outcomes(document)
    assert [found["level"], found["reason"], deletion] == expected


def test_an_owner_of_an_unknown_kind(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A custom resource's controller holds the deletion of its pod, and nothing else."""
    manifest = objects.pod("kafka-0", "shop", NODE)
    owner = {"apiVersion": "core.strimzi.io/v1beta2", "kind": "StrimziPodSet", "name": "kafka", "uid": "u"}
    manifest["metadata"]["ownerReferences"] = [{**owner, "controller": True}]
    cluster.create(manifest)
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "kafka-0")
    rails = "protected: {namespaces: [kube-system], workloads: [shop/Deployment/ledger]}\n"
    deployment = deployed(tmp_path, cluster, policy(*ALL), guardrails=rails)
    document = finding_about(pod)

    deployment.respond_to(document)

    held = [step for step in deployment.case(document).steps if step.status == "held"]
    assert [f"{step.action}: {step.reason}" for step in held] == ["delete_pod: workload_unread"]
    assert deployment.case(document).decision["missing"]["owner"] == "unknown_kind"
    assert {"isolate_pod: isolated", "cordon_node: patched"} <= set(deployment.outcomes(document))


def test_an_owner_that_may_not_be_read(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Where our role lacks the permission to read the owner, its pod is not deleted, and all else is done."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))

    def refuse(_number: int, _verb: str, path: str) -> None:
        if "replicasets" in path:
            raise ApiError(
                Reason.KUBERNETES_FORBIDDEN, status=403, permission="replicasets.apps: get in namespace shop"
            )

    deployment.clusters.api = Interposed(deployment.clusters.api, before=refuse)
    document = finding_about(pod)

    deployment.respond_to(document)

    held = [step for step in deployment.case(document).steps if step.status == "held"]
    assert [f"{step.action}: {step.reason}" for step in held] == ["delete_pod: workload_unread"]
    assert {"isolate_pod: isolated", "cordon_node: patched"} <= set(deployment.outcomes(document))


def last_change(deployment: Deployment, document: Object) -> Step:
    """The last step but for the responder's own message."""
    return [step for step in deployment.case(document).steps if step.policy][-1]


def test_a_finalizer_keeps_it(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A pod that a finalizer keeps is contained once its processes have ended, and not called deleted."""
    pod = created(cluster, objects.held_pod("held", "shop", NODE))
    deployment = deployed(tmp_path, cluster, policy("delete_pod {allow_standalone: true}"))
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    last = last_change(deployment, document)
    assert (last.status, last.reason, last.detail) == ("done", "processes_ended", "kept by example.com/hold")
    assert (ending.reason, deployment.case(document).state) == ("done", "done")
    assert deployment.line["contained_seconds"] >= 0


def test_a_pod_that_runs_on_leaves_the_case_open(tmp_path: Path) -> None:
    """It is awaited, with the grace period that the policy asked for; nobody is told that it failed, or is done."""
    with SimulatedCluster(stop_seconds=60) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.node(SPARE_NODE))
        pod = created(cluster, objects.deployment("web", "shop", NODE, replicas=2))
        deployment = deployed(tmp_path, cluster, policy("delete_pod {grace_period_seconds: 7}"))
        document = finding_about(pod)
        ending = deployment.respond_to(document)

        assert deployment.outcomes(document) == [
            "delete_pod: armed",
            "delete_pod: deletion_awaited",
        ]
        assert (ending.status, ending.reason, ending.severity) == (204, "deletion_awaited", "NOTICE")
        assert (deployment.case(document).state, deployment.case(document).owner) == ("open", "")
        assert "contained_seconds" not in deployment.line
        stopping = [item["metadata"] for item in cluster.objects("Pod") if "deletionTimestamp" in item["metadata"]]
        assert [item["deletionGracePeriodSeconds"] for item in stopping] == [7]


WARDEN = "GKE Warden rejected the request because it violates one or more constraints."


def autopilot(admission: str) -> Any:
    """A cluster whose admission refuses every change of a node, with this message."""

    def admit(target: Any, _stored: Object, _new: Object) -> str:
        return admission if target.resource.kind == "Node" else ""

    return SimulatedCluster(stop_seconds=0, admission=admit)


def test_autopilot_makes_a_cordon_impossible(tmp_path: Path) -> None:
    """A cordon that Autopilot refuses is not possible; the later steps go on."""
    with autopilot(WARDEN) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.node(SPARE_NODE))
        pod = created(cluster, objects.deployment("web", "shop", NODE, replicas=2))
        deployment = deployed(tmp_path, cluster, policy(*ALL))
        document = finding_about(pod)
        deployment.respond_to(document)

        expected = [*CONTAINED]
        expected[5] = "cordon_node: not_possible_autopilot"
        assert deployment.outcomes(document) == expected
        assert deployment.case(document).state == "partial"


def test_another_admission_policy(tmp_path: Path) -> None:
    """A refusal by any other admission policy is a failure of its step alone."""
    with autopilot("ValidatingAdmissionPolicy 'no-cordon' with binding 'b' denied request: no") as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.node(SPARE_NODE))
        pod = created(cluster, objects.deployment("web", "shop", NODE, replicas=2))
        deployment = deployed(tmp_path, cluster, policy("cordon_node", "delete_pod"))
        document = finding_about(pod)
        deployment.respond_to(document)

        assert deployment.outcomes(document)[:3] == [
            "cordon_node: admission_denied",
            "delete_pod: armed",
            "delete_pod: processes_ended",
        ]


def allowing(**spec: Any) -> Object:
    """A NetworkPolicy of someone else that selects the pods of `web`."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "allow-web", "namespace": "shop"},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, **spec},
    }


DATAPLANES = [
    pytest.param(True, "isolated", id="enforced"),
    pytest.param(False, "not_enforced", id="no-dataplane"),
    pytest.param(None, "enforcement_unknown", id="unknown"),
]


@pytest.mark.parametrize(("enforces", "reason"), DATAPLANES)
def test_isolation_is_worth(tmp_path: Path, cluster: SimulatedCluster, enforces: bool | None, reason: str) -> None:
    """Isolation is said only of a cluster that enforces it; established connections are never claimed."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    deployment.services.clusters = OneCluster(api_of(cluster), enforces_network_policy=enforces)
    document = finding_about(cluster.objects("Pod", "shop")[0])

    deployment.respond_to(document)

    last = last_change(deployment, document)
    assert last.reason == reason
    assert last.status == ("done" if reason == "isolated" else "not_effective")
    assert "established connections unknown" in last.detail


def test_a_host_network_pod_is_not_isolated(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """No policy holds a pod on the host's network."""
    pod = created(cluster, objects.deployment("host", "shop", NODE, hostNetwork=True))
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == [
        "isolate_pod: patched",
        "isolate_pod: host_network",
        "notify: published",
    ]


OTHERS = [
    pytest.param({"egress": [{}], "policyTypes": ["Egress"]}, "bypassed_by", id="allows-egress"),
    pytest.param({"ingress": [{}]}, "bypassed_by", id="allows-ingress-by-default"),
    pytest.param({"ingress": [], "policyTypes": ["Ingress"]}, "isolated", id="denies"),
    pytest.param({"egress": [{}], "policyTypes": ["Ingress"]}, "isolated", id="egress-not-meant"),
]


@pytest.mark.parametrize(("spec", "reason"), OTHERS)
def test_another_policy_that_allows_traffic_is_named(
    tmp_path: Path, cluster: SimulatedCluster, spec: Object, reason: str
) -> None:
    """Another policy that still allows the pod some traffic is named: policies add up."""
    cluster.create(allowing(**spec))
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    document = finding_about(cluster.objects("Pod", "shop")[0])

    deployment.respond_to(document)

    last = last_change(deployment, document)
    assert last.reason == reason
    assert ("bypassed_by allow-web" in last.detail) == (reason == "bypassed_by")


def test_a_squatted_name(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy that someone else put under the name of ours is not taken for it."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    document = finding_about(pod)
    deployment.list_finding(document)
    name = f"scc-responder-{case_id(parse_notification(document).key)}-{pod['metadata']['uid'][:8]}"
    squatter = allowing(ingress=[{}])
    squatter["metadata"]["name"] = name
    cluster.create(squatter)

    deployment.deliver(document)

    assert deployment.outcomes(document)[1] == "isolate_pod: not_verified"


LIKELY = [
    pytest.param("delete_pod", "delete_pod: identity_not_proved:node_absent", id="proved-wanted"),
    pytest.param("delete_pod {identity: likely}", "delete_pod: armed", id="likely-allowed"),
    pytest.param("isolate_pod", "isolate_pod: patched", id="isolate-needs-no-more"),
]


@pytest.mark.parametrize(("step", "first"), LIKELY)
def test_a_likely_identity_can_be_accepted(tmp_path: Path, cluster: SimulatedCluster, step: str, first: str) -> None:
    """A pod that is only likely the finding's is isolated, and deleted where the policy accepts that."""
    deployment = deployed(tmp_path, cluster, policy(step))
    document = finding_about(cluster.objects("Pod", "shop")[0])
    document["finding"]["kubernetes"].pop("nodes")
    document["finding"].get("sourceProperties", {}).pop("VM_Instance_Name", None)

    deployment.respond_to(document)

    assert deployment.outcomes(document)[0] == first


def test_a_namespace_is_read_once(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Policies that select namespaces are judged by the namespace as it was read at the beginning."""
    cluster.serve("AdminNetworkPolicy")
    spec = {"subject": {"namespaces": {"matchLabels": {"team": "other"}}}, "egress": [{"action": "Allow"}]}
    version = "policy.networking.k8s.io/v1alpha1"
    cluster.create({"apiVersion": version, "kind": "AdminNetworkPolicy", "metadata": {"name": "x"}, "spec": spec})
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))

    deployment.respond_to(finding_about(cluster.objects("Pod", "shop")[0]))

    read = [event for event in cluster.audit if (event.verb, event.resource) == ("get", "namespaces")]
    assert len(read) == 1


@pytest.mark.parametrize("part", ["uid", "name", "kind", "apiVersion"])
def test_a_pod_that_names_an_endless_owner_is_isolated(tmp_path: Path, cluster: SimulatedCluster, part: str) -> None:
    """Whoever makes a pod writes its owners: neither a ledger nor the case has more of that than of any other."""
    owner = {"apiVersion": "example.com/v1", "kind": "Robot", "name": "r", "uid": "u", "controller": True}
    manifest = objects.pod("alone", "shop", NODE)
    manifest["metadata"]["ownerReferences"] = [{**owner, part: f"example.com/{'x' * 90_000}"}]
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    document = finding_about(created(cluster, manifest))
    deployment.respond_to(document)
    store = deployment.services.store
    assert [step.reason for step in deployment.case(document).steps] == ["patched", "isolated"]
    assert deployment.case(document).decision["pod"]["name"] == "alone"
    assert max(len(entry.value) for entry in store.scan("ledger/").entries) < 2_000
