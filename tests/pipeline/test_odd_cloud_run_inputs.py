"""What a finding may name that Cloud Run has not, or not any more: one named reason each, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from google.cloud.run_v2.types import Revision

from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.clock import utc_now
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.findings import notification
from tests.kits.google.cloud_run.samples import CHECKOUT, IMAGE, deploy, image
from tests.kits.google.cloud_run.server import CloudRunServer
from tests.kits.google.cloud_run.world import World, condition
from tests.kits.responder import Deployment, deployed, policy

NAME = f"//run.googleapis.com/{CHECKOUT}"
ROLLS_BACK = policy("capture_evidence", "roll_back_service", "notify", when="surface: cloud_run")
LISTED = "projects/example-project/locations/*/services/*"


@pytest.fixture
def server() -> Iterator[CloudRunServer]:
    """A service with a safe and a compromised revision, some days old."""
    world = World(reconcile_seconds=0.1)
    for letter in ("a", "b"):
        deploy(world, image(letter))
    for number, item in enumerate([world.services[CHECKOUT], *world.revisions.values()]):
        item.create_time = utc_now() - timedelta(days=9 - number)
    with CloudRunServer(world) as started:
        started.project_numbers["100000000001"] = "example-project"
        yield started


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster, server: CloudRunServer) -> Iterator[Deployment]:
    """A responder that may roll back every service of the project."""
    made = deployed(tmp_path, cluster, ROLLS_BACK, services=LISTED)
    api = CloudRunAdmin(endpoint=server.endpoint, timeout_seconds=5.0)
    made.services.run = api
    yield made
    api.close()


def about(name: str, **resource: str) -> dict[str, Any]:
    """A finding about this resource, which says what image it ran."""
    now = utc_now().isoformat().replace("+00:00", "Z")
    container = {"name": "app", "imageId": f"{IMAGE}@sha256:{'b' * 64}"}
    inner = {"containers": [container], "resourceName": name}
    document = notification("cloud_run_container_escape", event_time=now, finding=inner)
    document["resource"] |= {"name": name, "displayName": name.rpartition("/")[2], **resource}
    return document


def nothing(_world: World) -> None:
    """Cloud Run is as it was."""


def deleting(world: World) -> None:
    """Somebody deletes the service."""
    world.services[CHECKOUT].delete_time = utc_now()


def failed(world: World) -> None:
    """The last deploy did not become ready."""
    world.services[CHECKOUT].terminal_condition = condition("Ready", succeeded=False, message="port 8080 is closed")


def failing(world: World) -> None:
    """The next change does not become ready."""
    world.next_failure = "port 8080 is closed"


def crowded(world: World) -> None:
    """There are ten thousand revisions."""
    for number in range(3, 10_001):
        name = f"{CHECKOUT}/revisions/checkout-{number:05d}-abc"
        world.revisions[name] = Revision(name=name, service="checkout", create_time=utc_now())


OTHER_REGION = NAME.replace("europe-west1", "us-central1")
NO_REGION = NAME.replace("europe-west1", "europe-nowhere9")
GONE = f"{NAME}/revisions/checkout-00099-xyz"
NUMBERED = NAME.replace("example-project", "100000000001")
OTHER_NUMBER = NAME.replace("example-project", "999999999999")
ABROAD = {"location": "us-central1"}
Names = tuple[str, dict[str, str]]
CASES = [
    pytest.param((OTHER_REGION, ABROAD), nothing, "target_absent", id="other region"),
    pytest.param((NO_REGION, {"location": "europe-nowhere9"}), nothing, "target_absent", id="no such region"),
    pytest.param((NAME, ABROAD), nothing, "contradiction:location", id="two regions"),
    pytest.param((NUMBERED, {}), nothing, "rolled_back", id="number of the project"),
    pytest.param((OTHER_NUMBER, {}), nothing, "contradiction:project", id="two numbers"),
    pytest.param((GONE, {}), nothing, "revision_gone", id="revision gone"),
    pytest.param((NAME, {}), deleting, "service_deleting", id="service being deleted"),
    pytest.param((NAME, {}), failed, "rolled_back", id="last deploy failed"),
    pytest.param((NAME, {}), failing, "reconciliation_failed", id="own change not ready"),
    pytest.param((NAME, {}), crowded, "partial_list", id="ten thousand revisions"),
]


@pytest.mark.parametrize(("names", "befalls", "reason"), CASES)
def test_odd_input_has_one_named_reason(
    deployment: Deployment, server: CloudRunServer, names: Names, befalls: Callable[[World], None], reason: str
) -> None:
    """Evidence is kept and people are told, whatever the finding names."""
    befalls(server.world)
    name, resource = names
    document = about(name, **resource)
    ending = deployment.respond_to(document)

    steps = {step.action: step for step in deployment.case(document).steps if step.policy}
    assert (ending.status, steps["roll_back_service"].reason) == (204, reason)
    assert steps["capture_evidence"].status == "done"
    assert steps["notify"].status == "done"
    sent = reason in {"rolled_back", "reconciliation_failed"}
    assert len(server.writes_of("UpdateService")) == sent
    assert any(not step.policy for step in deployment.case(document).steps if step.action == "capture_evidence") == sent


@pytest.mark.parametrize(
    ("befalls", "told"),
    [(deleting, "service_deleting, "), (failed, "reconciliation_failed: port 8080 is closed, ")],
)
def test_the_evidence_says_what_state_the_service_is_in(
    deployment: Deployment, server: CloudRunServer, befalls: Callable[[World], None], told: str
) -> None:
    """A person reads it before anything else of the service."""
    befalls(server.world)
    document = about(NAME)
    deployment.respond_to(document)
    assert f"; {told}checkout-00002-abc, " in deployment.case(document).steps[0].detail


def test_the_kill_switch_of_a_project_holds_what_names_its_number(
    deployment: Deployment, server: CloudRunServer
) -> None:
    """The finding says the number alone; the switch is set for the id, which Cloud Run tells."""
    deployment.turn("dry_run", "projects/example-project")
    document = about(NUMBERED)
    deployment.respond_to(document)
    assert "roll_back_service: would_update_service" in deployment.outcomes(document)
    assert server.writes_of("UpdateService") == []
    deployment.turn("disabled", "projects/example-project")
    other = about(NUMBERED)
    other["finding"]["name"] = other["finding"]["name"].replace("ad195f69", "ad195f70")
    other["finding"]["canonicalName"] = other["finding"]["canonicalName"].replace("ad195f69", "ad195f70")
    deployment.respond_to(other)
    assert deployment.case(other).state == "held"
    assert deployment.case(other).steps == ()
