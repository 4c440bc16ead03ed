"""Mode `approve`: the exact plan waits, a person answers it, and it is carried out once, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from scc_responder.collect.target import collect
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.execute.execute import execute
from scc_responder.intake.notification import parse_notification
from scc_responder.pipeline.containment import _world
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.policy.decide import decide
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.answers import answered, plan_of
from tests.kits.responder import (
    RAILS,
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

Object = dict[str, Any]
STEPS = ("label_pod", "capture_evidence", "delete_pod", "notify")
WAITS = policy(*STEPS, mode="approve")
DELETED = ["patch pods", "patch pods", "delete pods"]


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A deployment whose one policy asks first."""
    return deployed(tmp_path, cluster, WAITS)


@pytest.fixture
def waiting(deployment: Deployment, pod: Object) -> Object:
    """A finding about the pod, whose plan waits."""
    document = finding_about(pod)
    assert deployment.respond_to(document).status == 204
    return document


def decide_again(deployment: Deployment, *policies: str, guardrails: str = RAILS) -> None:
    """Deploy other policies."""
    folder = write_policies(deployment.folder / "policies", *policies, guardrails=guardrails)
    deployment.services.policies = load_policies(folder)


@contextmanager
def crashing_at(deployment: Deployment, verb: str, *, sent: bool = True) -> Iterator[None]:
    """Let the process crash around each such request to the cluster, meanwhile."""
    api = deployment.clusters.api

    deployment.clusters.api = crashing(api, verb, sent=sent)
    yield
    deployment.clusters.api = api


def later(deployment: Deployment, document: Object, **passed: float) -> None:
    """Let time pass since the finding."""
    moment = parse_notification(document).event_time + timedelta(**passed)
    deployment.set_clock(lambda: moment)


def test_only_observation_precedes_the_approval(
    deployment: Deployment, waiting: Object, cluster: SimulatedCluster
) -> None:
    """What only observes is done at once; the rest waits, and nothing is written to the cluster, not even as a try."""
    record = deployment.case(waiting)
    assert record.state == "waiting"
    assert deployment.outcomes(waiting)[:4] == [
        "label_pod: waiting_for_approval",
        "capture_evidence: captured",
        "delete_pod: waiting_for_approval",
        "notify: published",
    ]
    assert deployment.line["logging.googleapis.com/labels"]["reason"] == "waiting_for_approval"
    assert mutations(cluster.audit) == []


def test_the_plan_is_published(deployment: Deployment, waiting: Object, pod: Object) -> None:
    """The exact plan, its digest, its expiry and the command that answers it are published, and stand in the log."""
    (message,) = deployment.published.messages
    plan, shown = plan_of(deployment, waiting), message["approval"]
    assert message["attributes"]["reason"] == "waiting_for_approval"
    assert [step["action"] for step in shown["steps"]] == ["label_pod", "delete_pod"]
    assert {change["uid"] for step in shown["steps"] for change in step["changes"]} == {pod["metadata"]["uid"]}
    assert shown["digest"] == plan.digest
    assert datetime.fromisoformat(shown["expires_at"]) == plan.expires_at
    case = deployment.case(waiting).finding_key[:12]
    assert shown["to_approve"] == f"scc-responder case approve {case} --plan {plan.digest}"
    assert deployment.line["approval"]["to_approve"] == shown["to_approve"]


def test_published_without_notify(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """That a plan waits is published even where no policy asks for `notify`, once for all deliveries."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="approve"))
    document = finding_about(pod)
    deployment.respond_to(document)
    before = deployment.case(document)

    endings = [deployment.deliver(document) for _ in range(3)]

    assert [(ending.status, ending.reason) for ending in endings] == [(204, "duplicate")] * 3
    assert [message["attributes"]["reason"] for message in deployment.published.messages] == ["waiting_for_approval"]
    assert deployment.case(document).plan == before.plan
    assert deployment.case(document).steps == before.steps


def test_an_approval_carries_the_plan_out(
    deployment: Deployment, waiting: Object, cluster: SimulatedCluster, pod: Object
) -> None:
    """An approval carries the plan out at once: each write once, by the audit log, and the outcome is published."""
    ending = answered(deployment, waiting)

    record, plan = deployment.case(waiting), plan_of(deployment, waiting)
    assert (ending.status, ending.reason) == (204, "done")
    assert (record.state, plan.state, [given.by for given in plan.approvals]) == ("done", "used", ["local"])
    assert mutations(cluster.audit) == DELETED
    assert all(not event.dry_run for event in cluster.audit)
    assert pod["metadata"]["uid"] not in {item["metadata"]["uid"] for item in cluster.objects("Pod", "shop")}
    last = deployment.published.messages[-1]
    assert last["approval"]["approvals"][0]["by"] == "local"
    assert "delete_pod: processes_ended" in [f"{step['action']}: {step['reason']}" for step in last["steps"]]
    assert deployment.line["approver"] == "local"
    captures = [step for step in record.steps if step.action == "capture_evidence"]
    assert [step.reason for step in captures] == ["captured"]


def test_an_approval_counts_only_once(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """An approval is honoured once; neither another nor a copy of the finding starts the plan again."""
    answered(deployment, waiting)
    written = mutations(cluster.audit)

    again = answered(deployment, waiting)
    copy = deployment.deliver(waiting)

    assert (again.status, again.reason, copy.reason) == (409, "approval_used", "duplicate")
    assert mutations(cluster.audit) == written == DELETED


REFUSED = [
    pytest.param({"plan": "0" * 64}, 409, "plan_digest_differs", id="another-digest"),
    pytest.param({"plan": ""}, 409, "plan_digest_differs", id="no-digest"),
    pytest.param({"plan": "abc"}, 400, "malformed_answer", id="too-short-a-prefix"),
    pytest.param({"plan": "X" * 64}, 400, "malformed_answer", id="no-digest-at-all"),
    pytest.param({"case": "f" * 12}, 409, "no_such_case", id="no-such-case"),
    pytest.param({"case": "../../etc"}, 400, "malformed_answer", id="no-case-id"),
    pytest.param({"by": "soc@example.com"}, 400, "malformed_answer", id="a-name-of-ones-own"),
    pytest.param({"reason": "x" * 9000}, 400, "malformed_answer", id="too-large"),
]


@pytest.mark.parametrize(("body", "status", "reason"), REFUSED)
def test_a_wrong_answer_changes_nothing(
    deployment: Deployment, waiting: Object, body: dict[str, str], status: int, reason: str
) -> None:
    """What does not name this case and this plan changes nothing."""
    before = deployment.case(waiting)
    ending = answered(deployment, waiting, **body)
    assert (ending.status, ending.reason) == (status, reason)
    assert deployment.case(waiting) == before


def test_eight_digits_mean_the_plan(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """The first eight digits of the digest are enough to mean the plan that waits."""
    assert answered(deployment, waiting, plan=plan_of(deployment, waiting).digest[:8]).status == 204
    assert mutations(cluster.audit) == DELETED


def test_an_expired_approval_starts_nothing(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """An approval that comes after the plan's expiry starts nothing; the case says so, and people are told once."""
    later(deployment, waiting, hours=3)

    ending = answered(deployment, waiting)

    record = deployment.case(waiting)
    assert (ending.status, ending.reason) == (409, "approval_expired")
    assert (record.state, record.reason) == ("held", "approval_expired")
    assert deployment.outcomes(waiting)[0] == "label_pod: approval_expired"
    assert mutations(cluster.audit) == []
    assert answered(deployment, waiting).reason == "approval_expired"
    told = [message["attributes"]["reason"] for message in deployment.published.messages]
    assert told == ["waiting_for_approval", "approval_expired"]


def test_the_age_counts_up_to_the_plan(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """A person may take longer than the finding's age limit of 30 minutes; the plan's own expiry counts."""
    later(deployment, waiting, minutes=55)
    assert answered(deployment, waiting).status == 204
    assert mutations(cluster.audit) == DELETED


def test_a_rejection_ends_the_case(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """A rejection ends the case: who and why stand in it and are published, and no approval follows."""
    digest = plan_of(deployment, waiting).digest
    ending = answered(deployment, waiting, "reject", reason="planned \x1b[2Jmaintenance")

    record = deployment.case(waiting)
    step = record.steps[0]
    assert (ending.status, ending.reason) == (204, "approval_rejected")
    assert (record.state, record.reason) == ("held", "approval_rejected")
    assert (step.status, step.reason) == ("held", "approval_rejected")
    assert step.detail == "local: planned \\u001b[2Jmaintenance"
    assert deployment.published.messages[-1]["attributes"]["reason"] == "approval_rejected"
    assert answered(deployment, waiting, plan=digest).reason == "approval_rejected"
    assert answered(deployment, waiting, "reject").reason == "approval_rejected"
    assert mutations(cluster.audit) == []


def test_too_late_to_reject(deployment: Deployment, waiting: Object) -> None:
    """What was carried out cannot be rejected."""
    answered(deployment, waiting)
    assert answered(deployment, waiting, "reject").reason == "approval_used"
    assert deployment.case(waiting).state == "done"


def test_a_case_without_plan_takes_no_answer(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A case without a plan cannot be answered."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    document = finding_about(pod)
    deployment.respond_to(document)
    assert answered(deployment, document).reason == "not_waiting"
    assert answered(deployment, document, "reject").reason == "not_waiting"


def replace_pod(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    path = f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}"
    api_of(cluster, "admin").delete(path, {"gracePeriodSeconds": 0})


def edit_policy(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    decide_again(deployment, policy("annotate_pod", *STEPS, mode="approve"))


def edit_words(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    decide_again(deployment, WAITS.replace("For a test.", "For another test."))


def lower_policy(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    decide_again(deployment, policy(*STEPS, mode="dry_run"))


def lower_ceiling(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    decide_again(deployment, WAITS, guardrails=RAILS + "max_mode: dry_run\n")


def remove_policy(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    (deployment.folder / "policies" / "contain.yaml").unlink()
    decide_again(deployment, policy("notify", name="other"))


def protect(deployment: Deployment, cluster: SimulatedCluster, pod: Object) -> None:
    decide_again(deployment, WAITS, guardrails="protected: {namespaces: [shop]}\n")


VOID = {
    "replaced-pod": (replace_pod, "approval_void_target_changed"),
    "another-step": (edit_policy, "approval_void_plan_changed"),
    "edited-policy": (edit_words, "approval_void_plan_changed"),
    "lowered-policy": (lower_policy, "approval_void_mode_lowered"),
    "lowered-ceiling": (lower_ceiling, "approval_void_mode_lowered"),
    "removed-policy": (remove_policy, "approval_void_plan_changed"),
    "protected-meanwhile": (protect, "approval_void_plan_changed"),
}


@pytest.mark.parametrize("what", VOID)
def test_a_changed_situation_voids_the_approval(
    deployment: Deployment, waiting: Object, cluster: SimulatedCluster, pod: Object, what: str
) -> None:
    """Whatever changed since the plan was made, the approval of it starts nothing."""
    digest = plan_of(deployment, waiting).digest
    change, reason = VOID[what]
    change(deployment, cluster, pod)

    ending = answered(deployment, waiting, plan=digest)

    assert (ending.status, ending.reason) == (409, reason)
    written = {"patch", "create", "delete"}
    events = [event for event in cluster.audit if event.user == "responder" and event.verb in written]
    assert [event.verb for event in events if not event.dry_run] == []
    assert answered(deployment, waiting, plan=digest).status == 409


def test_a_changed_plan_waits_anew(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """The new plan is published anew, says why the old one is void, and can be approved."""
    first = plan_of(deployment, waiting)
    decide_again(deployment, policy("label_pod", mode="approve"))
    answered(deployment, waiting)

    second = plan_of(deployment, waiting)
    assert (second.state, second.after, second.approvals) == ("waiting", "approval_void_plan_changed", ())
    assert second.digest != first.digest
    assert deployment.case(waiting).state == "waiting"
    assert deployment.published.messages[-1]["approval"]["digest"] == second.digest

    assert answered(deployment, waiting).status == 204
    assert mutations(cluster.audit) == ["patch pods"]


def test_muted_in_between(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """A finding that was muted since is not acted upon, whoever approves."""
    waiting["finding"]["mute"] = "MUTED"
    deployment.list_finding(waiting)

    ending = answered(deployment, waiting)

    record, plan = deployment.case(waiting), plan_of(deployment, waiting)
    assert (ending.status, ending.reason) == (409, "approval_void_finding_changed")
    assert (record.state, record.reason, plan.state) == ("superseded", "muted", "void")
    assert deployment.outcomes(waiting)[0] == "label_pod: approval_void_finding_changed"
    assert mutations(cluster.audit) == []


def test_muted_and_notified(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """A notification that the finding is muted ends the waiting by itself."""
    waiting["finding"]["mute"] = "MUTED"
    ending = deployment.respond_to(waiting)
    assert (ending.reason, deployment.case(waiting).state) == ("muted", "superseded")
    assert answered(deployment, waiting).status == 409


def test_said_to_be_muted(deployment: Deployment, waiting: Object) -> None:
    """A notification that is not true leaves the plan as it was, with its expiry, and nobody is told again."""
    before, told = plan_of(deployment, waiting), len(deployment.published.messages)
    forged = {**waiting, "finding": {**waiting["finding"], "mute": "MUTED"}}

    deployment.deliver(forged)

    assert (deployment.case(waiting).state, plan_of(deployment, waiting)) == ("waiting", before)
    assert len(deployment.published.messages) == told


def test_a_newer_event_asks_for_the_same_plan(deployment: Deployment, waiting: Object, pod: Object) -> None:
    """A newer event of the finding is decided anew; what would be done is the same, and so is the plan."""
    first = plan_of(deployment, waiting)
    soon = (parse_notification(waiting).event_time + timedelta(seconds=5)).isoformat()
    newer = finding_about(pod, event_time=soon, finding={"processes": [{"name": "nc", "args": ["again"]}]})

    deployment.respond_to(newer)

    record = deployment.case(waiting)
    assert (record.state, [closing.state for closing in record.history]) == ("waiting", ["waiting"])
    assert plan_of(deployment, waiting) == first
    assert [item["attributes"]["reason"] for item in deployment.published.messages] == ["waiting_for_approval"] * 2


def test_two_approvals_start_one_execution(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """Of two approvals at one moment one carries the plan out; the other is told that it was used."""
    both = Barrier(2)

    def approve(_number: int) -> tuple[int, str]:
        both.wait()
        ending = answered(deployment, waiting)
        return ending.status, ending.reason

    with ThreadPoolExecutor(2) as pool:
        endings = sorted(pool.map(approve, range(2)))

    assert endings == [(204, "done"), (409, "approval_used")]
    assert mutations(cluster.audit) == DELETED


def test_an_outage_after_the_approval(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """Where the cluster does not answer, the approval stays good: asked again, the plan is carried out, once."""
    api = deployment.clusters.api

    def fail(_number: int, verb: str, _path: str) -> None:
        if verb == "delete":
            raise ApiError(Reason.SERVER_ERROR, status=500)

    deployment.clusters.api = Interposed(api, before=fail)
    first = answered(deployment, waiting)
    deployment.clusters.api = api
    second = answered(deployment, waiting)

    assert (first.status, second.status) == (503, 204)
    assert mutations(cluster.audit) == DELETED
    assert answered(deployment, waiting).reason == "approval_used"


def test_a_redelivery_goes_on(deployment: Deployment, waiting: Object, cluster: SimulatedCluster) -> None:
    """So does a delivery of the finding."""
    with crashing_at(deployment, "patch"):
        answered(deployment, waiting)

    assert deployment.deliver(waiting).reason == "done"
    assert mutations(cluster.audit) == DELETED


def test_an_approval_does_not_outlive_its_expiry(
    deployment: Deployment, waiting: Object, cluster: SimulatedCluster
) -> None:
    """A plan that was interrupted is not gone on with after its expiry; what was sent is still found out."""
    with crashing_at(deployment, "patch"):
        answered(deployment, waiting)
    later(deployment, waiting, hours=5)

    deployment.deliver(waiting)

    assert mutations(cluster.audit) == ["patch pods"]
    assert deployment.outcomes(waiting)[0] == "label_pod: done_before"
    assert "delete_pod: approval_expired" in deployment.outcomes(waiting)


@pytest.mark.parametrize("mode", ["approve", "enforce"])
def test_what_is_done_anyway(tmp_path: Path, cluster: SimulatedCluster, pod: Object, mode: str) -> None:
    """Nobody is asked for what another policy does without asking."""
    deployment = deployed(
        tmp_path,
        cluster,
        policy("cordon_node", "label_pod", mode="approve"),
        policy("cordon_node", name="other", mode=mode),
    )
    document = finding_about(pod)
    deployment.respond_to(document)
    planned = [step.action for step in plan_of(deployment, document).steps]
    assert planned == (["label_pod"] if mode == "enforce" else ["cordon_node", "label_pod", "cordon_node"])
    assert answered(deployment, document).status == 204
    assert mutations(cluster.audit) == ["patch nodes", "patch pods"]


def test_a_ceiling_asks(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A ceiling of `approve` makes policies that enforce ask first."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"), guardrails=RAILS + "max_mode: approve\n")
    document = finding_about(pod)
    deployment.respond_to(document)
    assert mutations(cluster.audit) == []
    assert answered(deployment, document).status == 204
    assert mutations(cluster.audit) == ["patch pods"]


def test_no_evidence_no_question(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """Nobody is asked for a deletion that the failed capture before it rules out."""
    deployment = deployed(tmp_path, cluster, policy("capture_evidence", "delete_pod", mode="approve"))
    deployment.services.evidence = None
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.case(document).state == "partial"
    assert "delete_pod: needs_capture_evidence" in deployment.outcomes(document)
    assert answered(deployment, document).status == 409


def test_a_plan_too_large(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A plan that its record could not hold is not asked about."""
    notes = ", ".join(f"scc-responder/note-{number}: {'x' * 4000}" for number in range(20))
    deployment = deployed(tmp_path, cluster, policy(f"annotate_pod {{annotations: {{{notes}}}}}", mode="approve"))
    document = finding_about(pod)
    deployment.respond_to(document)
    assert deployment.outcomes(document)[0] == "annotate_pod: plan_too_large"
    assert deployment.case(document).state == "held"


FOREIGN = [
    pytest.param({"headers": {"host": "127.0.0.1:8080", "content-type": "text/plain"}}, id="a-form"),
    pytest.param({"headers": {"host": "evil.example.com", "content-type": "application/json"}}, id="rebound-name"),
    pytest.param(
        {"headers": {"host": "localhost:8080", "content-type": "application/json", "origin": "https://x.example"}},
        id="a-web-page",
    ),
    pytest.param(
        {"headers": {"host": "localhost:80", "content-type": "application/json", "x-forwarded-for": "192.0.2.1"}},
        id="a-proxy",
    ),
    pytest.param({"peer": "192.0.2.7"}, id="another-machine"),
    pytest.param({"peer": ""}, id="nobody-knows-where"),
]


@pytest.mark.parametrize("where", FOREIGN)
def test_not_from_this_machine(
    deployment: Deployment, waiting: Object, cluster: SimulatedCluster, where: dict[str, Any]
) -> None:
    """Without tokens only a program on this machine may approve: no other machine, and no page in a browser here."""
    ending = answered(deployment, waiting, **where)
    assert (ending.status, ending.reason) == (403, "not_from_this_machine")
    assert mutations(cluster.audit) == []


def test_several_are_needed_locally(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """This machine counts as one person, however often it approves."""
    deployment = deployed(tmp_path, cluster, WAITS, guardrails=RAILS + "approval: {needed: 2}\n")
    document = finding_about(pod)
    deployment.respond_to(document)
    endings = [answered(deployment, document) for _ in range(3)]
    assert [(item.status, item.reason) for item in endings] == [
        (204, "approval_noted"),
        (204, "already_approved"),
        (204, "already_approved"),
    ]
    assert mutations(cluster.audit) == []


def test_meant_before_it_had_to_be_approved(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """What was only meant while its policy enforced is not sent once the policy asks first."""
    deployment = deployed(tmp_path, cluster, policy("label_pod"))
    with crashing_at(deployment, "patch", sent=False):
        document = finding_about(pod)
        deployment.respond_to(document)
    decide_again(deployment, policy("label_pod", mode="approve"))

    deployment.deliver(document)

    assert mutations(cluster.audit) == []
    assert deployment.outcomes(document)[0] == "label_pod: waiting_for_approval"


def test_nothing_unapproved_is_sent(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """A decision that nobody was asked about is not carried out, whoever hands it on."""
    deployment = deployed(tmp_path, cluster, policy("label_pod", mode="approve"))
    document, services = finding_about(pod), deployment.services
    finding = parse_notification(document)
    case = services.journal.claim(finding).case
    assert case is not None
    collected = collect(finding, services.clusters, services.findings, services.pool, 30)
    decision = decide(collected.context, services.policies.policies)

    steps = execute(collected.context, decision, case, _world(collected, services, DeliveryLog(services.clock())))

    found = case.record.with_steps(steps).steps[0]
    assert (found.action, found.status, found.reason) == ("label_pod", "held", "waiting_for_approval")
    assert mutations(cluster.audit) == []


def test_the_node_cannot_be_read(tmp_path: Path, cluster: SimulatedCluster, pod: Object) -> None:
    """An approval is not void because something could not be read just now: it is to be asked again."""
    deployment = deployed(tmp_path, cluster, policy("cordon_node", mode="approve"))
    document = finding_about(pod)
    deployment.respond_to(document)
    api = deployment.clusters.api

    def fail(_number: int, verb: str, path: str) -> None:
        if verb == "get" and "/nodes/" in path:
            raise ApiError(Reason.SERVER_ERROR, status=500)

    deployment.clusters.api = Interposed(api, before=fail)
    first = answered(deployment, document)
    deployment.clusters.api = api
    second = answered(deployment, document)

    assert [(ending.status, ending.reason) for ending in (first, second)] == [(503, "server_error"), (204, "done")]
    assert mutations(cluster.audit) == ["patch nodes"]
