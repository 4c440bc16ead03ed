"""Whoever runs doctor learns which permission of Cloud Run is missing, and to whom; here against a local server."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.rpc import status_pb2
from google.rpc.error_details_pb2 import PreconditionFailure
from msgspec.structs import replace

from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.workbench.doctor.check import Check, CheckResult
from scc_responder.workbench.doctor.run_checks import (
    RunPlace,
    examine_operations,
    examine_reads,
    examine_writer,
    examine_writes,
    unnamed_service,
)
from scc_responder.workbench.needed_permissions import of_all_actions
from scc_responder.workbench.variable_permissions import RUN_READS, by_variable
from tests.docs.command_lines import fix_mistakes
from tests.kits.google.cloud_run.samples import add_job, deploy, image
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World
from tests.kits.google.fronts import IamCredentials

WRITER = "writer@example-project.iam.gserviceaccount.com"
PLACE = RunPlace(project="example-project", location="europe-west1")
SERVICE = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")
JOB = RunName(kind=RunKind.JOB, project="example-project", location="europe-west1", name="nightly")
READS = {need.permission for need in by_variable(of_all_actions())[RUN_READS]}
WRITES = {
    *("run.executions.cancel", "run.jobs.setIamPolicy", "run.operations.get", "run.revisions.delete"),
    *("run.services.setIamPolicy", "run.services.update"),
}
OF_A_JOB = {"run.executions.cancel", "run.jobs.setIamPolicy"}


@pytest.fixture
def server() -> Iterator[CloudRunServer]:
    """A service and a job; each identity has what is its own."""
    world = World()
    deploy(world, image("a"))
    add_job(world)
    with CloudRunServer(world) as started:
        started.rights = {"runtime": READS, "writer-1": WRITES}
        yield started


@pytest.fixture
def front() -> Iterator[IamCredentials]:
    """Who gives tokens."""
    with IamCredentials(WRITER) as started:
        yield started


@pytest.fixture
def token(front: IamCredentials) -> ImpersonatedToken:
    """Tokens of the writer."""
    return ImpersonatedToken(WRITER, endpoint=front.host)


@pytest.fixture
def api(server: CloudRunServer, token: ImpersonatedToken) -> Iterator[CloudRunAdmin]:
    """The client, as doctor has it."""
    admin = CloudRunAdmin(endpoint=server.endpoint, token=lambda: "runtime", writer=token)
    yield admin
    admin.close()


def faults(checks: Iterator[Check]) -> list[tuple[str, str]]:
    """What is probed and why, of each fault; its fix is one that can be followed."""
    found = [check for check in checks if check.result is not CheckResult.OK and check.name != "run.act_as"]
    assert [mistake for check in found for mistake in fix_mistakes(check.fix)] == []
    return [(check.probed, check.why) for check in found]


def test_what_may_be_read_is_counted(api: CloudRunAdmin, server: CloudRunServer) -> None:
    """Nothing that is there is asked for, and nothing is changed."""
    (check,) = examine_reads(api, PLACE, READS)
    assert (check.name, check.result) == ("run.read", CheckResult.OK)
    assert check.why == f"{len(READS)} permissions"
    assert {name.rpartition("/")[2] for _, name in server.requests} == {"scc-responder-probe"}
    assert server.world.writes == []


@pytest.mark.parametrize("missing", sorted(READS))
def test_each_right_to_read_that_is_taken_away_names_itself(
    api: CloudRunAdmin, server: CloudRunServer, missing: str
) -> None:
    """And it alone: the others are still told as held."""
    server.rights["runtime"] = READS - {missing}
    found = faults(examine_reads(api, PLACE, READS))
    assert found == [(f"example-project: {missing}", f"missing permission: {missing}")]


@pytest.mark.parametrize("missing", sorted(WRITES))
def test_each_right_to_change_that_is_taken_away_names_itself(
    api: CloudRunAdmin, server: CloudRunServer, missing: str
) -> None:
    """Whatever the runtime identity may: it is the writer who is asked."""
    server.rights = {"runtime": READS | WRITES, "writer-1": WRITES - {missing}}
    writes = [check for name in (SERVICE, JOB) for check in examine_writes(api, name, WRITES, WRITER)]
    ((probed, why),) = faults(iter([*writes, examine_operations(api, PLACE)]))
    about = "example-project" if missing == "run.operations.get" else (JOB if missing in OF_A_JOB else SERVICE).path
    assert probed == f"{about}: {missing}"
    assert why.startswith(f"missing permission: {missing}")


def test_what_may_be_changed_is_asked_of_its_own_kind(api: CloudRunAdmin, server: CloudRunServer) -> None:
    """A job is not asked about revisions; nothing is changed by asking."""
    (of_job,) = examine_writes(api, JOB, WRITES, WRITER)
    assert (of_job.result, of_job.why) == (CheckResult.OK, ", ".join(sorted(OF_A_JOB)))
    assert examine_operations(api, PLACE).result is CheckResult.OK
    assert list(examine_writes(api, JOB, {"run.services.update"}, WRITER)) == []
    assert server.world.writes == []


def test_what_only_a_project_can_tell_is_said(api: CloudRunAdmin) -> None:
    """Whether an update asks to act as the service's identity is not known here, and what that would mean is told."""
    *_, check = examine_writes(api, SERVICE, WRITES, WRITER)
    assert (check.name, check.result, check.reason) == ("run.act_as", CheckResult.SKIPPED, "act_as_not_known")
    assert "to be tried on a project" in check.why
    assert [each.name for each in examine_writes(api, SERVICE, {"run.services.setIamPolicy"}, WRITER)] == ["run.write"]


def test_a_token_that_is_not_given_names_what_is_missing(token: ImpersonatedToken, front: IamCredentials) -> None:
    """With the command that lets the function have one."""
    front.creators = set()
    check = examine_writer(token, WRITER)
    assert (check.name, check.result, check.reason) == ("run.writer", CheckResult.FAULT, "permission_missing")
    assert check.why == "missing permission: iam.serviceAccounts.getAccessToken"
    assert list(fix_mistakes(check.fix)) == []
    front.creators = {"stand-in"}
    assert examine_writer(token, WRITER).result is CheckResult.OK


def test_the_function_is_no_second_identity(token: ImpersonatedToken, front: IamCredentials) -> None:
    """An account that reads and changes is told as a fault, whatever it may."""
    check = examine_writer(token, WRITER, WRITER.replace("writer", "Writer"))
    assert (check.result, check.reason, front.asked) == (CheckResult.FAULT, "writer_is_the_function", [])
    assert examine_writer(token, WRITER, "run@example-project.iam.gserviceaccount.com").result is CheckResult.OK


def test_an_account_that_is_gone_says_so(front: IamCredentials) -> None:
    """It is no permission that is missing."""
    front.accounts = set()
    check = examine_writer(ImpersonatedToken(WRITER, endpoint=front.host), WRITER)
    assert (check.reason, "Gaia id not found" in check.why) == ("token_refused", True)


def test_a_service_that_is_gone_is_a_fault(api: CloudRunAdmin) -> None:
    """Settings name it, and nobody has it."""
    (check,) = examine_writes(api, replace(SERVICE, name="gone"), WRITES, WRITER)
    assert (check.result, check.reason) == (CheckResult.FAULT, "cloud_run_not_found")


def test_a_service_perimeter_is_told_as_one(api: CloudRunAdmin, server: CloudRunServer) -> None:
    """A permission would not help: both APIs are named that it has to let through."""
    failure = PreconditionFailure(violations=[{"type": "VPC_SERVICE_CONTROLS", "description": "abc"}])
    status = status_pb2.Status(code=7, message="prohibited")
    status.details.add().Pack(failure)
    trailing = (("grpc-status-details-bin", status.SerializeToString()),)
    server.fail_next(grpc.StatusCode.PERMISSION_DENIED, "prohibited", trailing=trailing)
    check = next(examine_reads(api, PLACE, ["run.services.get"]))
    assert (check.reason, "missing permission" in check.why) == ("outside_the_perimeter", False)
    assert "run.googleapis.com and iamcredentials.googleapis.com" in check.fix


def test_what_cannot_be_known_is_told_as_unknown(api: CloudRunAdmin, server: CloudRunServer) -> None:
    """Where no location is known, where no request asks for it alone, and of a pattern of services."""
    nowhere = examine_reads(api, RunPlace(project="shop-prod"), READS)
    other = examine_reads(api, PLACE, ["run.tasks.list"])
    pattern = unnamed_service("projects/*/locations/*/services/*")
    found = [*nowhere, *other, pattern]
    assert {check.result for check in found} == {CheckResult.UNKNOWN}
    assert [check.reason for check in found] == ["location_not_named", "not_probed", "service_not_named"]
    assert [mistake for check in found for mistake in fix_mistakes(check.fix)] == []
    assert server.requests == []
