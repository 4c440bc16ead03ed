"""Who asks Cloud Run: a local server says which identity each call carried."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.ports import CloudRunApi
from scc_responder.workbench.needed_permissions import needed
from scc_responder.workbench.variable_permissions import RUN_READS, RUN_WRITES, by_variable
from tests.kits.google.cloud_run.samples import CHECKOUT, add_job, let_anyone_invoke, start_execution
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.fronts import IamCredentials
from tests.kits.one_run_change import OneCloudRun, roll_back

WRITER = "writer@example-project.iam.gserviceaccount.com"
SERVICE = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")
JOB = RunName(kind=RunKind.JOB, project="example-project", location="europe-west1", name="nightly")
TO_OLDER = {
    "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "checkout-00001-abc", "percent": 100}]
}
PERMISSIONS = ["run.services.get", "run.services.update", "run.services.setIamPolicy"]


@pytest.fixture
def front() -> Iterator[IamCredentials]:
    """Who gives the runtime identity tokens of the writer."""
    with IamCredentials(WRITER) as started:
        started.creators = {"runtime"}
        yield started


@pytest.fixture
def admin(run_server: CloudRunServer, front: IamCredentials) -> Iterator[CloudRunAdmin]:
    """The adapter as the function has it: two identities."""
    writer = ImpersonatedToken(WRITER, endpoint=front.host, token=lambda: "runtime")
    made = CloudRunAdmin(endpoint=run_server.endpoint, token=lambda: "runtime", writer=writer)
    start_execution(run_server.world, add_job(run_server.world))
    let_anyone_invoke(run_server.world)
    yield made
    made.close()


READS: dict[str, Callable[[CloudRunApi], object]] = {
    "Services/GetService": lambda api: api.get_service(SERVICE),
    "Services/GetIamPolicy": lambda api: api.get_iam_policy(SERVICE),
    "Revisions/GetRevision": lambda api: api.get_revision(SERVICE, "checkout-00001-abc"),
    "Revisions/ListRevisions": lambda api: api.list_revisions(SERVICE, 5),
    "Jobs/GetJob": lambda api: api.get_job(JOB),
    "Jobs/GetIamPolicy": lambda api: api.get_iam_policy(JOB),
    "Executions/ListExecutions": lambda api: api.list_executions(JOB, 5),
}
WRITES: dict[str, Callable[[CloudRunApi], object]] = {
    "Services/UpdateService": lambda api: api.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=""),
    "Services/SetIamPolicy": lambda api: api.set_iam_policy(SERVICE, {}),
    "Revisions/DeleteRevision": lambda api: api.delete_revision(SERVICE, "checkout-00001-abc", etag=""),
    "Executions/CancelExecution": lambda api: api.cancel_execution(JOB, execution_of(api), etag=""),
}


def execution_of(api: CloudRunApi) -> str:
    return api.list_executions(JOB, 1).items[0].value.name


@pytest.mark.parametrize("method", READS)
def test_the_runtime_identity_reads(admin: CloudRunAdmin, run_server: CloudRunServer, method: str) -> None:
    """What may change Cloud Run is asked for nothing that reading takes."""
    READS[method](admin)
    assert run_server.bearers == [(method, "runtime")]


@pytest.mark.parametrize("method", WRITES)
def test_the_second_identity_changes(admin: CloudRunAdmin, run_server: CloudRunServer, method: str) -> None:
    """And nobody else: a check of what would be changed is sent as it, too."""
    WRITES[method](admin)
    assert run_server.bearers[-1] == (method, "writer-1")


def test_an_operation_is_awaited_by_who_began_it(
    admin: CloudRunAdmin, run_server: CloudRunServer, front: IamCredentials
) -> None:
    """One token for the check, the change, and the wait."""
    admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag="", validate_only=True)
    begun = admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag="")
    assert admin.wait_operation(begun.name, 5.0).done
    called = [method.partition("/")[2] for method, bearer in run_server.bearers if bearer == "writer-1"]
    assert called == ["UpdateService", "UpdateService", "WaitOperation"]
    assert len(front.asked) == 1


def test_permissions_are_asked_of_whom_they_are_for(admin: CloudRunAdmin, run_server: CloudRunServer) -> None:
    """Reads are the runtime identity's, changes the second one's; nothing is asked of whom nothing is for."""
    run_server.rights = {"runtime": ["run.services.get"], "writer-1": ["run.services.update", "run.services.get"]}
    assert admin.test_iam_permissions(SERVICE, PERMISSIONS) == {"run.services.get", "run.services.update"}
    assert admin.test_iam_permissions(SERVICE, PERMISSIONS[:1]) == {"run.services.get"}
    bearers = [bearer for _, bearer in run_server.bearers]
    assert bearers == ["runtime", "writer-1", "runtime"]


def test_a_right_that_is_the_others_is_missing(admin: CloudRunAdmin, run_server: CloudRunServer) -> None:
    """The runtime identity that may change everything changes nothing itself."""
    run_server.rights = {"runtime": PERMISSIONS, "writer-1": ["run.services.get"]}
    with pytest.raises(ApiError) as caught:
        WRITES["Services/UpdateService"](admin)
    assert (caught.value.status, caught.value.permission) == (403, "run.services.update")


def test_without_a_token_nothing_is_sent(
    admin: CloudRunAdmin, run_server: CloudRunServer, front: IamCredentials
) -> None:
    """What is missing is named, and it is no unclear end of a change."""
    front.creators = set()
    with pytest.raises(ApiError) as caught:
        WRITES["Services/UpdateService"](admin)
    assert type(caught.value) is ApiError
    assert (caught.value.reason, caught.value.permission) == ("token_refused", "iam.serviceAccounts.getAccessToken")
    assert run_server.requests == []


@pytest.mark.parametrize("method", WRITES)
def test_google_is_asked_for_no_change_by_the_runtime_identity(method: str) -> None:
    """Where no second identity is set, no request is made, whoever the environment is."""
    admin = CloudRunAdmin(credentials=lambda: pytest.fail("the environment's identity"))
    call = WRITES[method] if "Executions" not in method else lambda api: api.cancel_execution(JOB, "one", etag="")
    with pytest.raises(ApiError) as caught:
        call(admin)
    assert caught.value.reason == "no_run_writer"


def test_a_change_goes_to_google_without_the_environments_identity() -> None:
    """The channel of changes has no identity of its own: each request says who asks."""
    admin = CloudRunAdmin(credentials=lambda: pytest.fail("the environment's identity"), writer=lambda: "writer-1")
    client, sender = admin._identities.client("services", as_writer=True)
    assert (type(client).__name__, list(sender)) == ("ServicesClient", [("authorization", "Bearer writer-1")])
    admin.close()


def test_a_stand_in_without_tokens_is_changed_by_anybody(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """It is on this machine, and nobody's identity is sent there."""
    WRITES["Services/UpdateService"](run_admin)
    assert run_server.bearers == [("Services/UpdateService", "")]
    assert run_server.writes_of("UpdateService") == [CHECKOUT]


def shipped(variable: str) -> set[str]:
    """What a rollback with its evidence needs of one of the two identities."""
    return {need.permission for need in by_variable(needed([("p", "roll_back_service")]))[variable]}


@pytest.fixture
def rolling(admin: CloudRunAdmin, run_server: CloudRunServer) -> OneCloudRun:
    """A rollback by two identities, each with what it is granted and no more."""
    run_server.rights = {"runtime": shipped(RUN_READS), "writer-1": shipped(RUN_WRITES)}
    return OneCloudRun(run_server, admin)


def test_a_rollback_needs_what_is_granted_and_no_more(rolling: OneCloudRun, run_server: CloudRunServer) -> None:
    """Reads are the runtime identity's, the update and its end the second one's."""
    result = rolling.carried_out(roll_back(rolling))
    assert (result.status, result.reason) == ("done", "rolled_back")
    by_writer = {method for method, bearer in run_server.bearers if bearer == "writer-1"}
    assert by_writer == {"Services/UpdateService", "Operations/WaitOperation"}


@pytest.mark.parametrize(
    ("who", "missing"), [("runtime", "run.services.get"), ("writer-1", "run.services.update"), ("", "getAccessToken")]
)
def test_each_right_that_is_taken_away_names_itself(
    rolling: OneCloudRun, run_server: CloudRunServer, front: IamCredentials, who: str, missing: str
) -> None:
    """The step says which permission is missing, and nothing was changed."""
    change = roll_back(rolling)
    run_server.rights[who] = {*run_server.rights.get(who, ())} - {missing}
    front.creators = front.creators if who else set()
    result = rolling.carried_out(change)
    assert result.status == "failed"
    assert result.detail.startswith("missing permission: ")
    assert result.detail.endswith(missing)
    assert run_server.writes_of("UpdateService") == []


def test_a_change_whose_end_may_not_be_seen_names_the_right(rolling: OneCloudRun, run_server: CloudRunServer) -> None:
    """It was made; the next delivery reads that off the service."""
    change = roll_back(rolling)
    run_server.rights["writer-1"] = ["run.services.update"]
    with pytest.raises(RetryableError, match=r"run\.operations\.get"):
        rolling.carried_out(change)
    result = rolling.carried_out(change, intended=True)
    assert (result.status, len(run_server.writes_of("UpdateService"))) == ("done", 1)
