"""What a finding may name that Cloud Run has not, or not any more: one named reason each, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from google.cloud.run_v2.types import IngressTraffic, Revision
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import GOOD, RunDeployment, escape, run_deployed, run_notification, run_policy
from tests.kits.google.cloud_run.samples import CHECKOUT
from tests.kits.google.cloud_run.world import World, condition

ROLLS_BACK = run_policy("capture_evidence", "roll_back_service", "notify", mode="enforce")
NAME = f"//run.googleapis.com/{CHECKOUT}"


@pytest.fixture
def running(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A responder that may roll back every service of the project, which it knows by its id."""
    with run_deployed(tmp_path, cluster, ROLLS_BACK) as made:
        made.server.project_numbers["100000000001"] = "example-project"
        listed = ("projects/example-project/locations/*/services/*",)
        made.services.settings = replace(made.services.settings, services=listed)
        yield made


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


def internal(world: World) -> None:
    """Nobody reaches the service from outside."""
    world.services[CHECKOUT].ingress = IngressTraffic.INGRESS_TRAFFIC_INTERNAL_ONLY


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
    running: RunDeployment, names: Names, befalls: Callable[[World], None], reason: str
) -> None:
    """Evidence is kept and people are told, whatever the finding names."""
    befalls(running.server.world)
    name, resource = names
    document = run_notification(name, **resource)
    ending = running.respond_to(document)

    steps = {step.action: step for step in running.case(document).steps if step.policy}
    assert (ending.status, steps["roll_back_service"].reason) == (204, reason)
    assert steps["capture_evidence"].status == "done"
    assert steps["notify"].status == "done"
    sent = reason in {"rolled_back", "reconciliation_failed"}
    assert len(running.server.writes_of("UpdateService")) == sent
    again = [step for step in running.case(document).steps if step.change.get("change") == "capture_again"]
    assert len(again) == sent


@pytest.mark.parametrize(
    ("befalls", "told"),
    [(deleting, "service_deleting, "), (failed, "reconciliation_failed: port 8080 is closed, ")],
)
def test_the_evidence_says_what_state_the_service_is_in(
    running: RunDeployment, befalls: Callable[[World], None], told: str
) -> None:
    """A person reads it before anything else of the service."""
    befalls(running.server.world)
    document = run_notification(NAME)
    running.respond_to(document)
    assert f"; {told}checkout-00002-abc, " in running.case(document).steps[0].detail


def test_the_kill_switch_of_a_project_holds_what_names_its_number(running: RunDeployment) -> None:
    """The finding says the number alone; the switch is set for the id, which Cloud Run tells."""
    running.turn("dry_run", "projects/example-project")
    document = run_notification(NUMBERED)
    running.respond_to(document)
    assert "roll_back_service: would_update_service" in running.outcomes(document)
    assert running.server.writes_of("UpdateService") == []
    running.turn("disabled", "projects/example-project")
    other = run_notification(NUMBERED)
    other["finding"]["name"] = other["finding"]["name"].replace("ad195f69", "ad195f70")
    other["finding"]["canonicalName"] = other["finding"]["canonicalName"].replace("ad195f69", "ad195f70")
    running.respond_to(other)
    assert running.case(other).state == "held"
    assert running.case(other).steps == ()


PARTIAL = "identity_unknown:partial_list"


@pytest.mark.parametrize(
    ("outcome", "befalls", "revision"),
    [
        (f"cut_ingress: {PARTIAL}", crowded, ""),
        (f"remove_invokers: {PARTIAL}", crowded, ""),
        (f"scale_to_zero: {PARTIAL}", crowded, ""),
        ("roll_back_service: image_differs", nothing, GOOD),
        ("cut_ingress: image_differs", internal, GOOD),
    ],
)
def test_what_is_not_known_to_be_meant_is_held_for_its_reason(
    tmp_path: Path, cluster: SimulatedCluster, outcome: str, befalls: Callable[[World], None], revision: str
) -> None:
    """The revisions were not all read, or the finding's revision does not run its image: nothing counts as done."""
    action = outcome.partition(":")[0]
    with run_deployed(tmp_path, cluster, run_policy("capture_evidence", action, mode="enforce")) as running:
        befalls(running.world)
        document = escape(**({"sourceProperties": {"Revision": revision}} if revision else {}))
        running.respond_to(document)
        assert outcome in running.outcomes(document)
        assert (running.case(document).state, running.writes()) == ("held", [])
