"""A finding of Cloud Run from its push to its record, against a local Cloud Run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.cli.case import case_text
from scc_responder.domain.clock import utc_now
from scc_responder.journal.contained import not_contained
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import (
    BAD,
    GOOD,
    RunDeployment,
    aged_world,
    escape,
    job_escape,
    run_deployed,
    run_policy,
    split,
    superseded_world,
)
from tests.kits.google.cloud_run.samples import CHECKOUT, IMAGE, deploy, image, start_execution

STEPS = ("capture_evidence", "roll_back_service", "cut_ingress", "remove_invokers", "notify")
FELT = [
    ["requests go to checkout-00001-abc 100 %; what is deployed later gets none until this is undone"],
    ["callers from outside its networks are refused, external load balancers too"],
    ["callers who are let in as allUsers are refused; not rehearsed"],
]
WRITES = ["UpdateService", "UpdateService", "SetIamPolicy"]
DEPLOYED = "checkout-00003-abc"


@pytest.fixture
def running(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A deployment whose policy asks a person before it changes anything."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as made:
        yield made


@pytest.fixture
def enforcing(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A deployment whose policy rolls back at once."""
    with run_deployed(tmp_path, cluster, run_policy("capture_evidence", "roll_back_service", mode="enforce")) as made:
        yield made


def steps(running: RunDeployment, document: dict[str, Any]) -> list[str]:
    """The steps that change something, as `action: reason`."""
    named = running.outcomes(document)
    return [each for each in named if not each.startswith(("capture_evidence", "notify"))]


def shown(running: RunDeployment, document: dict[str, Any]) -> str:
    """What `case show` prints."""
    return "\n".join(case_text.case(running.case(document), utc_now()))


def asked(running: RunDeployment) -> int:
    """How many requests were made; looking at one operation several times counts once."""
    waits = {name for method, name in running.server.requests if method.startswith("Operations/")}
    return len(waits) + sum(not method.startswith("Operations/") for method, _ in running.server.requests)


def test_a_plan_waits_for_a_person(running: RunDeployment) -> None:
    """Evidence is kept at once, and nothing is written until the plan is approved; then it is all done and told."""
    document = escape()
    assert running.respond_to(document).status == 204
    assert (running.case(document).state, running.writes(), running.served()) == ("waiting", [], {BAD: 100})
    assert running.outcomes(document)[0] == "capture_evidence: captured"
    (waiting,) = running.published.messages
    assert [step["action"] for step in waiting["approval"]["steps"]] == list(STEPS[1:4])
    assert [step["felt"] for step in waiting["approval"]["steps"]] == FELT
    uid = running.world.services[CHECKOUT].uid
    named = {"kind": "service", "name": CHECKOUT, "uid": uid, "meant": BAD}
    assert (waiting["cloud_run"], waiting["pod"]) == (named, {})
    assert f"service   {CHECKOUT}, {BAD}, UID {uid}" in shown(running, document)
    assert [words for (words,) in FELT if f"felt {words}" not in shown(running, document)] == []

    assert running.answer(document).reason == "done"
    assert steps(running, document) == [
        "roll_back_service: rolled_back",
        "cut_ingress: access_cut",
        "remove_invokers: access_cut",
    ]
    assert (running.case(document).state, running.writes(), running.served()) == ("done", WRITES, {GOOD: 100})
    told = {step["action"]: step["status"] for step in running.published.messages[-1]["steps"]}
    assert running.published.messages[-1]["containment"] == "retired"
    seconds = running.published.messages[-1]["contained_seconds"]
    assert f"no request reaches the revision; its instances may still run; {seconds:.1f} s" in shown(running, document)
    assert told.items() >= {"roll_back_service": "done", "cut_ingress": "done", "remove_invokers": "done"}.items()


def test_a_cut_that_fails_is_not_contained(running: RunDeployment) -> None:
    """The revision is retired, and case and message say what is left."""
    document = escape()
    running.respond_to(document)
    reads = {"run.services.getIamPolicy", "run.revisions.list", "run.operations.get"}
    running.server.granted = {"run.services.get", "run.services.update", *reads}
    running.answer(document)
    left = "remove_invokers: failed: cloud_run_permission_denied"
    told = running.published.messages[-1]
    assert (running.case(document).state, told["containment"], told["not_contained"]) == ("partial", "retired", [left])
    assert "contained_seconds" not in told
    assert f"not contained: {left}" in shown(running, document)


def test_a_deploy_by_tag_is_rolled_back_by_what_the_tag_stood_for(running: RunDeployment) -> None:
    """The second API names no digest of a tag; the first one does. What it does not tell is never safe."""
    for letter, revision in (("a", GOOD), ("b", BAD)):
        running.world.revisions[f"{CHECKOUT}/revisions/{revision}"].containers[0].image = f"{IMAGE}:{letter}"
    document = escape()
    running.respond_to(document)
    assert "roll_back_service: digest_unknown" in running.outcomes(document)
    for letter, revision in (("a", GOOD), ("b", BAD)):
        running.digests.add(revision, f"{IMAGE}@sha256:{letter * 64}")
    other = escape("5" * 32)
    running.respond_to(other)
    assert running.answer(other).reason == "done"
    assert running.served() == {GOOD: 100}


def test_a_rejected_plan_writes_nothing(running: RunDeployment) -> None:
    """Who said no is kept, and a second delivery asks nobody again."""
    document = escape()
    running.respond_to(document)
    assert running.answer(document, "reject").status == 204
    running.deliver(document)
    assert (running.case(document).state, running.writes()) == ("held", [])


def test_a_rehearsal_asks_and_writes_nothing(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Each update is checked by the API itself; of an IAM policy only the permission is."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS, mode="dry_run")) as running:
        document = escape()
        running.respond_to(document)
        assert steps(running, document) == [
            "roll_back_service: would_update_service",
            "cut_ingress: would_update_service",
            "remove_invokers: not_rehearsed",
        ]
        called = [method for method, _ in running.server.requests]
        assert (running.case(document).state, running.writes(), called.count("Services/UpdateService")) == (
            "rehearsed",
            [],
            2,
        )


def test_a_deploy_before_the_approval_makes_a_new_plan(running: RunDeployment) -> None:
    """What a person saw is not carried out: they see the new plan, which leaves the deploy as it is."""
    document = escape()
    running.respond_to(document)
    deploy(running.world, image("c"))
    assert running.answer(document).reason == "approval_void_plan_changed"
    again = running.case(document)
    assert again.plan is not None
    assert (again.state, again.plan.after, running.writes()) == ("waiting", "approval_void_plan_changed", [])
    # The deployed revision is the latest one: it has the requests, and the compromised one has none.
    assert [step.action for step in again.plan.steps] == ["cut_ingress", "remove_invokers"]
    assert running.answer(document).reason == "done"
    assert running.served() == {DEPLOYED: 100}


def deploys(running: RunDeployment, *, before: str) -> None:
    """Somebody deploys right before the first request of this method: after the look, before the write."""
    api: Any = running.services.run
    send = getattr(api, before)

    def deployed_first(*parts: Any, **named: Any) -> Any:
        vars(api).pop(before)
        deploy(running.world, image("c"))
        return send(*parts, **named)

    vars(api)[before] = deployed_first


def test_a_deploy_after_the_approval_asks_anew(running: RunDeployment) -> None:
    """The write is refused by its etag, so that nothing is set back, and the rest waits for a person once more."""
    split(running.world, {BAD: 100})
    document = escape()
    running.respond_to(document)
    deploys(running, before="update_service")
    assert running.answer(document).status == 503
    assert (running.writes(), running.served()) == (["UpdateService", "SetIamPolicy"], {BAD: 100})
    running.sweep()
    again = running.case(document)
    assert again.plan is not None
    assert (again.state, again.plan.state, again.plan.after) == ("waiting", "waiting", "approval_void_plan_changed")
    assert [step.action for step in again.plan.steps] == ["roll_back_service"]
    assert running.answer(document).reason == "done"
    assert (len(running.writes()), running.served()) == (3, {GOOD: 100})


def test_a_deploy_before_an_enforced_write_is_planned_anew(enforcing: RunDeployment) -> None:
    """The next delivery looks again: the compromised revision gets no request by then, and nothing is written."""
    document = escape()
    deploys(enforcing, before="update_service")
    enforcing.list_finding(document)
    assert (enforcing.deliver(document).reason, enforcing.deliver(document).status) == ("service_deployed", 204)
    assert steps(enforcing, document) == ["roll_back_service: already_retired"]
    assert (enforcing.case(document).state, enforcing.writes(), enforcing.served()) == ("done", [], {DEPLOYED: 100})


def test_a_deploy_after_a_crash_is_planned_anew(enforcing: RunDeployment) -> None:
    """The intent is written and nothing was sent: a deploy since is not taken for somebody who undid our work."""
    split(enforcing.world, {BAD: 100})
    document = escape()
    enforcing.list_finding(document)
    api: Any = enforcing.services.run

    def crash(*_given: Any, **_named: Any) -> Any:
        vars(api).pop("update_service")
        raise KeyError("a crash of ours")

    vars(api)["update_service"] = crash
    assert enforcing.deliver(document).status == 503
    deploy(enforcing.world, image("c"))
    assert [enforcing.deliver(document).reason for _ in range(2)] == ["service_deployed", "done"]
    assert steps(enforcing, document) == ["roll_back_service: rolled_back"]
    assert (enforcing.writes(), enforcing.served()) == (["UpdateService"], {GOOD: 100})


def test_a_deploy_after_the_rollback_is_told(enforcing: RunDeployment) -> None:
    """It gets no request, and the step says so: it is never moved."""
    document, deployed = escape(), []
    api: Any = enforcing.services.run
    wait = api.wait_operation

    def deployed_meanwhile(*parts: Any) -> Any:
        vars(api).pop("wait_operation")
        answer = wait(*parts)
        deployed.append(deploy(enforcing.world, image("c")))
        return answer

    vars(api)["wait_operation"] = deployed_meanwhile
    enforcing.respond_to(document)
    (step,) = [item for item in enforcing.case(document).steps if item.action == "roll_back_service"]
    assert (step.status, step.reason) == ("done", "rolled_back")
    assert step.detail == f"served: {GOOD} 100 %; {deployed[0]} was deployed later, and gets no request"
    assert enforcing.served() == {GOOD: 100}


def test_two_findings_make_one_write(enforcing: RunDeployment) -> None:
    """One after the other: the second case finds the service as it should be."""
    for finding_id in ("a" * 32, "b" * 32):
        document = escape(finding_id)
        enforcing.list_finding(document, finding_id)
        enforcing.deliver(document)
        assert enforcing.case(document).state == "done"
    assert enforcing.writes() == ["UpdateService"]


def test_a_rollback_makes_no_other_revision_the_compromised_one(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Findings that name neither revision nor image: their traffic is that of the event, not what we made of it."""
    steps = ("roll_back_service", "cut_ingress")
    with run_deployed(tmp_path, cluster, run_policy(*steps, mode="enforce")) as running:
        first, second = listed(running, escape("a" * 32, containers=[]), escape("b" * 32, containers=[]))
        split(running.world, {BAD: 100})
        crashed: list[str] = []
        api: Any = running.services.run
        send = api.update_service

        def crash(*given: Any, **named: Any) -> Any:
            if "ingress" in named["mask"] and not crashed:
                crashed.append("once")
                raise KeyError("a crash of ours")
            return send(*given, **named)

        vars(api)["update_service"] = crash
        assert (running.deliver(first).status, running.deliver(first).status) == (503, 204)
        assert running.outcomes(first)[:2] == ["roll_back_service: rolled_back", "cut_ingress: access_cut"]
        running.deliver(second)
        assert running.outcomes(second)[0] == "roll_back_service: several_revisions"
        assert (running.writes(), running.served()) == (["UpdateService"] * 2, {GOOD: 100})
        assert running.choose(second, BAD) == "resumed_by_person"
        assert running.outcomes(second)[0] == "roll_back_service: already_retired"


def test_a_case_goes_on_with_the_revision_it_acted_upon(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The finding names none, and the requests have moved: after a crash what is left is done to the same revision."""
    plan = run_policy("roll_back_service", "delete_revision")
    with run_deployed(tmp_path, cluster, plan, world=superseded_world()) as running:
        document = escape(containers=[])
        running.respond_to(document)
        api: Any = running.services.run

        def crash(*_given: Any, **_named: Any) -> Any:
            raise KeyError("a crash of ours")

        vars(api)["delete_revision"] = crash
        assert running.answer(document).status == 503
        vars(api).pop("delete_revision")
        assert running.answer(document).reason == "done"
        assert steps(running, document) == ["roll_back_service: rolled_back", "delete_revision: revision_deleted"]
        assert running.server.writes_of("DeleteRevision") == [f"{CHECKOUT}/revisions/{BAD}"]


def listed(running: RunDeployment, *documents: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """These findings, as Security Command Center knows them."""
    for number, document in enumerate(documents):
        running.list_finding(document, str(number))
    return documents


def test_two_findings_side_by_side_make_one_write(enforcing: RunDeployment) -> None:
    """Whichever comes second is refused by the etag, or finds the service as it should be."""
    documents = listed(enforcing, *(escape(name * 32) for name in "abcd"))
    with ThreadPoolExecutor(4) as pool:
        [*pool.map(enforcing.deliver, documents)]
    for document in documents:
        if enforcing.case(document).state == "open":
            enforcing.deliver(document)
    assert [enforcing.case(document).state for document in documents] == ["done"] * 4
    assert (enforcing.writes(), enforcing.served()) == (["UpdateService"], {GOOD: 100})


def test_two_plans_for_one_service_make_one_write(running: RunDeployment) -> None:
    """Once the first one is carried out, the second one has nothing left to do, and asks nobody."""
    first, second = listed(running, escape("a" * 32), escape("b" * 32))
    running.deliver(first)
    running.deliver(second)
    assert (running.answer(first).reason, running.answer(second).status) == ("done", 409)
    assert (running.writes(), running.case(second).state) == (WRITES, "done")
    assert {step.reason for step in running.case(second).steps if step.status == "skipped"} == {
        "already_retired",
        "already_internal",
        "no_public_invokers",
    }


def test_a_revision_that_another_case_deletes_is_no_shortfall(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Both plans are approved at one moment: what the second one finds gone was ended for it too."""
    plan = run_policy("roll_back_service", "delete_revision")
    with run_deployed(tmp_path, cluster, plan, world=superseded_world()) as running:
        first, second = listed(running, escape("a" * 32), escape("b" * 32))
        running.deliver(first)
        running.deliver(second)
        api: Any = running.services.run
        send = api.update_service

        def first_is_quicker(*given: Any, **named: Any) -> Any:
            vars(api).pop("update_service")
            assert running.answer(first).reason == "done"
            return send(*given, **named)

        vars(api)["update_service"] = first_is_quicker
        assert running.answer(second).reason == "done"
        assert steps(running, second) == ["roll_back_service: already", "delete_revision: deleted_meanwhile"]
        assert (running.case(second).state, running.writes()) == ("done", ["UpdateService", "DeleteRevision"])


CANCELS = run_policy("capture_evidence", "cancel_execution", "notify", mode="enforce")


def test_each_execution_is_cancelled_once(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Two findings on one execution make one cancellation, another of the job is another; the job runs until then."""
    with run_deployed(tmp_path, cluster, CANCELS) as running:
        (job,) = running.world.jobs.values()
        other = start_execution(running.world, job, "nightly-other", create_time=utc_now() - timedelta(hours=1))
        same = [job_escape("a" * 32, "nightly-x7k2p"), job_escape("b" * 32, "nightly-x7k2p")]
        documents = listed(running, *same, job_escape("c" * 32, "nightly-other"))
        for document in documents:
            running.deliver(document)
        assert [steps(running, document) for document in documents] == [
            ["cancel_execution: execution_cancelled"],
            ["cancel_execution: other_executions_run"],
            ["cancel_execution: execution_cancelled"],
        ]
        assert sorted(running.server.writes_of("CancelExecution")) == sorted(running.world.executions)
        assert other.name in running.world.executions
        told = [running.case(document).state for document in documents]
        assert told == ["done", "held", "done"]
        left = [[*not_contained(running.case(document))] for document in documents]
        assert left == [["1 other execution of the job still runs: nightly-other"], [], []]
        by_hand = "gcloud run jobs executions cancel nightly-other --region europe-west1 --project example-project"
        assert [by_hand in shown(running, document) for document in documents] == [True, True, False]
        assert running.published.messages[0]["not_contained"] == left[0]


def test_what_may_be_meant_of_a_job_is_told_with_commands(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A person ends by hand what nobody can choose between; an execution that is over is named and no more."""
    with run_deployed(tmp_path, cluster, CANCELS) as running:
        (job,) = running.world.jobs.values()
        early = {"create_time": utc_now() - timedelta(hours=1)}
        start_execution(running.world, job, "nightly-other", **early)
        document = job_escape()
        over = {"running_count": 0, "completion_time": utc_now() + timedelta(seconds=1)}
        start_execution(running.world, job, "nightly-over", **early, **over)
        running.respond_to(document)
        assert steps(running, document) == ["cancel_execution: several_executions"]
        text = shown(running, document)
        assert "one of nightly-over, nightly-other, nightly-x7k2p" in text
        assert re.findall(r"executions cancel (\S+)", text) == ["nightly-other", "nightly-x7k2p"]
        assert running.published.messages[-1]["cloud_run"]["running"] == ["nightly-other", "nightly-x7k2p"]


def test_a_case_is_about_its_own_job(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """A job that was deleted and made anew while the case was open is another, whatever its executions are called."""
    with run_deployed(tmp_path, cluster, CANCELS) as running:
        (document,) = listed(running, job_escape("a" * 32, "nightly-x7k2p"))
        running.world.reconcile_seconds = 3600
        api: Any = running.services.run
        wait = api.wait_operation
        vars(api)["wait_operation"] = lambda name, _seconds: wait(name, 0.05)
        running.deliver(document)
        for each in (*running.world.jobs.values(), *running.world.executions.values()):
            each.uid = each.uid[:-1] + "f"
        running.deliver(document)
        identity = running.case(document).decision["identity"]
        assert (identity["level"], identity["reason"]) == ("refuted", "job_replaced")
        assert len(running.writes()) == 1


def test_what_is_left_of_a_plan_is_done_as_approved(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The rollback took away a tag that the rest of the plan names: after a crash that is no other plan."""
    with run_deployed(tmp_path, cluster, run_policy("roll_back_service", "scale_to_zero")) as running:
        split(running.world, {BAD: 100}, tagged=BAD)
        document = escape()
        running.respond_to(document)
        api: Any = running.services.run
        send = api.update_service

        def crash(*given: Any, **named: Any) -> Any:
            if "scaling" in named["mask"]:
                raise KeyError("a crash of ours")
            return send(*given, **named)

        vars(api)["update_service"] = crash
        assert (running.answer(document).status, running.writes()) == (503, ["UpdateService"])
        vars(api).pop("update_service")
        assert running.answer(document).reason == "done"
        assert steps(running, document) == ["roll_back_service: rolled_back", "scale_to_zero: scaled_to_zero"]
        assert (running.writes(), running.served()) == (["UpdateService"] * 2, {GOOD: 100})


def test_lost_answers_double_nothing(running: RunDeployment) -> None:
    """Each write is known by what is read back."""
    document = escape()
    running.respond_to(document)
    running.server.lost_answers = 3
    assert running.answer(document).reason == "done"
    assert (running.writes(), running.served(), running.case(document).state) == (WRITES, {GOOD: 100}, "done")


def test_a_long_operation_is_resumed_by_a_sweep(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The answer says that it is not done yet; the next sweep reads it back, sends nothing again, and does the rest."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS), world=aged_world(3600)) as running:
        document = escape()
        running.respond_to(document)
        api: Any = running.services.run
        wait = api.wait_operation
        vars(api)["wait_operation"] = lambda name, _seconds: wait(name, 0.05)
        told = len(running.published.messages)
        assert (running.answer(document).status, running.case(document).reason) == (503, "reconciling")
        assert (len(running.published.messages) - told, sorted(running.writes())) == (1, sorted(WRITES))
        for each in running.world.pending:
            each.due = 0
        running.world.reconcile_seconds = 0.05
        vars(api).pop("wait_operation")
        running.sweep()
        assert (running.case(document).state, running.served()) == ("done", {GOOD: 100})
        assert sorted(running.writes()) == sorted(WRITES)


def test_a_service_that_does_not_answer_comes_again(running: RunDeployment) -> None:
    """Nobody can say yet what is to be done: evidence is kept, and the next delivery makes the plan."""
    document = escape()
    running.server.fail_next(grpc.StatusCode.UNAVAILABLE, "Services/GetService")
    running.list_finding(document)
    assert running.deliver(document).status == 503
    assert running.deliver(document).status == 204
    assert [step.status for step in running.case(document).steps if step.action == "cut_ingress"] == ["waiting"]


def test_a_person_chooses_between_revisions(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Several revisions get requests, and the finding names no image: what is chosen is what is planned for."""
    world = aged_world()
    with run_deployed(tmp_path, cluster, run_policy(*STEPS), world=world) as running:
        split(world, {GOOD: 50, BAD: 50})
        document = escape(containers=[])
        running.respond_to(document)
        assert steps(running, document)[0] == "roll_back_service: several_revisions"
        command = f"scc-responder case resume {running.case(document).finding_key[:12]} --revision NAME"
        assert f"choose    one of {BAD}, {GOOD}: {command}" in shown(running, document)
        assert running.published.messages[-1]["identity"]["checks"]["one_revision_of"] == f"{BAD}, {GOOD}"
        assert running.choose(document, BAD) == "resumed_by_person"
        assert "choose" not in shown(running, document)
        plan = running.case(document).plan
        assert plan is not None
        assert plan.steps[0].changes[0]["retired"] == [BAD]
        assert running.answer(document).reason == "done"
        assert running.served() == {GOOD: 100}


def test_a_replaced_service_is_left_alone(running: RunDeployment) -> None:
    """A service of the same name that was made anew is another: the plan is void, and nothing is written."""
    document = escape()
    running.respond_to(document)
    service = running.world.services[CHECKOUT]
    service.uid = "00000000-0000-4000-a000-00000000000f"
    assert running.answer(document).reason in {"approval_void_target_changed", "approval_void_plan_changed"}
    assert running.writes() == []


def test_a_rollback_with_evidence_takes_few_requests(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """From the push to the rollback that was read back, with a person's approval between."""
    with run_deployed(tmp_path, cluster, run_policy("capture_evidence", "roll_back_service", "notify")) as running:
        document = escape()
        running.respond_to(document)
        assert running.answer(document).reason == "done"
        assert running.served() == {GOOD: 100}
        assert asked(running) <= 12, running.server.requests
