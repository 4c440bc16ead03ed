"""What a later delivery may do in the name of an earlier one: what was promised, if it is still allowed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import ApiError, RejectedMessage
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.cluster.polling import wait_until
from tests.kits.compromised_pod import is_gone, small
from tests.kits.responder import (
    NODE,
    Deployment,
    Interposed,
    api_of,
    crashing,
    deployed,
    finding_about,
    mutations,
    policy,
    write_policies,
)


def interrupted(deployment: Deployment, document: dict[str, Any], verb: str, *, after: bool) -> None:
    """Deliver, and crash right before (or after) the first request of this verb."""
    api = deployment.clusters.api

    deployment.clusters.api = crashing(api, verb, sent=after)
    assert deployment.respond_to(document).status == 503
    deployment.clusters.api = api


def test_a_removed_policy(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """What a policy had begun is not finished once the policy is gone, whatever else would allow it."""
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    document = finding_about(pod)
    interrupted(deployment, document, "delete", after=False)
    (tmp_path / "policies" / "contain.yaml").unlink()
    deployment.services.policies = load_policies(write_policies(tmp_path / "policies"))

    deployment.deliver(document)

    assert "delete_pod: policy_removed" in deployment.outcomes(document)
    assert "delete pods" not in mutations(cluster.audit)


GOERS = [pytest.param(False, id="another-deleted-it"), pytest.param(True, id="our-request-was-carried-out")]


@pytest.mark.parametrize("sent", GOERS)
def test_gone_while_nobody_looked(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], *, sent: bool
) -> None:
    """Of a pod that is gone after a crash no deletion of ours is claimed: whose it was, no read can tell."""
    deployment = deployed(
        tmp_path, cluster, policy("delete_pod", "notify").replace("notify", "notify\n    needs: [delete_pod]")
    )
    document = finding_about(pod)
    interrupted(deployment, document, "delete", after=sent)
    if not sent:
        api_of(cluster, "admin").delete(api_paths.pod("shop", pod["metadata"]["name"]), {"gracePeriodSeconds": 0})
    wait_until(lambda: is_gone(cluster, pod), what="the pod is gone")

    deployment.deliver(document)

    steps = {step.reason: step for step in deployment.case(document).steps}
    assert list(steps) == ["armed", "gone_after_intent", "published"]
    assert (steps["gone_after_intent"].status, deployment.case(document).state) == ("done", "done")
    assert "may have been another's deletion" in steps["gone_after_intent"].detail
    assert mutations(cluster.audit).count("delete pods") == 1


def test_an_answer_is_enough(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A deletion that was answered is told as ours, though the read after it failed at first."""
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    api = deployment.clusters.api
    seen: list[str] = []

    def conflict(_number: int, verb: str, _path: str) -> None:
        seen.append(verb)
        if seen[-2:] == ["delete", "get"]:
            raise ApiError(Reason.CONFLICT, status=409)

    deployment.clusters.api = Interposed(api, before=conflict)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert seen[-3:] == ["delete", "get", "get"]
    assert "delete_pod: processes_ended" in deployment.outcomes(document)


def test_a_person_was_here(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A node that a person uncordoned before the case could be resumed stays uncordoned."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node"))
    document = finding_about(pod)
    interrupted(deployment, document, "patch", after=True)
    api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": None}})

    ending = deployment.deliver(document)

    assert deployment.outcomes(document)[0] == "cordon_node: overridden"
    assert ending.reason == "overridden"
    assert mutations(cluster.audit).count("patch nodes") == 2


def test_a_removed_label(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A pod that no longer carries the label of its NetworkPolicy is not called isolated."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    document = finding_about(pod)
    interrupted(deployment, document, "create", after=True)
    path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"
    labels = dict.fromkeys(api_of(cluster, "admin").get(path)["metadata"]["labels"])
    api_of(cluster, "admin").patch(path, {"metadata": {"labels": {**labels, "app": "web"}}})

    deployment.deliver(document)

    assert "isolate_pod: isolated" not in deployment.outcomes(document)
    assert str(deployment.case(document).state) == "partial"


def test_what_failed_is_tried_again_when_reopened(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """A permission that was missing, and is fixed by the time the finding is renewed, is used."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    api = deployment.clusters.api

    def forbid(_number: int, verb: str, _path: str) -> None:
        if verb == "create":
            raise ApiError(
                Reason.KUBERNETES_FORBIDDEN, status=403, permission="networkpolicies: create in namespace shop"
            )

    deployment.clusters.api = Interposed(api, before=forbid)
    first = finding_about(pod)
    ending = deployment.respond_to(first)
    deployment.clusters.api = api
    later = parse_notification(first).event_time + timedelta(seconds=1)
    second = finding_about(
        pod, event_time=later.isoformat(), finding={"processes": [{"name": "nc", "args": ["-e", "/bin/sh"]}]}
    )

    again = deployment.respond_to(second)

    assert (ending.reason, again.reason) == ("kubernetes_forbidden", "done")
    assert "isolate_pod: isolated" in deployment.outcomes(second)


def test_a_listing_that_lags(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A notification that is newer than the listing waits for it: what it names now may be another pod."""
    other = cluster.objects("Pod", "shop")[1]
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    later = parse_notification(finding_about(pod)).event_time + timedelta(minutes=1)
    old, new = finding_about(pod), finding_about(other, event_time=later.isoformat())
    deployment.set_clock(lambda: later + timedelta(minutes=1))
    deployment.list_finding(old)

    waiting = deployment.deliver(new)
    deployment.list_finding(new)
    ended = deployment.deliver(new)

    assert (waiting.status, waiting.reason) == (503, "finding_not_listed_yet")
    assert (ended.status, ended.reason) == (204, "done")
    labeled = [event.name for event in cluster.audit if event.verb == "patch"]
    assert labeled == [other["metadata"]["name"]]


def test_a_forged_time(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A copy dated far ahead comes again, and does not make the genuine finding look stale."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    genuine = finding_about(pod)
    deployment.list_finding(genuine)

    forged = deployment.deliver(finding_about(pod, event_time="2999-01-01T00:00:00Z"))
    ended = deployment.deliver(genuine)

    assert (forged.status, forged.reason) == (503, "finding_from_the_future")
    assert ended.reason == "done"


def test_a_finding_of_another_name(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A source that answers with another finding than was asked for is not believed."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    other = finding_about(pod, finding_id="another")
    deployment.services.findings = AlwaysThis(other)

    ending = deployment.deliver(finding_about(pod))

    assert (ending.status, ending.reason, ending.severity) == (204, "finding_name_differs", "ERROR")
    assert mutations(cluster.audit) == []


class AlwaysThis:
    """`ports.Findings` that answers with one finding, whatever it is asked for."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def read(self, _finding: object) -> dict[str, Any]:
        return self.document

    def related(self, _finding: object) -> tuple[()]:
        return ()


GRACE = [
    pytest.param({"terminationGracePeriodSeconds": 31_536_000}, False, id="a-pod-that-asks-for-a-year"),
    pytest.param({"terminationGracePeriodSeconds": 31_536_000}, True, id="and-was-deleted-with-it-before"),
]


@pytest.mark.parametrize(("spec", "deleted_before"), GRACE)
def test_grace_is_not_the_pods_to_choose(tmp_path: Path, spec: dict[str, Any], *, deleted_before: bool) -> None:
    """A pod cannot outlive its deletion by a long grace period of its own."""
    with SimulatedCluster(stop_seconds=3600) as running:
        assert _graces(tmp_path, small(running), spec, deleted_before=deleted_before) == [7]


def _graces(tmp_path: Path, cluster: SimulatedCluster, spec: dict[str, Any], *, deleted_before: bool) -> list[int]:
    """The grace periods of the responder's deletions of a pod of this spec."""
    cluster.create(objects.pod("patient", "shop", NODE, finalizers=["example.com/hold"], **spec))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "patient")
    document = finding_about(pod)
    if deleted_before:
        api_of(cluster, "admin").delete("/api/v1/namespaces/shop/pods/patient", {"gracePeriodSeconds": 31_536_000})
    steps = ("capture_evidence", "delete_pod {allow_standalone: true, grace_period_seconds: 7}")
    deployment = deployed(tmp_path, cluster, policy(*steps))

    deployment.respond_to(document)

    sent = [event.request for event in cluster.audit if (event.verb, event.user) == ("delete", "responder")]
    return [body["gracePeriodSeconds"] for body in sent]


def test_held_findings_are_told_of(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding about a cluster that is not there is held, and somebody is told, once."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))

    class NoCluster:
        def connect(self, _ref: object) -> None:
            raise ApiError(Reason.CLUSTER_NOT_FOUND, status=404)

        describe = connect

    deployment.services.clusters = NoCluster()
    document = finding_about(pod)

    endings = [deployment.respond_to(document), deployment.deliver(document)]

    assert [ending.reason for ending in endings] == ["cluster_not_found", "duplicate"]
    assert [message["reason"] for message in deployment.published.messages] == ["cluster_not_found"]


def test_waiting_findings_are_told_of_once(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding that waits for a permission is told of once, not with every delivery, and names the permission."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))

    def forbid(_number: int, _verb: str, path: str) -> None:
        if "/pods/" in path:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods: get in namespace shop")

    deployment.clusters.api = Interposed(deployment.clusters.api, before=forbid)
    document = finding_about(pod)

    endings = [deployment.respond_to(document), deployment.deliver(document), deployment.deliver(document)]

    assert [ending.status for ending in endings] == [503, 503, 503]
    (message,) = deployment.published.messages
    assert message["error"] == "missing permission: pods: get in namespace shop"


def test_no_token_in_the_log(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The text of an unexpected exception, in which a library may quote a header, does not reach the log."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))

    token = "can" + "ary"

    def leak(_number: int, _verb: str, _path: str) -> None:
        raise RuntimeError(token)

    deployment.clusters.api = Interposed(deployment.clusters.api, before=leak)

    ending = deployment.respond_to(finding_about(pod))

    assert (ending.status, ending.reason) == (503, "internal_error")
    assert "canary" not in str(deployment.lines)
    assert "test_resumption.py" in deployment.line["traceback"]


OUT_OF_TIME = [((60, 39), "done"), ((60, 41), "out_of_time"), ((110, 72), "done"), ((110, 74), "out_of_time")]


@pytest.mark.parametrize(("moment", "reason"), OUT_OF_TIME)
def test_out_of_time(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], moment: tuple[int, int], reason: str
) -> None:
    """No step starts in the last third of the function's timeout; the next delivery goes on where this one stopped."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "annotate_pod"))
    timeout, seconds = moment
    deployment.services.settings = replace(deployment.services.settings, timeout_seconds=timeout)
    times = [datetime.now(UTC)]
    deployment.services.clock = lambda: times[-1]

    def slow(_number: int, verb: str, _path: str) -> None:
        if verb == "patch":
            times.append(times[0] + timedelta(seconds=seconds))

    api = deployment.clusters.api
    deployment.clusters.api = Interposed(api, after=slow)
    document = finding_about(pod)
    first = deployment.respond_to(document)
    deployment.clusters.api = api
    second = deployment.deliver(document)

    assert (first.status, first.reason) == (204 if reason == "done" else 503, reason)
    assert second.status == 204
    assert mutations(cluster.audit) == ["patch pods", "patch pods"]


def test_reading_counts_toward_the_timeout(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """The time that reading took is the request's too: the timeout does not begin with the first step."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    times = [datetime.now(UTC)]
    deployment.services.clock = lambda: times[-1]

    def slow(_number: int, verb: str, _path: str) -> None:
        times.append(times[0] + timedelta(seconds=45))

    deployment.clusters.api = Interposed(deployment.clusters.api, after=slow)
    assert deployment.respond_to(finding_about(pod)).reason == "out_of_time"
    assert mutations(cluster.audit) == []


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_an_invented_owner_satisfies_nothing(tmp_path: Path, cluster: SimulatedCluster, kind: str) -> None:
    """An owner that a pod only claims to have satisfies no condition, and does not keep it from being deleted."""
    manifest = objects.pod("liar", "shop", NODE)
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": "payments", "uid": "invented", "controller": True}
    manifest["metadata"]["ownerReferences"] = [owner]
    cluster.create(manifest)
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "liar")
    deployment = deployed(
        tmp_path,
        cluster,
        policy("label_pod", name="spared").replace("then:", f"unless:\n  workload: {kind}/payments\nthen:"),
        policy("delete_pod", name="strict"),
    )
    document = finding_about(pod)

    deployment.respond_to(document)

    answers = {item["name"]: item["reason"] for item in deployment.case(document).decision["policies"]}
    assert answers == {"spared": "unless_workload_missing", "strict": "matched"}
    assert "delete_pod: processes_ended" in deployment.outcomes(document)


def test_a_resumed_isolation_is_looked_for(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A NetworkPolicy that was meant before is read, not requested blindly once more."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    document = finding_about(pod)
    interrupted(deployment, document, "create", after=True)

    deployment.deliver(document)

    assert "isolate_pod: isolated" in deployment.outcomes(document)
    assert mutations(cluster.audit).count("create networkpolicies") == 1


def test_a_resumed_case_keeps_to_its_pod(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A case that has acted on one pod takes no other for it, even where the finding says too little to tell them."""
    cluster.create(objects.stateful_set("db", "shop", NODE))
    pod = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "db-0")
    soon = (datetime.now(UTC) + timedelta(seconds=30)).isoformat()
    document = finding_about(pod, event_time=soon, finding={"containers": [], "kubernetes": {}})
    document["finding"]["sourceProperties"] = {"Pod_Namespace": "shop", "Pod_Name": "db-0"}
    deployment = deployed(tmp_path, cluster, policy("label_pod", "isolate_pod", "cordon_node"))
    interrupted(deployment, document, "create", after=False)
    api_of(cluster, "admin").delete("/api/v1/namespaces/shop/pods/db-0", {"gracePeriodSeconds": 0})
    successor = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "db-0")
    assert successor["metadata"]["uid"] != pod["metadata"]["uid"]

    deployment.deliver(document)

    now = next(item for item in cluster.objects("Pod", "shop") if item["metadata"]["name"] == "db-0")
    assert [key for key in now["metadata"].get("labels", {}) if key.startswith("scc-responder/")] == []
    assert "patch nodes" not in mutations(cluster.audit)
    assert mutations(cluster.audit).count("create networkpolicies") == 0


def test_a_malformed_name_is_settled(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding whose name its source refuses to look up comes to an end, and its case is not left open."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))

    class Refusing:
        def read(self, _finding: object) -> None:
            raise RejectedMessage(Reason.MALFORMED_FINDING_NAME)

    deployment.services.findings = Refusing()
    document = finding_about(pod)

    ending = deployment.deliver(document)

    assert (ending.status, ending.reason) == (204, "malformed_finding_name")
    assert str(deployment.case(document).state) == "rejected"


def test_a_record_does_not_grow(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A finding that is renewed again and again keeps what was done to objects, not every message about it."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "capture_evidence", "notify"))
    start = parse_notification(finding_about(pod)).event_time
    deployment.set_clock(lambda: start + timedelta(minutes=10))
    sizes = []
    for number in range(5):
        later = (start + timedelta(seconds=number)).isoformat()
        changed = {"processes": [{"name": "nc", "args": [str(number)]}]}
        document = finding_about(pod, event_time=later, finding=changed)
        assert deployment.respond_to(document).status == 204
        sizes.append(len(deployment.case(document).steps))

    assert sizes == [3, 3, 3, 3, 3]
