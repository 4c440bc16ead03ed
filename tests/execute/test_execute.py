"""In which order steps are carried out, what a step needs, what stops it, and what is never done again."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError, OutcomeUnknown
from scc_responder.domain.ports import Evidence
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence.capture import store_sealed
from scc_responder.workbench.policy_files.policy_file import load_policies
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
HEAD = policy("notify").partition("then:")[0]
NEEDING = HEAD + "then:\n  - action: capture_evidence\n  - action: delete_pod\n    needs: [capture_evidence]\n"
PLAIN = HEAD + "then:\n  - action: capture_evidence\n  - action: label_pod\n"
STOPPING = PLAIN.replace("evidence\n", "evidence\n    on_failure: stop\n")


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
        "a delete_pod: processes_ended",
        "a notify: published",
    ]
    assert mutations(cluster.audit) == ["patch pods", "patch pods", "delete pods"]


def refusing(deployment: Deployment, verb: str, resource: str) -> None:
    """Let a permission be missing."""

    def refuse(_number: int, called: str, path: str) -> None:
        if called == verb and f"/{resource}" in path:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission=f"{resource}: {verb}")

    deployment.clusters.api = Interposed(deployment.clusters.api, before=refuse)


def test_a_failure_stops_nothing_else(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step that fails keeps no other step from being done."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    refusing(deployment, "patch", "nodes")
    document = finding_about(pod)

    deployment.respond_to(document)

    expected = [*CONTAINED]
    expected[5] = "cordon_node: kubernetes_forbidden"
    assert deployment.outcomes(document) == expected
    assert deployment.case(document).state == "partial"


CHAIN = [
    "a cordon_node: kubernetes_forbidden",
    "a capture_evidence: captured",
    "b label_pod: patched",
    "a delete_pod: earlier_step_stopped",
    "a delete_pod: earlier_step_stopped",
    "a notify: published",
]


def test_a_chain_stops_its_policy_only(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """With `on_failure: stop` a step that fails stops the later changes of its policy, and nothing that observes."""
    first = policy("cordon_node", "capture_evidence", "delete_pod", "notify", name="a")
    first = first.replace("cordon_node\n", "cordon_node\n    on_failure: stop\n")
    deployment = deployed(tmp_path, cluster, first, policy("label_pod", name="b"))
    refusing(deployment, "patch", "nodes")
    document = finding_about(pod)

    deployment.respond_to(document)

    assert outcomes(deployment, document) == CHAIN
    assert mutations(cluster.audit) == ["patch pods"]


def test_a_replaced_pod_is_left_alone(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Once another pod has the name no request is about the pod any more; node, evidence and message are done."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    admin = api_of(cluster, "admin")
    path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"

    def replace(_number: int, verb: str, called: str) -> None:
        if verb == "patch" and called == path and not replaced:
            admin.delete(path, {"gracePeriodSeconds": 0})
            fresh = {key: pod["metadata"][key] for key in ("name", "namespace", "labels")}
            cluster.create({**pod, "metadata": fresh})
            replaced.append(path)

    replaced: list[str] = []
    deployment.clusters.api = Interposed(deployment.clusters.api, before=replace)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == [
        "label_pod: target_replaced",
        "annotate_pod: earlier_step_stopped",
        "isolate_pod: earlier_step_stopped",
        "isolate_pod: earlier_step_stopped",
        "capture_evidence: captured",
        "cordon_node: patched",
        "delete_pod: earlier_step_stopped",
        "delete_pod: earlier_step_stopped",
        "notify: published",
    ]
    assert [call for call in deployment.clusters.api.calls if call.startswith(("create", "delete"))] == []


def test_what_two_policies_ask_for_is_done_once(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
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
def test_a_dry_run_beside_an_enforcing_policy(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, first: str, second: str
) -> None:
    """A policy in dry run neither keeps another from acting nor acts itself."""
    policies = policy("label_pod", name="a", mode=first), policy("label_pod", name="b", mode=second)
    deployment = deployed(tmp_path, cluster, *policies)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document) == ["label_pod: patched"]
    assert [event.dry_run for event in cluster.audit if event.verb == "patch"][-1] is False


def test_what_a_person_undid_is_not_done_again(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
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


SENT = [
    pytest.param(False, {"held_before_resumed"}, id="not-sent"),
    pytest.param(True, {"gone_after_intent", "processes_ended"}, id="sent"),
]


@pytest.mark.parametrize(("sent", "reason"), SENT)
def test_a_step_held_meanwhile_is_only_probed(
    tmp_path: Path, cluster: SimulatedCluster, *, sent: bool, reason: set[str]
) -> None:
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

    assert deployment.outcomes(document)[0] == "delete_pod: armed"
    assert deployment.outcomes(document)[1] in {f"delete_pod: {each}" for each in reason}
    assert mutations(cluster.audit).count("delete pods") == int(sent)


def test_an_interrupted_delivery_keeps_what_was_done(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
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


def test_a_pod_armed_by_another_is_not_deleted(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A pod that another action armed meanwhile is not deleted by this one."""
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    admin = api_of(cluster, "admin")

    def rearm(_number: int, verb: str, path: str) -> None:
        if verb == "delete":
            admin.patch(path, {"metadata": {"labels": {"scc-responder/armed-by": "another"}}})

    deployment.clusters.api = Interposed(deployment.clusters.api, before=rearm)
    document = finding_about(pod)

    deployment.respond_to(document)

    assert deployment.outcomes(document)[:2] == ["delete_pod: armed", "delete_pod: not_armed"]
    assert mutations(cluster.audit).count("delete pods") == 1
    assert [event.code for event in cluster.audit if event.verb == "delete"] == [409]


def test_a_reverted_change_is_never_done(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """What is taken away right after each request was not verified, and is never called done."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", "notify"))
    admin = api_of(cluster, "admin")

    def strip(_number: int, verb: str, path: str) -> None:
        if verb == "patch":
            admin.patch(path, {"metadata": {"labels": {"scc-responder/case": None}}})

    deployment.clusters.api = Interposed(deployment.clusters.api, after=strip)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert deployment.outcomes(document)[:2] == ["label_pod: not_verified", "notify: published"]
    assert ending.severity == "ERROR"


def test_a_node_cordoned_by_another_is_left_as_it_is(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
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


class RefusingEvidence:
    """`ports.Evidence` that may not be written to."""

    def put(self, name: str, content: bytes) -> bool:
        raise ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403, permission="storage.objects.create")


def test_a_step_whose_need_is_met_runs(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step whose need is met is carried out."""
    deployment = deployed(tmp_path, cluster, NEEDING)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[-1] == "delete_pod: processes_ended"


@pytest.mark.parametrize("text", [NEEDING, policy("capture_evidence", "delete_pod")])
def test_a_step_whose_need_failed_is_held(tmp_path: Path, cluster: SimulatedCluster, pod: Object, text: str) -> None:
    """Without the evidence a deletion is held, whether the policy names the need or only captures before."""
    deployment = deployed(tmp_path, cluster, text)
    deployment.services.evidence = RefusingEvidence()
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[1] == "delete_pod: needs_capture_evidence"
    assert mutations(cluster.audit) == []


class UnavailableEvidence:
    """`ports.Evidence` that may answer later."""

    def put(self, name: str, content: bytes) -> bool:
        raise ApiError(Reason.EVIDENCE_UNAVAILABLE, "later", status=503)


IN_TURN = PLAIN + "    needs: [capture_evidence]\n  - action: annotate_pod\n    needs: [label_pod]\n"


def test_what_waits_for_a_need_is_not_held(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """While a step has to come again, what needs it is neither recorded nor told as held, at whatever distance."""
    deployment = deployed(tmp_path, cluster, IN_TURN)
    kept, deployment.services.evidence = deployment.services.evidence, UnavailableEvidence()
    document = finding_about(pod)
    first = deployment.respond_to(document)
    assert (first.status, deployment.outcomes(document)) == (503, ["capture_evidence: "])
    assert [message["reason"] for message in deployment.published.messages] == ["evidence_unavailable"]
    deployment.services.evidence = kept
    assert deployment.deliver(document).reason == "done"


def test_what_is_so_already_meets_a_need(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step with nothing left to do keeps nothing from being done."""
    api_of(cluster, "admin").patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": True}})
    cordoned = "then:\n  - action: cordon_node\n  - action: label_pod\n    needs: [cordon_node]\n"
    deployment = deployed(tmp_path, cluster, HEAD + cordoned)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document) == ["cordon_node: already_cordoned", "label_pod: patched"]


@pytest.mark.parametrize("mode", ["dry_run", "approve", "enforce"])
def test_evidence_is_meant_before_it_is_stored(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, mode: str
) -> None:
    """In every mode alike: after a crash at the store, the case says what may be there."""
    deployment = deployed(tmp_path, cluster, policy("capture_evidence", "label_pod", mode=mode))
    document = finding_about(pod)
    kept, seen = deployment.services.evidence, []

    class Watched:
        def put(self, name: str, content: bytes) -> bool:
            seen.extend(deployment.case(document).steps)
            assert kept is not None
            return kept.put(name, content)

    deployment.services.evidence = Watched()
    deployment.respond_to(document)
    assert {(step.action, step.status) for step in seen} == {("capture_evidence", "intent")}


class StalledEvidence:
    """`ports.Evidence` that does not answer before it may."""

    def __init__(self, kept: Evidence) -> None:
        self.kept = kept
        self.may = threading.Event()

    def put(self, name: str, content: bytes) -> bool:
        assert self.may.wait(timeout=90)
        return self.kept.put(name, content)


def test_a_bucket_that_stalls_keeps_no_change_from_being_done(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many deliveries wait for it: only a deletion does, and a later delivery keeps the evidence."""
    monkeypatch.setattr(store_sealed, "__defaults__", (0.1,))
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    stalled = StalledEvidence(deployment.services.evidence)  # type: ignore[arg-type]
    deployment.services.evidence = stalled
    document = finding_about(pod)

    endings = [deployment.respond_to(document) for _ in range(4)]
    done = set(deployment.outcomes(document))
    early = mutations(cluster.audit)
    stalled.may.set()
    last = deployment.deliver(document)

    assert {(ending.status, ending.reason) for ending in endings} == {(503, "evidence_unavailable")}
    assert ({"isolate_pod: isolated", "cordon_node: patched"} <= done, "delete pods" in early) == (True, False)
    assert (last.status, mutations(cluster.audit).count("delete pods")) == (204, 1)
    assert "capture_evidence: captured" in deployment.outcomes(document)


def test_a_need_is_met_in_dry_run(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """In dry run it is enough that the step before would have been carried out."""
    deployment = deployed(tmp_path, cluster, NEEDING.replace("mode: enforce", "mode: dry_run"))
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[-1] == "delete_pod: would_delete"


@pytest.mark.parametrize(("text", "outcome"), [(PLAIN, "patched"), (STOPPING, "earlier_step_stopped")])
def test_a_failed_step_stops_a_chain_alone(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, text: str, outcome: str
) -> None:
    """A failed step stops the later changes of its policy only if it says `on_failure: stop`."""
    deployment = deployed(tmp_path, cluster, text)
    deployment.services.evidence = RefusingEvidence()
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[1] == f"label_pod: {outcome}"
    assert deployment.case(document).state == "partial"


def test_a_failed_arming_never_deletes(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """After a failure the next action is done, never the rest of the one that failed."""
    deployment = deployed(tmp_path, cluster, policy("delete_pod", "notify"))

    class NoPatch:
        def __getattr__(self, name: str) -> Any:
            return getattr(deployment.clusters.api, name)

        def patch(self, path: str, body: Any, **options: Any) -> Object:
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, "no", status=403, permission="pods: patch")

    deployment.services.clusters.connect = lambda ref: NoPatch()  # type: ignore[method-assign]
    document = finding_about(pod)
    deployment.respond_to(document)
    assert [step.action for step in deployment.case(document).steps] == ["delete_pod", "notify"]
    assert mutations(cluster.audit) == []


UNREAD = OutcomeUnknown(Reason.OVERSIZE_ANSWER, "more than is read")
OVERSIZE = ApiError(Reason.OVERSIZE_ANSWER, "more than is read")
WEBHOOK = ApiError(Reason.SERVER_ERROR, 'failed calling webhook "pods.example.com"', status=500)
LASTING = {
    "answer-too-large": ("patch", "pods", UNREAD, ["label_pod", "isolate_pod"]),
    "list-too-large": ("list", "networkpolicies", OVERSIZE, ["isolate_pod"]),
    "events-too-large": ("list", "events", OVERSIZE, ["capture_evidence"]),
    "webhook-down": ("patch", "pods", WEBHOOK, []),
}


@pytest.mark.parametrize("case", LASTING.values(), ids=LASTING)
def test_three_equal_answers_end_a_step(
    tmp_path: Path,
    cluster: SimulatedCluster,
    pod: Object,
    case: tuple[str, str, ApiError, list[str]],
) -> None:
    """The third answer of the API server about the object itself fails the step, and is told; others come again."""
    verb, resource, error, failing = case
    deployment = deployed(tmp_path, cluster, policy("label_pod", "isolate_pod", "capture_evidence"))

    def refuse(_number: int, called: str, path: str) -> None:
        if called == verb and f"/{resource}" in path:
            raise error

    deployment.clusters.api = Interposed(deployment.clusters.api, before=refuse)
    document = finding_about(pod)

    endings = [deployment.respond_to(document).status, *(deployment.deliver(document).status for _ in range(2))]

    assert endings == [503, 503, 204 if failing else 503]
    failed = [step for step in deployment.case(document).steps if step.status == "failed"]
    assert sorted({step.action for step in failed}) == sorted(failing)
    assert {(step.reason, step.detail[:8]) for step in failed} <= {(str(error.reason), "3 equal ")}
    assert ('"status": "failed"' in json.dumps(deployment.published.messages)) == bool(failing)


def test_answers_that_differ_end_no_step(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Only equal answers in a row say that waiting does not help."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod"))
    errors = [OVERSIZE, OVERSIZE, ApiError(Reason.PARTIAL_LIST, "cut"), OVERSIZE]
    document = finding_about(pod)
    endings = []
    for error in errors:

        def refuse(_number: int, called: str, path: str, error: ApiError = error) -> None:
            if called == "list" and "/networkpolicies" in path:
                raise error

        deployment.clusters.api = Interposed(api_of(cluster), before=refuse)
        endings.append(deployment.respond_to(document).status)
    assert endings == [503] * len(errors)
