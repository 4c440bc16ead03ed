"""Google's messages as the values that decisions look at."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud import run_v2
from google.cloud.run_v2.types import Condition, Service, ServiceScaling, TrafficTarget, TrafficTargetStatus
from google.iam.v1 import policy_pb2
from google.type import expr_pb2

from scc_responder.adapters.google.cloud_run.run_messages import (
    execution_value,
    job_value,
    policy_value,
    revision_value,
    service_value,
)
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunScaling, RunTraffic
from tests.kits.google.cloud_run.samples import (
    CHECKOUT,
    DEPLOYER,
    IDENTITY,
    INVOKER,
    NIGHTLY,
    add_job,
    deploy,
    image,
    start_execution,
)
from tests.kits.google.cloud_run.world import World

SERVICE = RunName.parse(CHECKOUT)
JOB = RunName.parse(NIGHTLY)
assert SERVICE is not None
assert JOB is not None
DIGEST = f"sha256:{'b' * 64}"
RUNS = (RunContainer(name="app", image=image("b"), digest=DIGEST),)


def raw(message: Any) -> Any:
    """Protobuf's own message."""
    return type(message).pb(message)


def deployed() -> World:
    """A service with one revision."""
    world = World()
    deploy(world, image("b"))
    return world


def test_a_service_says_who_made_it_and_what_it_serves() -> None:
    """Names of revisions are short, whichever way the API spells them."""
    value = service_value(raw(deployed().services[CHECKOUT]), SERVICE)
    assert (value.name, value.creator, value.last_modifier, value.service_account) == (
        SERVICE,
        DEPLOYER,
        DEPLOYER,
        IDENTITY,
    )
    assert (value.latest_ready, value.latest_created) == ("checkout-00001-abc", "checkout-00001-abc")
    assert value.traffic == (RunTraffic(latest=True, percent=100),)
    assert value.traffic_statuses == (RunTraffic(latest=True, revision="checkout-00001-abc", percent=100),)
    assert (value.ingress, value.uris[0][:16]) == ("INGRESS_TRAFFIC_ALL", "https://checkout")
    assert value.containers == RUNS
    assert value.ready is not None
    assert (value.ready.type, value.ready.state) == ("Ready", "CONDITION_SUCCEEDED")


def test_an_empty_service_has_nothing() -> None:
    """What the API leaves out is empty or None, and the name is the one that was asked for."""
    value = service_value(raw(Service()), SERVICE)
    assert (value.name, value.ready, value.create_time, value.traffic, value.ingress) == (
        SERVICE,
        None,
        None,
        (),
        "INGRESS_TRAFFIC_UNSPECIFIED",
    )


def test_a_tag_has_an_address_of_its_own() -> None:
    """It serves whatever its share of the requests is."""
    tagged = TrafficTargetStatus(revision=f"{CHECKOUT}/revisions/checkout-1", tag="old", uri="https://old---c.run.app")
    value = service_value(raw(Service(traffic_statuses=[tagged])), SERVICE)
    assert value.traffic_statuses == (RunTraffic(revision="checkout-1", tag="old", uri="https://old---c.run.app"),)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (ServiceScaling(), RunScaling()),
        (ServiceScaling(min_instance_count=2, max_instance_count=5), RunScaling(minimum=2, maximum=5)),
        (
            ServiceScaling(scaling_mode=ServiceScaling.ScalingMode.MANUAL, manual_instance_count=0),
            RunScaling(mode="MANUAL", manual=0),
        ),
        (
            ServiceScaling(scaling_mode=ServiceScaling.ScalingMode.AUTOMATIC),
            RunScaling(mode="AUTOMATIC"),
        ),
    ],
)
def test_scaling_tells_zero_from_absent(message: ServiceScaling, expected: RunScaling) -> None:
    """A manual count of 0 means no instance; a count that is not set means nothing."""
    assert service_value(raw(Service(scaling=message)), SERVICE).scaling == expected


def test_an_unknown_value_of_an_enum_is_its_number() -> None:
    """A later version of the API does not stop the read."""
    message = raw(Service(traffic=[TrafficTarget(percent=1)]))
    message.ingress = 77
    assert service_value(message, SERVICE).ingress == "77"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ({"reason": Condition.CommonReason.CONTAINER_MISSING}, "CONTAINER_MISSING"),
        ({"revision_reason": Condition.RevisionReason.RETIRED}, "RETIRED"),
        ({"execution_reason": Condition.ExecutionReason.CANCELLED}, "CANCELLED"),
        ({}, ""),
    ],
)
def test_a_condition_says_its_reason(kind: dict[str, Any], expected: str) -> None:
    """Whichever of the three kinds it is."""
    found = Condition(type_="Ready", state=Condition.State.CONDITION_FAILED, **kind)
    value = revision_value(raw(run_v2.Revision(conditions=[found])))
    assert (value.ready, value.conditions[0].reason) == (False, expected)


def test_a_revision_has_the_digests_of_its_images() -> None:
    """A tag says nothing about the image that runs."""
    world = deployed()
    deploy(world, "europe-west1-docker.pkg.dev/example-project/shop/checkout:latest")
    pinned, tagged = (revision_value(raw(item)) for item in world.revisions.values())
    assert (pinned.name, pinned.service, pinned.ready) == ("checkout-00001-abc", "checkout", True)
    assert pinned.digests == {DIGEST}
    assert tagged.digests == frozenset()
    assert pinned.create_time is not None
    assert pinned.create_time.tzinfo is not None


def test_a_job_and_its_execution_say_what_runs() -> None:
    """The execution has the image that it was started with."""
    world = World()
    job = add_job(world, reference=image("b"))
    execution = execution_value(raw(start_execution(world, job)))
    value = job_value(raw(job), JOB)
    assert (value.name, value.latest_execution, value.containers) == (JOB, "nightly-x7k2p", RUNS)
    assert (execution.job, execution.running, execution.containers) == ("nightly", 1, RUNS)
    assert (execution.completion_time, execution.start_time is not None) == (None, True)


def test_a_policy_keeps_its_conditions() -> None:
    """Its etag is text here, and in its document."""
    condition = expr_pb2.Expr(title="office hours", expression="request.time.getHours() < 18")
    binding = policy_pb2.Binding(role=INVOKER, members=["allUsers"], condition=condition)
    value = policy_value(policy_pb2.Policy(version=3, etag=b"\x01\x02", bindings=[binding]))
    assert (value.etag, value.version) == ("AQI=", 3)
    assert value.bindings[0].condition == "request.time.getHours() < 18"
