"""What an approval began, and an error left open: the next sweep goes on with it, within bounds."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import PreconditionFailure
from grpc_status import rpc_status

from scc_responder.domain.clock import utc_now
from scc_responder.execute.execution import MOST_RECONCILING
from scc_responder.pipeline.again.unfinished_cases import QUIET
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import (
    CHANGES_AS,
    GOOD,
    READS_AS,
    RunDeployment,
    aged_world,
    escape,
    run_deployed,
    run_policy,
)

STEPS = ("roll_back_service", "cut_ingress", "remove_invokers")
CODE = grpc.StatusCode
EVIL = "x\n## H\u202e\x1b[31m"


def refuse_once(running: RunDeployment, method: str, code: CODE, details: str = "busy") -> None:
    """Let the next request of this method end so."""
    befall, left = running.server.befall, [method]

    def refuse(asked: str, context: Any) -> Any:
        if asked in left:
            left.remove(asked)
            context.abort(code, details)
        return befall(asked, context)

    vars(running.server)["befall"] = refuse


READS = ("Services/GetService", "Revisions/ListRevisions", "Services/GetIamPolicy")
FAULTS = [
    *itertools.product(READS, (CODE.UNAVAILABLE, CODE.PERMISSION_DENIED, CODE.UNAUTHENTICATED, CODE.ABORTED)),
    *itertools.product(["Services/UpdateService"], (CODE.RESOURCE_EXHAUSTED, CODE.UNAUTHENTICATED)),
]


@pytest.mark.parametrize(("method", "code"), FAULTS)
def test_the_next_sweep_goes_on_with_an_approved_plan(
    tmp_path: Path, cluster: SimulatedCluster, method: str, code: CODE
) -> None:
    """No message comes again for an approval. The answer says that it was taken, and is not finished."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        document = escape()
        running.respond_to(document)
        refuse_once(running, method, code)
        answer = running.answer(document)
        assert (answer.status, json.loads(answer.body)["answer"]) == (503, "approve")
        assert running.case(document).state == "open"
        running.sweep()
        assert (running.case(document).state, running.served()) == ("done", {GOOD: 100})


def test_an_approval_waits_for_a_right_until_it_expires(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nobody gives it back: the plan ends as one that nobody answered in time, and nothing is written."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        document = escape()
        running.respond_to(document)
        rights = running.server.rights
        running.server.rights = {READS_AS: {"run.services.get"}, CHANGES_AS: rights[CHANGES_AS]}
        assert running.answer(document).reason == "cloud_run_permission_denied"
        assert running.case(document).state == "open"
        running.set_clock(lambda: utc_now() + timedelta(hours=5))
        running.sweep()
        ended = running.case(document)
        assert ended.plan is not None
        assert (ended.state, ended.plan.state, running.writes()) == ("held", "expired", [])


def test_a_plan_does_not_wait_for_what_it_was_made_without(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Who may invoke the service could never be read: what was approved needs it not, and is done."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        rights = running.server.rights
        running.server.rights = rights | {READS_AS: set(rights[READS_AS]) - {"run.services.getIamPolicy"}}
        document = escape()
        running.respond_to(document)
        plan = running.case(document).plan
        assert plan is not None
        assert [step.action for step in plan.steps] == ["roll_back_service", "cut_ingress"]
        assert running.answer(document).status == 204
        assert running.served() == {GOOD: 100}


def test_a_case_that_a_message_resumes_is_left_to_it(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nobody approved anything: the message comes again, and only then does a sweep look at it."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS, mode="enforce")) as running:
        document = escape()
        running.list_finding(document)
        refuse_once(running, "Services/UpdateService", CODE.RESOURCE_EXHAUSTED)
        assert running.deliver(document).status == 503
        running.sweep()
        assert running.case(document).state == "open"
        running.set_clock(lambda: utc_now() + QUIET + timedelta(minutes=1))
        running.sweep()
        assert running.case(document).state == "done"


def test_a_refused_write_keeps_what_the_server_says_alone(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """In one line, and visible, wherever it is told: no text of the client library around it."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        document = escape()
        running.respond_to(document)
        refuse_once(running, "Services/UpdateService", CODE.FAILED_PRECONDITION, EVIL)
        running.answer(document)
        details = [step.detail for step in running.case(document).steps if step.status == "failed"]
        assert details == [r"x\u000a## H\u202e\u001b[31m"]
        told = json.dumps(running.published.messages, ensure_ascii=False)
        assert not {"\u202e", "\x1b"} & set(told)


def test_a_write_that_a_perimeter_refuses_names_it(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """It is no missing right: nobody grants what would not help."""
    with run_deployed(tmp_path, cluster, run_policy(*STEPS)) as running:
        document = escape()
        running.respond_to(document)
        befall, detail = running.server.befall, any_pb2.Any()
        detail.Pack(PreconditionFailure(violations=[{"type": "VPC_SERVICE_CONTROLS"}]))
        status = status_pb2.Status(code=7, message="no", details=[detail])

        def refuse(asked: str, context: Any) -> Any:
            if asked == "Services/UpdateService":
                context.abort_with_status(rpc_status.to_status(status))
            return befall(asked, context)

        vars(running.server)["befall"] = refuse
        running.answer(document)
        (detail_told, *_) = [step.detail for step in running.case(document).steps if step.status == "failed"]
        assert "run.services.update" not in detail_told


def test_a_change_that_is_never_carried_out_fails_at_last(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Cloud Run accepts it and does not end: after about an hour of sweeps people are told, and the case ends."""
    world = aged_world(reconcile_seconds=3600)
    with run_deployed(tmp_path, cluster, run_policy(*STEPS), world=world) as running:
        running.services.wait = lambda _seconds: None
        document = escape()
        running.respond_to(document)
        api: Any = running.services.run
        wait = api.wait_operation
        vars(api)["wait_operation"] = lambda name, _seconds: wait(name, 0.01)
        assert running.answer(document).status == 503
        before = len(running.published.messages)
        for _ in range(MOST_RECONCILING - 2):
            running.sweep()
            case = running.case(document)
            assert (case.state, case.reason) == ("open", "reconciling")
        assert len(running.published.messages) == before
        running.sweep()
        ended = running.case(document)
        kept = {step.action: (step.status, step.reason) for step in ended.steps if step.action in STEPS[:2]}
        assert (ended.state, kept["roll_back_service"]) == ("partial", ("failed", "reconciling"))
        assert len(running.published.messages) == before + 1
        running.sweep()
        assert running.case(document) == ended
