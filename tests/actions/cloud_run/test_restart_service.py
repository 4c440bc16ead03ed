"""A service is restarted only where a new revision would run the same, and would get the requests."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes.cloud_run.restart_service import RestartService
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunTraffic
from scc_responder.domain.context import Context
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import BAD, CHECKOUT, GOOD, before, run_containers, run_finding, run_revision, run_service

RESTART = actions()["restart_service"]
TO_LATEST = RunTraffic(latest=True, percent=100)
TO_SECOND = RunTraffic(revision="checkout-2", percent=100)
TAGGED = RunTraffic(revision="checkout-2", tag="canary")
LONG = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="c" * 51)
BY_TAG = (RunContainer(name="app", image="shop/checkout:v1"),)
RESOLVED = (RunContainer(name="app", image="shop/checkout:v1", digest=GOOD),)


def planned(*, revision: Any = None, missing: dict[str, str] | None = None, **service: Any) -> Any:
    """The plan where `checkout-2` is meant: it serves, and the template is its own."""
    bad = revision or run_revision(2, GOOD, service_account="checkout@example-project.iam.gserviceaccount.com")
    fields: dict[str, Any] = {
        "traffic": (TO_LATEST,),
        "latest_created": "checkout-2",
        "containers": bad.containers,
        "service_account": bad.service_account,
    }
    context = Context(
        finding=run_finding(),
        threat=THREAT,
        service=replace(run_service(), **{**fields, **service}),
        revision=None if missing else bad,
        missing=missing or {},
    )
    return RESTART.plan(context, RESTART.params())


def test_a_service_whose_template_serves_is_restarted() -> None:
    """Bound to what was read; whoever approves it knows that nothing takes it back."""
    (change,) = planned()
    assert change == RestartService(
        path=CHECKOUT.path, uid="service-uid", revision="checkout-2", revision_uid="revision-2", prior=(TO_LATEST,)
    )
    assert change.felt == (
        "new instances of the same settings get all requests, and what the old ones hold in memory is lost;"
        " nothing takes it back"
    )
    assert inverse_of(change) is None
    assert (RESTART.reversible, RESTART.needs_identity) == (False, True)


@pytest.mark.parametrize(
    ("service", "reason"),
    [
        ({"traffic": (TO_SECOND,)}, "traffic_pinned"),
        (
            {"traffic": (replace(TO_LATEST, percent=90), RunTraffic(revision="checkout-1", percent=10))},
            "traffic_pinned",
        ),
        ({"traffic": (TO_LATEST, TAGGED), "latest_ready": "checkout-3"}, "traffic_pinned"),
        ({"latest_created": "checkout-3"}, "template_differs"),
        ({"containers": run_containers((BAD,))}, "template_differs"),
        ({"containers": run_containers((GOOD, BAD))}, "template_differs"),
        ({"containers": ()}, "template_differs"),
        ({"service_account": "other@example-project.iam.gserviceaccount.com"}, "template_differs"),
        ({"name": LONG}, "invalid_name"),
    ],
)
def test_a_restart_that_would_not_serve_the_same_is_held(service: dict[str, Any], reason: str) -> None:
    """Where it would get no request, or run something else, a person has to look."""
    plan = planned(**service)
    assert isinstance(plan, Hold)
    assert plan.reason == reason


def test_images_are_compared_by_digest_where_both_are_known() -> None:
    """A tag stands for itself, and whoever approves knows that it is looked up anew."""
    (change,) = planned(revision=run_revision(2, containers=RESOLVED), containers=BY_TAG)
    assert "shop/checkout:v1 is looked up anew, and may be another image by now" in change.felt
    other = (RunContainer(name="app", image="shop/checkout:v2"),)
    assert planned(revision=run_revision(2, containers=RESOLVED), containers=other).reason == "template_differs"
    moved = (replace(RESOLVED[0], digest=BAD),)
    assert planned(revision=run_revision(2, containers=RESOLVED), containers=moved).reason == "template_differs"


def test_a_tag_that_stays_is_told_before_the_restart() -> None:
    """Its address reaches the old instances on."""
    (change,) = planned(traffic=(TO_LATEST, TAGGED))
    assert "checkout-2 answers on by its tag canary" in change.felt


def test_a_revision_that_gets_no_request_is_not_restarted() -> None:
    """Its instances end without that."""
    elsewhere = (RunTraffic(revision="checkout-3", percent=100),)
    plan = planned(latest_ready="checkout-3", traffic_statuses=elsewhere)
    assert isinstance(plan, Skip)
    assert plan.reason == "already_retired"


@pytest.mark.parametrize(("seconds", "kind"), [(-1, Skip), (1, list)])
def test_a_revision_of_ours_is_restarted_only_for_a_later_event(seconds: int, kind: type) -> None:
    """Two findings of one moment restart a service once; an attack on the new instances does so again."""
    ours = run_revision(2, GOOD, name="checkout-scc-01234567", create_time=before(seconds=seconds))
    statuses = (RunTraffic(revision=ours.name, percent=100),)
    plan = planned(revision=ours, latest_created=ours.name, latest_ready=ours.name, traffic_statuses=statuses)
    assert isinstance(plan, kind)
    assert getattr(plan, "reason", "already_restarted") == "already_restarted"


def test_a_restart_without_a_revision_says_why() -> None:
    """As with every action on a service."""
    plan = planned(missing={"revision": "several_revisions"})
    assert isinstance(plan, Hold)
    assert plan.reason == "several_revisions"
