"""What could not be read keeps waiting what needs it, and nothing else: then it is done, or held with its reason."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.unread_facts import LOOKS
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.answers import answered, plan_of
from tests.kits.responder import (
    ALL,
    CONTAINED,
    Deployment,
    Interposed,
    api_of,
    crashing,
    deployed,
    finding_about,
    mutations,
    policy,
)

Object = dict[str, Any]
Heal = Callable[[], None]


def failing(deployment: Deployment, read: str, status: int = 500) -> Heal:
    """Let each such read (`get pods`, or by how its path ends) fail until the function that this returns is called."""
    verb, resource = read.split()
    api, reason = deployment.clusters.api, Reason.KUBERNETES_FORBIDDEN if status == 403 else Reason.SERVER_ERROR

    def fail(_call: int, called: str, path: str) -> None:
        if called == verb and (path.endswith(resource) if resource.startswith("/") else f"/{resource}" in path):
            raise ApiError(reason, f"HTTP {status}", status=status)

    def heal() -> None:
        deployment.clusters.api = api

    deployment.clusters.api = Interposed(api, before=fail)
    return heal


def kept_sources(deployment: Deployment) -> list[set[str]]:
    """What each capture kept something of, the first capture first."""
    found = [manifest_content(path.read_bytes()) for path in deployment.folder.glob("evidence/**/manifest-*.json")]
    ordered = sorted(found, key=lambda manifest: str(manifest["captured_at"]))
    return [{item["source"] for item in manifest["objects"]} for manifest in ordered]


def kinds(deployment: Deployment) -> list[str]:
    """The kinds of the notices that were published, in order."""
    return ["outcome" if "policies" in message else "undecided" for message in deployment.published.messages]


@pytest.mark.parametrize("mode", ["enforce", "dry_run"])
@pytest.mark.parametrize("status", [403, 500])
def test_evidence_is_kept_without_the_pod(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, mode: str, status: int
) -> None:
    """Once, however often the message comes, and nothing else is done; with the pod, once it can be read."""
    deployment = deployed(tmp_path, cluster, policy(*ALL, mode=mode))
    heal = failing(deployment, "get pods", status)
    document = finding_about(pod)

    endings = [deployment.respond_to(document), deployment.deliver(document)]

    assert [ending.status for ending in endings] == [503, 503]
    assert deployment.outcomes(document) == ["capture_evidence: captured"]
    assert (len(kept_sources(deployment)), kinds(deployment)) == (1, ["undecided"])
    assert mutations(cluster.audit) == []

    heal()
    assert deployment.deliver(document).status == 204
    assert ["pod" in sources for sources in kept_sources(deployment)] == [False, True]
    if mode == "enforce":
        assert deployment.outcomes(document)[1:] == CONTAINED


UNREAD = [
    (status, condition, read, reason)
    for status in (403, 500)
    for what, read, reason in [
        ("live.budgets.size() == 0", "list poddisruptionbudgets", "condition_budgets_missing"),
        ("live.workload.ready > 1", "get deployments", "condition_workload_missing"),
    ]
    for condition in (what, f"!({what})")
]


@pytest.mark.parametrize("unread", UNREAD)
def test_what_a_condition_asks_for_is_never_guessed(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, unread: tuple[int, str, str, str]
) -> None:
    """A policy waits for a fact that may be read later; one that may not be read is no reason to act, nor to fail."""
    status, condition, read, reason = unread
    deployment = deployed(tmp_path, cluster, policy("label_pod") + f"condition: '{condition}'\n")
    heal = failing(deployment, read, status)
    document = finding_about(pod)

    ending = deployment.respond_to(document)

    assert ending.status == (503 if status == 500 else 204)
    assert mutations(cluster.audit) == []
    heal()
    if status == 403:
        assert [answer["reason"] for answer in deployment.case(document).decision["policies"]] == [reason]
    else:
        assert deployment.deliver(document).status == 204
        assert ("label_pod: patched" in deployment.outcomes(document)) is not condition.startswith("!")


BY_LABEL = "modes: [{mode: enforce, clusters: ['**'], namespace_labels: {stage: canary}}]\n"


@pytest.mark.parametrize("labels", [{"stage": "canary"}, {"stage": "live"}])
def test_a_label_that_may_raise_a_mode_is_waited_for(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, labels: dict[str, str]
) -> None:
    """Nothing is rehearsed that may be meant; once the namespace is read, it is done, or rehearsed."""
    api_of(cluster, "admin").patch("/api/v1/namespaces/shop", {"metadata": {"labels": labels}})
    deployment = deployed(tmp_path, cluster, policy("capture_evidence", "label_pod", mode="dry_run") + BY_LABEL)
    heal = failing(deployment, "get /namespaces/shop")
    document = finding_about(pod)
    assert deployment.respond_to(document).status == 503
    assert deployment.outcomes(document) == ["capture_evidence: captured"]
    heal()
    assert deployment.deliver(document).status == 204
    done = "patched" if labels["stage"] == "canary" else "would_patch"
    assert f"label_pod: {done}" in deployment.outcomes(document)


def test_a_namespace_that_may_not_be_read_raises_no_mode(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """The policy goes as far as it does without labels, and says why no further."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="dry_run") + BY_LABEL)
    failing(deployment, "get /namespaces/shop", 403)
    document = finding_about(pod)
    assert deployment.respond_to(document).status == 204
    assert deployment.outcomes(document) == ["label_pod: would_patch"]
    assert [each["mode_reason"] for each in deployment.case(document).decision["policies"]] == ["mode_not_raised"]


def test_no_evidence_is_kept_of_what_no_policy_asks_for(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A policy that is disabled, is about another threat, or may not apply asks for none."""
    others = [
        policy("capture_evidence", name="disabled", mode="disabled"),
        policy("capture_evidence", name="other", when="threat: added_binary_executed"),
        policy("capture_evidence", name="unknown", when="workload: Deployment/web"),
    ]
    deployment = deployed(tmp_path, cluster, *others)
    failing(deployment, "get pods")
    assert deployment.respond_to(finding_about(pod)).status == 503
    assert kept_sources(deployment) == []


class Nowhere:
    """`ports.Clusters` that know no such cluster."""

    def describe(self, _ref: object) -> Any:
        """There is none."""
        raise ApiError(Reason.CLUSTER_NOT_FOUND, "no such cluster")

    connect = describe


def test_evidence_is_kept_of_a_cluster_that_is_not_there(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the case is held for good; where it cannot be stored now, the message comes again."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    monkeypatch.setattr(deployment.services, "clusters", Nowhere())
    evidence, failed = deployment.services.evidence, list[str]()
    assert evidence is not None
    put = evidence.put

    def fail_once(name: str, content: bytes) -> None:
        if not failed:
            failed.append(name)
            raise ApiError(Reason.EVIDENCE_UNAVAILABLE, "HTTP 503", status=503)
        put(name, content)

    monkeypatch.setattr(evidence, "put", fail_once)
    document = finding_about(pod)

    endings = [deployment.respond_to(document), deployment.deliver(document)]

    assert [(ending.status, ending.reason) for ending in endings] == [
        (503, "evidence_unavailable"),
        (204, "cluster_not_found"),
    ]
    assert (deployment.case(document).state, len(kept_sources(deployment))) == ("held", 1)


AT_ONCE = ["label_pod: patched", "annotate_pod: patched", "isolate_pod: patched", "isolate_pod: isolated"]
AT_ONCE += ["capture_evidence: captured"]


@pytest.mark.parametrize("read", ["get nodes", "list nodes"])
def test_what_needs_no_node_is_done_at_once(tmp_path: Path, cluster: SimulatedCluster, pod: Object, read: str) -> None:
    """The node is cordoned once it can be read; the pod, which names it, is deleted then, and all is told once."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    heal = failing(deployment, read)
    document = finding_about(pod)

    assert deployment.respond_to(document).status == 503
    assert deployment.outcomes(document) == AT_ONCE
    heal()
    assert deployment.deliver(document).status == 204

    again = ["capture_evidence: captured"] if read == "get nodes" else []
    assert deployment.outcomes(document) == [*AT_ONCE, *again, *CONTAINED[len(AT_ONCE) :]]
    assert kinds(deployment) == ["undecided", "outcome"]
    assert {step["action"] for step in deployment.published.messages[-1]["steps"]} == {*ALL} - {"notify"}
    assert "node" in kept_sources(deployment)[-1]


@pytest.mark.parametrize(("read", "reason"), [("get nodes", "node_unreadable"), ("list nodes", "node_pool_unread")])
def test_a_node_that_stays_unread_is_held(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, read: str, reason: str
) -> None:
    """After some deliveries the rest is done, without it, and the case ends."""
    deployment = deployed(tmp_path, cluster, policy(*ALL))
    failing(deployment, read)
    document = finding_about(pod)

    endings = [deployment.respond_to(document), *(deployment.deliver(document) for _ in range(LOOKS))]

    assert [ending.status for ending in endings] == [*[503] * LOOKS, 204]
    held = [outcome if outcome != "cordon_node: patched" else f"cordon_node: {reason}" for outcome in CONTAINED]
    assert [*dict.fromkeys(deployment.outcomes(document))] == held
    assert deployment.case(document).state == "partial"


WEB = policy("notify", name="of-web", when="workload: Deployment/web")


def test_a_policy_that_may_apply_keeps_a_deletion_waiting(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """Some deliveries long; what can be undone is done at once, and the policy is decided when its fact is read."""
    deployment = deployed(tmp_path, cluster, policy("isolate_pod", "delete_pod {allow_last_replica: true}"), WEB)
    failing(deployment, "get replicasets")
    document = finding_about(pod)

    endings = [deployment.respond_to(document), *(deployment.deliver(document) for _ in range(LOOKS - 1))]
    isolated = ["isolate_pod: patched", "isolate_pod: isolated"]
    assert deployment.outcomes(document) == isolated

    endings.append(deployment.deliver(document))
    assert deployment.outcomes(document) == [*isolated, "delete_pod: armed", "delete_pod: processes_ended"]
    assert [ending.status for ending in endings] == [503] * (LOOKS + 1)


def test_nothing_is_called_unanswered_while_a_policy_may_apply(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object
) -> None:
    """Of a severe finding people are told that it is undecided, and not that no policy applies."""
    deployment = deployed(tmp_path, cluster, WEB)
    failing(deployment, "get replicasets")
    deployment.respond_to(finding_about(pod, finding={"severity": "CRITICAL"}))
    assert kinds(deployment) == ["undecided"]


def test_a_message_that_failed_waits_for_what_is_unread(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent once: with the pod, and all that is known then."""
    cluster.create(objects.disruption_budget("web", "shop", "web", minAvailable=2))
    deployment = deployed(tmp_path, cluster, policy("delete_pod"))
    document = finding_about(pod)

    def fail(_notice: object) -> str:
        raise ApiError(Reason.PUBSUB.of("unavailable"), "HTTP 503", status=503)

    with monkeypatch.context() as patched:
        patched.setattr(deployment.published, "tell", fail)
        assert deployment.respond_to(document).status == 503
    heal = failing(deployment, "get pods")
    deployment.deliver(document)
    assert "outcome" not in kinds(deployment)
    heal()
    deployment.deliver(document)
    (told,) = [message for message in deployment.published.messages if "policies" in message]
    assert told["pod"]["name"] == pod["metadata"]["name"]


ASKS = policy("label_pod", "capture_evidence", "cordon_node", name="asks", mode="approve")


def test_a_plan_is_asked_for_as_a_whole(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Not without the step that needs what is unread; evidence, and what another policy enforces, does not wait."""
    deployment = deployed(tmp_path, cluster, ASKS, policy("annotate_pod"))
    heal = failing(deployment, "list nodes")
    document = finding_about(pod)

    assert deployment.respond_to(document).status == 503
    assert sorted(deployment.outcomes(document)) == ["annotate_pod: patched", "capture_evidence: captured"]
    assert deployment.case(document).plan is None
    heal()
    assert deployment.deliver(document).reason == "waiting_for_approval"
    assert [step.action for step in plan_of(deployment, document).steps] == ["label_pod", "cordon_node"]


@pytest.mark.parametrize("read", ["get pods", "list nodes"])
def test_an_approved_plan_is_carried_out_as_a_whole(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, read: str
) -> None:
    """Nothing of it while a fact is unread, however often it is tried; it stays approved, and is carried out once."""
    deployment = deployed(tmp_path, cluster, ASKS)
    document = finding_about(pod)
    deployment.respond_to(document)
    heal = failing(deployment, read)

    assert answered(deployment, document).status == 503
    assert {deployment.deliver(document).status for _ in range(LOOKS)} == {503}
    assert (mutations(cluster.audit), plan_of(deployment, document).state) == ([], "approved")
    heal()
    assert deployment.deliver(document).status == 204
    assert mutations(cluster.audit) == ["patch pods", "patch nodes"]
    assert plan_of(deployment, document).state == "used"


def test_a_chain_waits_for_what_is_unread(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A step behind one that stops the rest where it fails is not done before that one."""
    chained = policy("cordon_node", "label_pod").replace("cordon_node\n", "cordon_node\n    on_failure: stop\n")
    deployment = deployed(tmp_path, cluster, chained)
    heal = failing(deployment, "list nodes")
    document = finding_about(pod)

    deployment.respond_to(document)
    assert deployment.outcomes(document) == []
    heal()
    deployment.deliver(document)
    assert deployment.outcomes(document) == ["cordon_node: patched", "label_pod: patched"]


@pytest.mark.parametrize(("read", "sent"), [("get pods", True), ("get pods", False), ("list nodes", False)])
def test_an_intent_is_left_for_when_all_is_read(
    tmp_path: Path, cluster: SimulatedCluster, pod: Object, read: str, *, sent: bool
) -> None:
    """Of a step that a crash left open nobody can say then that it is not allowed: it is finished later, once."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node"))
    deployment.clusters.api = crashing(api_of(cluster), "patch", sent=sent)
    document = finding_about(pod)
    deployment.respond_to(document)
    deployment.clusters.api = api_of(cluster)
    heal = failing(deployment, read)

    assert deployment.deliver(document).status == 503
    assert [str(step.status) for step in deployment.case(document).steps] == ["intent"]
    heal()
    assert deployment.deliver(document).status == 204
    assert mutations(cluster.audit) == ["patch nodes"]
    assert deployment.case(document).state == "done"
