"""A finding of Cloud Run from its publication to its verified rollback, with the rendered rights alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.domain.permissions import GET_ACCESS_TOKEN
from scc_responder.domain.status import CaseState
from tests.counts import Cases
from tests.findings import notification
from tests.kits.google.cloud_run.samples import deploy, image
from tests.kits.google.cloud_run.world import World
from tests.kits.google.grpc_servers import item
from tests.kits.responder import SHIPPED
from tests.rehearsal.rendered import Rendered
from tests.rehearsal.stage import Response, Served, Stage
from tests.rehearsal.test_refusals import told
from tests.rehearsal.zipped import raised
from tests.requirements import NOTE
from tests.terraform.checking import OwnTests

pytestmark = pytest.mark.timeout(300)

SERVICE = "projects/shop-prod/locations/europe-west1/services/checkout"
MALWARE = "catalogue/cloud_run_threat_detection/cloud_run_added_malicious_binary_executed"
GOOD = "checkout-00001-abc"
SETTINGS = ("SCC_RESPONDER_RUN_WRITER", "SCC_RESPONDER_SERVICES")
ENDS = {CaseState.WAITING, CaseState.PARTIAL, CaseState.HELD, CaseState.DONE}


@pytest.fixture(scope="module")
def of_cloud_run(tested: OwnTests) -> Rendered:
    """A deployment that may change services of one project."""
    return Rendered(tested.states()["delivery/delivery_settings"])


@pytest.fixture(scope="module")
def deployed(stage: Stage, of_cloud_run: Rendered, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The function with the policy that rolls back raised as it says itself, and taken off the ceiling."""
    guardrails = (SHIPPED / "guardrails.yaml").read_text()
    assert "      - roll_back_service\n" in guardrails
    rails = guardrails.replace("      - roll_back_service\n", "")
    folder = raised(tmp_path_factory.mktemp("at-once"), rails, at_once=["contain-cloud-run-malware"])
    with stage.served(folder, **{name: of_cloud_run.environment[name] for name in SETTINGS}) as served:
        yield served


@pytest.fixture
def served(deployed: Served, of_cloud_run: Rendered) -> Served:
    """The function with an empty journal, and a service whose second revision is compromised."""
    deployed.start_over()
    world = deployed.stage.cloud_run.world
    forget(world)
    for letter in ("a", "b"):
        deploy(world, image(letter), SERVICE)
    for number, made in enumerate([world.services[SERVICE], *world.revisions.values()]):
        made.create_time = utc_now() - timedelta(days=9 - number)
    deployed.stage.cloud_run.bearers.clear()
    deployed.stage.grant_cloud_run(of_cloud_run)
    return deployed


def forget(world: World) -> None:
    """Go on without what an earlier test left there."""
    for held in (world.services, world.revisions, world.operations, world.policies):
        held.clear()
    world.writes.clear()


def malware(stage: Stage) -> dict[str, Any]:
    """A finding of malware in the compromised revision, now, whose image it names."""
    now = utc_now().isoformat().replace("+00:00", "Z")
    containers = [{"name": "checkout", "imageId": image("b")}]
    document = notification(MALWARE, event_time=now, finding_id=uuid4().hex, finding={"containers": containers})
    placed: dict[str, Any] = json.loads(json.dumps(document).replace("example-project", "shop-prod"))
    stage.security_center.items.append(item(placed))
    return placed


def served_by(stage: Stage) -> dict[str, int]:
    """The share of the requests that each revision gets."""
    return {item.revision: item.percent for item in stage.cloud_run.world.services[SERVICE].traffic_statuses}


def test_a_published_finding_ends_rolled_back(served: Served, record_property: pytest.RecordProperty) -> None:
    """With the rendered roles of two identities alone: one reads, the other changes, and nothing is refused."""
    response = served.respond(malware(served.stage), until=ENDS)

    assert "roll_back_service: rolled_back" in response.steps, response.log
    assert served_by(served.stage) == {GOOD: 100}
    assert "missing permission: run." not in told(response)
    changing = {method for method, bearer in served.stage.cloud_run.bearers if bearer != served.stage.token}
    assert changing == {"Services/UpdateService", "Operations/WaitOperation"}
    settled = {step.action: step.settled_at for step in reversed(response.case.steps)}
    moments = {
        "delivered": response.deliveries[0].received,
        "claimed": response.case.opened_at,
        "evidence": settled["capture_evidence"],
        "verified": settled["roll_back_service"],
    }
    took = {name: round((at - response.published).total_seconds() * 1000) for name, at in moments.items() if at}
    assert list(took.values()) == sorted(took.values())
    said = ", ".join(f"{name} {milliseconds}" for name, milliseconds in took.items())
    record_property(NOTE, f"Rehearsal of Cloud Run, milliseconds from publish: {said}.")


READS = ("run.revisions.list", "run.services.get", "run.services.getIamPolicy")
CHANGES = ("run.operations.get", "run.services.update", GET_ACCESS_TOKEN)
TAKEN = Cases("rights on Cloud Run taken away in a rehearsal", CHANGES[1:], [*READS, *CHANGES])


@pytest.mark.parametrize("missing", TAKEN.chosen)
def test_each_right_that_is_taken_away_is_named(served: Served, of_cloud_run: Rendered, missing: str) -> None:
    """By the case or the log; without a right to read or to change it, the service is served as before."""
    served.stage.grant_cloud_run(of_cloud_run, without=missing)
    if missing == GET_ACCESS_TOKEN:
        served.restart()

    response: Response = served.respond(malware(served.stage))

    assert missing in told(response)
    unchanged = missing in {"run.revisions.list", "run.services.get", "run.services.update", GET_ACCESS_TOKEN}
    assert (served.stage.cloud_run.world.writes == []) is unchanged
