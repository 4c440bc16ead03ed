"""The local Cloud Run answers as the real one says it does: here by Google's own client, without the responder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.api_core import exceptions
from google.cloud import run_v2
from google.cloud.run_v2.services.services.transports import ServicesGrpcTransport
from google.cloud.run_v2.types import IngressTraffic, Service, ServiceScaling, TrafficTarget
from google.iam.v1 import policy_pb2
from google.protobuf import field_mask_pb2

from tests.kits.google.cloud_run.samples import CHECKOUT, DEPLOYER, deploy, image, let_anyone_invoke
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import LATEST, World, condition

REVISION = run_v2.TrafficTargetAllocationType.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


class Seconds:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Seconds:
    """The server's own clock."""
    return Seconds()


@pytest.fixture
def server(clock: Seconds) -> Iterator[CloudRunServer]:
    """A Cloud Run whose service `checkout` has an older and a bad revision."""
    world = World(clock=clock)
    deploy(world, image("a"))
    deploy(world, image("b"))
    with CloudRunServer(world) as started:
        yield started


@pytest.fixture
def client(server: CloudRunServer) -> Iterator[run_v2.ServicesClient]:
    """Google's client of services."""
    with grpc.insecure_channel(server.endpoint) as channel:
        yield run_v2.ServicesClient(transport=ServicesGrpcTransport(channel=channel))


def update(client: run_v2.ServicesClient, *paths: str, validate_only: bool = False, **fields: Any) -> Any:
    """Update the fields of `paths`; the operation."""
    mask = field_mask_pb2.FieldMask(paths=paths)
    request = run_v2.UpdateServiceRequest(
        service=Service(name=CHECKOUT, **fields), update_mask=mask, validate_only=validate_only
    )
    return client.update_service(request=request, timeout=5.0)


def to_revision(short: str, tag: str = "") -> list[TrafficTarget]:
    """All requests to one revision."""
    return [TrafficTarget(type_=REVISION, revision=short, percent=100, tag=tag)]


def test_moved_traffic_is_read_back_after_two_seconds(
    client: run_v2.ServicesClient, server: CloudRunServer, clock: Seconds
) -> None:
    """Until the change is reconciled the service says so, and what is served is as before."""
    operation = update(client, "traffic", traffic=to_revision("checkout-00001-abc", "safe"))
    before = client.get_service(name=CHECKOUT)
    assert (before.generation, before.observed_generation, before.reconciling) == (3, 2, True)
    assert before.terminal_condition.state.name == "CONDITION_RECONCILING"
    assert before.traffic_statuses[0].revision == "checkout-00002-abc"

    clock.now += 2.0
    after = client.get_service(name=CHECKOUT)

    assert (after.observed_generation, after.reconciling) == (3, False)
    assert after.traffic_statuses[0].revision == "checkout-00001-abc"
    assert after.traffic_statuses[0].uri.startswith("https://safe---checkout-")
    assert operation.result(timeout=5.0).generation == 3
    assert server.writes_of("UpdateService") == [CHECKOUT]


def test_a_new_template_is_a_new_revision(
    client: run_v2.ServicesClient, server: CloudRunServer, clock: Seconds
) -> None:
    """It gets the requests once it is ready, where they go to the latest; its name may be ours."""
    template = client.get_service(name=CHECKOUT).template
    template.revision = "checkout-clean-1"
    update(client, "template", template=template)
    pending = client.get_service(name=CHECKOUT)
    assert pending.latest_created_revision.endswith("/checkout-clean-1")
    assert pending.latest_ready_revision.endswith("/checkout-00002-abc")

    clock.now += 2.0

    assert client.get_service(name=CHECKOUT).traffic_statuses[0].revision == "checkout-clean-1"


def test_a_failed_reconciliation_leaves_what_is_served(
    client: run_v2.ServicesClient, server: CloudRunServer, clock: Seconds
) -> None:
    """The condition says why, and so does the operation."""
    server.world.next_failure = "Revision 'checkout-00001-abc' is not ready and cannot serve traffic."
    operation = update(client, "traffic", traffic=to_revision("checkout-00001-abc"))
    clock.now += 2.0

    after = client.get_service(name=CHECKOUT)

    assert after.terminal_condition.state.name == "CONDITION_FAILED"
    assert (after.observed_generation, after.traffic_statuses[0].revision) == (3, "checkout-00002-abc")
    with pytest.raises(exceptions.FailedPrecondition, match="cannot serve traffic"):
        operation.result(timeout=5.0)


def test_validation_alone_changes_nothing(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """The answer is the service as it would be."""
    operation = update(client, "ingress", validate_only=True, ingress=IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY)

    assert operation.done()
    assert operation.result(timeout=5.0).ingress == IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY
    assert client.get_service(name=CHECKOUT).ingress == IngressTraffic.INGRESS_TRAFFIC_ALL
    assert server.world.writes == []


def test_the_same_again_is_no_new_generation(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """A write of what is there already is done at once."""
    traffic = [TrafficTarget(type_=LATEST, percent=100)]
    assert update(client, "traffic", traffic=traffic).done()
    assert client.get_service(name=CHECKOUT).generation == 2


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, Any], type[Exception], str]] = {
    "another version": (("ingress",), {"etag": '"older"', "ingress": 2}, exceptions.Aborted, "version '\"older\"'"),
    "no such revision": (
        ("traffic",),
        {"traffic": to_revision("checkout-9")},
        exceptions.FailedPrecondition,
        "not found",
    ),
    "half of the requests": (
        ("traffic",),
        {"traffic": [TrafficTarget(type_=LATEST, percent=50)]},
        exceptions.InvalidArgument,
        "sum to 100",
    ),
    "an output": (("uid",), {"uid": "other"}, exceptions.InvalidArgument, "Invalid update_mask: uid"),
    "a foreign revision name": (
        ("template",),
        {"template": {"revision": "other-1"}},
        exceptions.InvalidArgument,
        "must be prefixed with 'checkout-'",
    ),
    "a taken revision name": (
        ("template",),
        {"template": {"revision": "checkout-00001-abc"}},
        exceptions.AlreadyExists,
        "already exists",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_update_is_refused(client: run_v2.ServicesClient, server: CloudRunServer, case: str) -> None:
    """Nothing is written."""
    paths, fields, error, message = REFUSED[case]
    with pytest.raises(error, match=message):
        update(client, *paths, **fields)
    assert server.world.writes == []


def test_an_absent_instance_count_stays_absent(client: run_v2.ServicesClient, clock: Seconds) -> None:
    """Scaling is replaced as a whole, with its mode."""
    wanted = ServiceScaling(scaling_mode=ServiceScaling.ScalingMode.MANUAL, manual_instance_count=0)
    update(client, "scaling", scaling=wanted)
    assert "manual_instance_count" in client.get_service(name=CHECKOUT).scaling
    update(client, "scaling", scaling=ServiceScaling(min_instance_count=1))
    assert "manual_instance_count" not in client.get_service(name=CHECKOUT).scaling


def test_a_service_that_is_being_deleted_takes_no_update(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """It is there still, and nothing can be changed on it."""
    server.world.services[CHECKOUT].delete_time = condition("Ready").last_transition_time
    with pytest.raises(exceptions.FailedPrecondition, match="is being deleted"):
        update(client, "ingress", ingress=IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY)


def test_a_policy_is_replaced_under_its_etag(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """A policy that another writer changed meanwhile is left as it is."""
    let_anyone_invoke(server.world)
    read = client.get_iam_policy(request={"resource": CHECKOUT})
    closed = policy_pb2.Policy(version=1, etag=read.etag)
    client.set_iam_policy(request={"resource": CHECKOUT, "policy": closed})
    with pytest.raises(exceptions.Aborted, match="concurrent policy changes"):
        client.set_iam_policy(request={"resource": CHECKOUT, "policy": read})
    assert list(client.get_iam_policy(request={"resource": CHECKOUT}).bindings) == []


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        (CHECKOUT.replace("checkout", "gone"), exceptions.NotFound, "'gone' of kind 'SERVICE' in region"),
        (CHECKOUT.replace("west1", "nowhere9"), exceptions.NotFound, "Location europe-nowhere9 is not found"),
        ("services/checkout", exceptions.InvalidArgument, "Invalid resource name"),
    ],
)
def test_a_name_that_is_not_there_is_refused(
    client: run_v2.ServicesClient, name: str, error: type[Exception], message: str
) -> None:
    """In the words of the real API."""
    with pytest.raises(error, match=message):
        client.get_service(name=name)


def test_a_number_stands_for_its_project(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """The answer names the project by its id."""
    server.project_numbers["123456789012"] = "example-project"
    assert client.get_service(name=CHECKOUT.replace("example-project", "123456789012")).name == CHECKOUT


def test_a_missing_permission_is_named(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """Each method needs its own; what one may do may be asked with none."""
    server.granted = {"run.services.get"}
    assert client.get_service(name=CHECKOUT).last_modifier == DEPLOYER
    with pytest.raises(exceptions.PermissionDenied, match=r"run\.services\.update"):
        update(client, "ingress", ingress=2)
    asked = {"resource": CHECKOUT, "permissions": ["run.services.get", "run.services.update"]}
    assert client.test_iam_permissions(request=asked).permissions == ["run.services.get"]


def test_a_lost_answer_was_carried_out(client: run_v2.ServicesClient, server: CloudRunServer) -> None:
    """The generation tells."""
    server.lost_answers = 1
    with pytest.raises(exceptions.ServiceUnavailable):
        update(client, "ingress", ingress=IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY)
    assert client.get_service(name=CHECKOUT).generation == 3
