"""What in Cloud Run is never changed, whatever a policy says."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.context import Context
from scc_responder.domain.finding import CloudRunTarget
from scc_responder.domain.resource_names import parse_cloud_run
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN, RunReach, run_reach, run_reason
from scc_responder.intake.threats import classify
from tests.kits.run_values import NAMED, run_finding, run_service
from tests.kits.settings import local_settings

PLACE = "projects/example-project/locations/europe-west1"
ALL = ("projects/*/locations/*/services/*", "projects/*/locations/*/jobs/*")
OWN = RunReach(
    services=ALL,
    own_name="scc-responder",
    own_revision="scc-responder-00007-abc",
    own_path=f"{PLACE}/services/responder",
)


def named(rest: str) -> CloudRunTarget | None:
    return parse_cloud_run(f"//run.googleapis.com/{rest if rest.startswith('projects/') else f'{PLACE}/{rest}'}")


def about(target: CloudRunTarget | None, **read: Any) -> Context:
    finding = run_finding(cloud_run=target)
    return Context(finding=finding, threat=classify(finding), **read)


@pytest.mark.parametrize(
    "rest",
    [
        "services/scc-responder",
        "services/scc-responder/revisions/scc-responder-00001-xyz",
        "revisions/scc-responder-00007-abc",
        "revisions/scc-responder-by-hand",
        "projects/other-project/locations/us-central1/services/scc-responder",
        "projects/100000000001/locations/europe-west1/services/scc-responder",
        "services/responder",
        "services/responder/revisions/responder-00001-xyz",
        "revisions/responder-00001-xyz",
        "projects/100000000001/locations/europe-west1/services/responder",
    ],
)
@pytest.mark.parametrize("services", [ALL, (), None])
def test_the_own_service_is_never_a_target(rest: str, services: Any) -> None:
    """In any spelling, by its name on Cloud Run and by the setting, even where nobody asks for a list."""
    assert run_reason(about(named(rest)), replace(OWN, services=services)) == "own_service"


@pytest.mark.parametrize(
    "rest",
    [
        "services/scc-responder-shop",
        "services/checkout",
        "jobs/scc-responder",
        "projects/other-project/locations/europe-west1/services/responder",
        "projects/example-project/locations/us-central1/services/responder",
    ],
)
def test_another_service_is_not_taken_for_the_own_one(rest: str) -> None:
    """A name that begins alike is another service's; so is the name of the setting in another place."""
    assert run_reason(about(named(rest)), OWN) is None


@pytest.mark.parametrize(
    ("pattern", "rest", "listed"),
    [
        (f"{PLACE}/services/checkout", "services/checkout", True),
        (f"{PLACE}/services/checkout", "services/checkout/revisions/checkout-00001-abc", True),
        (f"{PLACE}/services/checkout", "services/checkout-api", False),
        (f"{PLACE}/services/checkout", "jobs/checkout", False),
        (f"{PLACE}/services/*", "services/checkout", True),
        (f"{PLACE}/services/*", "jobs/nightly", False),
        ("projects/example-project/locations/*/jobs/*", "jobs/nightly/executions/nightly-x7k2p", True),
        ("projects/*/locations/us-central1/services/*", "services/checkout", False),
        ("projects/*/locations/*/services/*", "projects/100000000001/locations/l/services/checkout", True),
        ("projects/example-project/locations/*/services/*", "projects/100000000001/locations/l/services/c", False),
    ],
)
def test_only_what_is_listed_is_changed(pattern: str, rest: str, listed: bool) -> None:
    """Segment by segment, as for clusters; of a project's number nobody knows whether its id is listed."""
    reason = run_reason(about(named(rest)), RunReach(services=(pattern,)))
    assert reason == (None if listed else "service_not_listed")


def test_without_a_list_nothing_is_changed() -> None:
    """Evidence and notice only; people's machines ask for no list."""
    assert run_reason(about(NAMED), RunReach()) == "service_not_listed"
    assert run_reason(about(NAMED), EVERYWHERE_IN_RUN) is None


def test_without_an_identity_for_it_nothing_is_changed() -> None:
    """What a deployment lists is evidence and notice, until settings name who changes it."""
    reach = run_reach(local_settings(SERVICES=",".join(ALL)))
    assert run_reason(about(NAMED), reach) == "no_run_writer"
    assert run_reason(about(NAMED), replace(reach, services=())) == "service_not_listed"
    assert run_reason(about(None), reach) is None


@pytest.mark.parametrize(
    ("target", "labels", "reason"),
    [
        (named("workerPools/queue"), {}, "worker_pool"),
        (named("revisions/by-hand"), {}, "service_not_named"),
        (NAMED, {"goog-managed-by": "cloudfunctions"}, "managed_by:cloudfunctions"),
        (NAMED, {"goog-managed-by": "apphub"}, None),
        (None, {}, None),
    ],
)
def test_what_others_keep_is_left_to_them(target: Any, labels: dict[str, str], reason: str | None) -> None:
    """Cloud Functions would undo it; this version knows no worker pools."""
    assert run_reason(about(target, service=run_service(labels=labels)), RunReach(services=ALL)) == reason


def test_the_reach_is_that_of_the_settings() -> None:
    """Cloud Run says the service's name; the setting says it where we do not run there."""
    listed = {"SERVICES": ",".join(ALL), "RUN_WRITER": "writer@example-project.iam.gserviceaccount.com"}
    assert run_reach(local_settings(**listed)) == RunReach(services=ALL)
    deployed = local_settings(**listed, OWN_SERVICE=f"{PLACE}/services/responder")
    deployed = replace(deployed, service_name="scc-responder", revision_name="scc-responder-00007-abc")
    assert run_reach(deployed) == OWN
