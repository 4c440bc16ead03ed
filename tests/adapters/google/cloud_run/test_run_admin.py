"""The client of Cloud Run against a local server that speaks Google's protos."""

from __future__ import annotations

import time
from collections.abc import Callable

import grpc
import pytest
from google.cloud.run_v2.types import Revision

from scc_responder.adapters.google.cloud_run.run_admin import MOST_RUN_PAGES, CloudRunAdmin
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.errors import ApiError, OutcomeUnknown, SettingsError
from scc_responder.domain.ports import CloudRunApi
from tests.kits.google.cloud_run.samples import (
    CHECKOUT,
    DEPLOYER,
    NIGHTLY,
    add_job,
    deploy,
    image,
    let_anyone_invoke,
    start_execution,
)
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import now
from tests.kits.google.interpreter import in_fresh_interpreter

SERVICE = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")
JOB = RunName(kind=RunKind.JOB, project="example-project", location="europe-west1", name="nightly")
TO_OLDER = {
    "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "checkout-00001-abc", "percent": 100}]
}


def reason(call: Callable[[], object]) -> tuple[str, int, str]:
    """Reason, status and missing permission of the error that a call raises."""
    with pytest.raises(ApiError) as caught:
        call()
    return str(caught.value.reason), caught.value.status, caught.value.permission


def test_a_service_is_read_in_one_request(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """What it is, what is served, and all that the API says, for evidence."""
    read = run_admin.get_service(SERVICE)

    assert (read.value.name, read.value.generation, read.value.observed) == (SERVICE, 2, 2)
    assert read.value.latest_ready == "checkout-00002-abc"
    assert read.document()["template"]["vpcAccess"]["networkInterfaces"][0]["network"] == "shop"
    assert run_server.requests == [("Services/GetService", CHECKOUT)]


def test_revisions_come_newest_first(run_admin: CloudRunApi) -> None:
    """One is read by its name, too."""
    listed = run_admin.list_revisions(SERVICE, 10)
    assert listed.complete
    assert [item.value.name for item in listed.items] == ["checkout-00002-abc", "checkout-00001-abc"]
    assert run_admin.get_revision(SERVICE, "checkout-00001-abc").value == listed.items[1].value


def test_ten_thousand_revisions_are_read_up_to_the_bound(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """A list that is not read to its end says so, takes few requests, and little time."""
    revisions = run_server.world.revisions
    for number in range(3, 10_001):
        name = f"{CHECKOUT}/revisions/checkout-{number:05d}-abc"
        revisions[name] = Revision(name=name, service="checkout", create_time=now())
    began = time.monotonic()

    listed = run_admin.list_revisions(SERVICE, 1_000)

    assert (len(listed.items), listed.complete) == (1_000, False)
    assert len(run_server.requests) == 2
    assert listed.items[0].value.name == "checkout-10000-abc"
    assert time.monotonic() - began < 10


def test_small_pages_are_bounded_too(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """A server that gives one item a page is not asked for ever."""
    run_server.page_limit = 1
    for _ in range(MOST_RUN_PAGES):
        deploy(run_server.world, image("c"))
    listed = run_admin.list_revisions(SERVICE, 1_000)
    assert (len(listed.items), listed.complete) == (MOST_RUN_PAGES, False)
    assert run_admin.list_revisions(SERVICE, 1).complete is False


def test_a_list_takes_no_longer_than_its_bound(run_server: CloudRunServer) -> None:
    """Pages that come late end with an error, not with a part that looks whole."""
    admin = CloudRunAdmin(endpoint=run_server.endpoint, timeout_seconds=0.2)
    run_server.page_limit = 1
    for _ in range(10):
        deploy(run_server.world, image("c"))
    run_server.stall_next(0.15, count=20)
    assert reason(lambda: admin.list_revisions(SERVICE, 100))[0] == "cloud_run_deadline_exceeded"
    admin.close()


def test_a_job_and_its_executions_are_read(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """What runs now has no end yet."""
    start_execution(run_server.world, add_job(run_server.world))
    assert run_admin.get_job(JOB).value.last_modifier == DEPLOYER
    (execution,) = run_admin.list_executions(JOB, 10).items
    assert (execution.value.running, execution.value.completion_time) == (1, None)
    assert run_admin.get_execution(JOB, "nightly-x7k2p").value == execution.value


def test_traffic_is_moved_under_an_etag(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """The operation ends once the service serves as wanted."""
    read = run_admin.get_service(SERVICE).value
    begun = run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=read.etag)
    assert (begun.done, begun.generation, begun.error) == (False, 3, "")

    ended = run_admin.wait_operation(begun.name, 5.0)

    assert (ended.done, ended.generation, ended.error) == (True, 3, "")
    assert run_admin.get_service(SERVICE).value.traffic_statuses[0].revision == "checkout-00001-abc"
    assert run_server.writes_of("UpdateService") == [CHECKOUT]
    again = reason(lambda: run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=read.etag))
    assert again == ("cloud_run_aborted", 409, "")


def test_an_operation_that_is_not_over_says_so(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """The wait is bounded; it is asked for again by the same name."""
    run_server.world.reconcile_seconds = 60.0
    etag = run_admin.get_service(SERVICE).value.etag
    begun = run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=etag)
    assert run_admin.wait_operation(begun.name, 0.1) == begun


def test_a_failed_operation_says_why(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """By the gRPC code and the API's own words."""
    run_server.world.next_failure = "Revision 'checkout-00001-abc' is not ready."
    etag = run_admin.get_service(SERVICE).value.etag
    begun = run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=etag)
    ended = run_admin.wait_operation(begun.name, 5.0)
    assert (ended.done, ended.error) == (True, "failed_precondition")
    assert ended.message == "Revision 'checkout-00001-abc' is not ready."


def test_validation_alone_writes_nothing(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """Of each of the three writes that can be validated."""
    running = start_execution(run_server.world, add_job(run_server.world))
    service = run_admin.get_service(SERVICE).value
    deploy(run_server.world, image("c"))
    run_server.world.services[CHECKOUT].etag = service.etag
    retired = run_admin.get_revision(SERVICE, "checkout-00001-abc").value
    answers = [
        run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=service.etag, validate_only=True),
        run_admin.delete_revision(SERVICE, retired.name, etag=retired.etag, validate_only=True),
        run_admin.cancel_execution(JOB, "nightly-x7k2p", etag=running.etag, validate_only=True),
    ]
    assert [answer.done for answer in answers] == [True, True, True]
    assert run_server.world.writes == []


def test_a_retired_revision_is_deleted(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """One that serves is not, whatever is asked."""
    retired = run_admin.get_revision(SERVICE, "checkout-00001-abc").value
    begun = run_admin.delete_revision(SERVICE, retired.name, etag=retired.etag)
    assert run_admin.wait_operation(begun.name, 5.0).done
    assert reason(lambda: run_admin.get_revision(SERVICE, retired.name))[:2] == ("cloud_run_not_found", 404)
    serving = reason(lambda: run_admin.delete_revision(SERVICE, "checkout-00002-abc", etag=""))
    assert serving[:2] == ("cloud_run_failed_precondition", 400)


def test_an_execution_is_cancelled_once(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """Then it has ended, and is not cancelled again."""
    running = start_execution(run_server.world, add_job(run_server.world))
    begun = run_admin.cancel_execution(JOB, "nightly-x7k2p", etag=running.etag)
    assert run_admin.wait_operation(begun.name, 5.0).done
    (ended,) = run_admin.list_executions(JOB, 10).items
    assert (ended.value.running, ended.value.cancelled) == (0, 1)
    assert ended.value.conditions[0].reason == "CANCELLED"
    again = reason(lambda: run_admin.cancel_execution(JOB, "nightly-x7k2p", etag=""))
    assert again[:2] == ("cloud_run_failed_precondition", 400)


def test_invokers_are_removed_under_the_policys_etag(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """The whole policy is written back, but for them."""
    let_anyone_invoke(run_server.world)
    read = run_admin.get_iam_policy(SERVICE)
    assert read.value.bindings[0].members == ("allUsers", f"serviceAccount:{DEPLOYER}")
    document = read.document()
    document["bindings"][0]["members"].remove("allUsers")

    assert run_admin.set_iam_policy(SERVICE, document).value.bindings[0].members == (f"serviceAccount:{DEPLOYER}",)

    assert reason(lambda: run_admin.set_iam_policy(SERVICE, document))[:2] == ("cloud_run_aborted", 409)
    add_job(run_server.world)
    assert run_admin.get_iam_policy(JOB).value.bindings == ()
    assert run_server.requests[-1] == ("Jobs/GetIamPolicy", NIGHTLY)


def test_what_the_caller_may_do_is_asked(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """A permission that is missing is named by the error of the call that needs it, too."""
    run_server.granted = {"run.services.get"}
    assert run_admin.test_iam_permissions(SERVICE, ["run.services.get", "run.services.setIamPolicy"]) == {
        "run.services.get"
    }
    refused = reason(lambda: run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag=""))
    assert refused == ("cloud_run_permission_denied", 403, "run.services.update")
    assert reason(lambda: run_admin.list_revisions(SERVICE, 5))[2] == "run.revisions.list"


def test_a_write_without_an_answer_may_have_been_applied(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """The generation tells whether it was."""
    run_server.lost_answers = 1
    with pytest.raises(OutcomeUnknown, match="reset"):
        run_admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag="")
    assert run_admin.get_service(SERVICE).value.generation == 3


def test_a_call_ends_at_its_deadline(run_server: CloudRunServer) -> None:
    """A read failed; of a write nobody knows."""
    admin = CloudRunAdmin(endpoint=run_server.endpoint, timeout_seconds=0.2)
    run_server.stall_next(3.0, count=2)
    assert reason(lambda: admin.get_service(SERVICE))[:2] == ("cloud_run_deadline_exceeded", 504)
    with pytest.raises(OutcomeUnknown):
        admin.update_service(SERVICE, TO_OLDER, mask=["traffic"], etag="")
    admin.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (RunName(kind=RunKind.SERVICE, project="example-project", location="europe-nowhere9", name="a"), 404),
        (RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="gone"), 404),
        (RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="../jobs/a"), 400),
        (RunName(kind=RunKind.SERVICE, project="UPPER", location="europe-west1", name="checkout"), 400),
    ],
)
def test_a_bad_name_is_a_refusal(run_admin: CloudRunApi, name: RunName, expected: int) -> None:
    """One with other characters than names have is sent nowhere."""
    assert reason(lambda: run_admin.get_service(name))[1] == expected


@pytest.mark.parametrize("child", ["", "a/b", "checkout-1:cancel", "Ä", "x" * 64])
def test_a_bad_revision_is_asked_nowhere(run_admin: CloudRunApi, run_server: CloudRunServer, child: str) -> None:
    """No request is made of a text."""
    assert reason(lambda: run_admin.get_revision(SERVICE, child))[:2] == ("cloud_run_invalid_argument", 400)
    assert reason(lambda: run_admin.wait_operation(f"projects/p/{child}", 1.0))[1] == 400
    assert run_server.requests == []


def test_a_project_number_is_a_name_too(run_admin: CloudRunApi, run_server: CloudRunServer) -> None:
    """The answer says the id."""
    run_server.project_numbers["123456789012"] = "example-project"
    numbered = RunName(kind=RunKind.SERVICE, project="123456789012", location="europe-west1", name="checkout")
    assert run_admin.get_service(numbered).value.name == SERVICE


def test_another_machine_is_no_stand_in() -> None:
    """Plaintext goes to this machine alone."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_RUN_ENDPOINT"):
        CloudRunAdmin(endpoint="192.0.2.1:443")


def test_the_server_refuses_a_request_that_is_routed_nowhere(run_server: CloudRunServer) -> None:
    """The location stands in a header: Google's global address needs it of each call."""
    with grpc.insecure_channel(run_server.endpoint) as channel:
        call = channel.unary_unary("/google.cloud.run.v2.Services/GetService")
        with pytest.raises(grpc.RpcError, match="routed nowhere"):
            call(b"\x0a" + bytes([len(CHECKOUT)]) + CHECKOUT.encode(), timeout=5.0)


def test_a_write_loads_no_asynchronous_client(run_server: CloudRunServer) -> None:
    """Neither REST transports nor asyncio are read for the first rollback."""
    script = f"""
import json, sys
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.cloud_run.run_names import RunName
admin = CloudRunAdmin(endpoint={run_server.endpoint!r})
name = RunName.parse({CHECKOUT!r})
begun = admin.update_service(name, {TO_OLDER!r}, mask=["traffic"], etag=admin.get_service(name).value.etag)
admin.wait_operation(begun.name, 5.0)
unused = ("aiohttp", "cryptography", "google.cloud.run_v2.services.services.async_client")
print(json.dumps([name for name in unused if name in sys.modules]))
"""
    assert in_fresh_interpreter(script) == []
