"""The requests go to the newest safe revision, and nothing that was deployed meanwhile is set back."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import Hold, Planned, Skip, actions
from scc_responder.domain.changes import restored, stored
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.cloud_run.run_objects import RunTraffic
from scc_responder.domain.context import Context
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import BAD, GOOD, before, run_finding, run_revision, run_service

ROLL_BACK = actions()["roll_back_service"]
SIDECAR = f"sha256:{'5' * 64}"


def planned(
    *revisions: Any, digests: tuple[str, ...] = (), missing: dict[str, str] | None = None, **more: Any
) -> Planned:
    """The plan where the newest of these revisions, `checkout-2`, is meant."""
    meant = next((item for item in revisions if item.name == "checkout-2"), None)
    service = replace(run_service(latest_created="checkout-2"), **more)
    context = Context(
        finding=run_finding(*digests),
        threat=THREAT,
        service=service,
        revisions=revisions,
        revision=meant,
        missing=missing or {},
    )
    return ROLL_BACK.plan(context, ROLL_BACK.params())


def goes_to(plan: Planned) -> tuple[str, tuple[str, ...]]:
    """Which revision a plan gives the requests to, and which it takes them from."""
    assert not isinstance(plan, Skip | Hold), plan
    (change,) = plan
    assert isinstance(change, ShiftTraffic)
    assert restored(stored(change)) == change
    return change.to, change.retired


TO_ONE = ("checkout-1", ("checkout-2",))


@pytest.mark.parametrize(
    ("revisions", "digests", "expected"),
    [
        ((run_revision(2, BAD), run_revision(1, GOOD)), (), TO_ONE),
        ((run_revision(2, BAD), run_revision(1, GOOD), run_revision(0, GOOD)), (), TO_ONE),
        ((run_revision(2, BAD, SIDECAR), run_revision(1, GOOD, SIDECAR)), (BAD,), TO_ONE),
        ((run_revision(2, BAD), run_revision(1, BAD)), (), "no_safe_revision"),
        ((run_revision(2, BAD, SIDECAR), run_revision(1, GOOD, SIDECAR)), (), "no_safe_revision"),
        ((run_revision(2, GOOD, BAD), run_revision(1, SIDECAR, BAD)), (BAD,), "no_safe_revision"),
        ((run_revision(2, BAD), run_revision(1, "")), (), "digest_unknown"),
        ((run_revision(2, BAD), run_revision(1, GOOD, "")), (), "digest_unknown"),
        ((run_revision(2, BAD), run_revision(1, GOOD, ready=False)), (), "no_safe_revision"),
        ((run_revision(2, BAD), run_revision(1, GOOD, ready=None)), (), "no_safe_revision"),
        ((run_revision(2, BAD), run_revision(3, GOOD)), (), "no_safe_revision"),
        ((run_revision(2, BAD), run_revision(1, GOOD, delete_time=before(hours=1))), (), "no_safe_revision"),
        ((run_revision(2, BAD), run_revision(1, GOOD, create_time=None)), (), "no_safe_revision"),
        ((run_revision(2, BAD),), (), "no_safe_revision"),
        ((run_revision(2, ""), run_revision(1, GOOD)), (), "digest_unknown"),
    ],
    ids=[
        "other image",
        "the newest of several",
        "a shared sidecar, where the finding names the image",
        "the same image",
        "a shared sidecar, and nobody knows which is bad",
        "the finding's image in another place",
        "an unknown image",
        "one unknown image of two",
        "not ready",
        "perhaps not ready",
        "younger",
        "being deleted",
        "of an unknown age",
        "alone",
        "what is bad is not known",
    ],
)
def test_only_an_older_ready_revision_of_other_images_is_safe(
    revisions: tuple[Any, ...], digests: tuple[str, ...], expected: tuple[str, tuple[str, ...]] | str
) -> None:
    """All containers are compared; an image that is not known is never safe."""
    plan = planned(*revisions, digests=digests)
    if isinstance(expected, str):
        assert isinstance(plan, Hold)
        assert plan.reason == expected
    else:
        assert goes_to(plan) == expected


SERVED_AGAIN = {"checkout-3": 100}


@pytest.mark.parametrize(
    ("served", "digests", "expected"),
    [
        ((BAD,), (BAD,), ("checkout-1", ("checkout-2", "checkout-3"))),
        ((BAD, SIDECAR), (BAD,), ("checkout-1", ("checkout-2", "checkout-3"))),
        ((BAD,), (), ("checkout-1", ("checkout-2", "checkout-3"))),
        ((SIDECAR,), (BAD,), "already_retired"),
        (("",), (BAD,), "digest_unknown"),
    ],
    ids=["the finding's image", "beside another", "all of its images", "another image", "nobody knows"],
)
def test_the_same_image_deployed_again_is_as_bad(
    served: tuple[str, ...], digests: tuple[str, ...], expected: tuple[str, tuple[str, ...]] | str
) -> None:
    """A new revision of the compromised image gets no request either: one redeploy is no way out."""
    revisions = (run_revision(3, *served), run_revision(2, BAD), run_revision(1, GOOD))
    traffic = run_service(SERVED_AGAIN).traffic
    plan = planned(*revisions, digests=digests, traffic=traffic, traffic_statuses=traffic)
    if isinstance(expected, str):
        assert isinstance(plan, Skip | Hold)
        assert plan.reason == expected
    else:
        assert goes_to(plan) == expected


def test_a_tag_of_the_same_image_counts() -> None:
    """Its address serves the image, though the revision has no share."""
    elsewhere = (RunTraffic(revision="checkout-1", percent=100), RunTraffic(revision="checkout-3", tag="canary"))
    revisions = (run_revision(3, BAD), run_revision(2, BAD), run_revision(1, GOOD))
    plan = planned(*revisions, traffic=elsewhere, traffic_statuses=elsewhere)
    assert goes_to(plan) == ("checkout-1", ("checkout-2", "checkout-3"))


def test_a_revision_that_gets_no_request_is_left_alone() -> None:
    """By share and by tag alike: as wanted, and as served."""
    elsewhere = (RunTraffic(revision="checkout-1", percent=100),)
    parts = (run_revision(2, BAD), run_revision(1, GOOD))
    plan = planned(*parts, traffic=elsewhere, traffic_statuses=elsewhere)
    assert isinstance(plan, Skip)
    assert plan.reason == "already_retired"
    assert goes_to(planned(*parts, traffic=elsewhere)) == TO_ONE
    tagged = (*elsewhere, RunTraffic(revision="checkout-2", tag="canary"))
    assert goes_to(planned(*parts, traffic=tagged, traffic_statuses=tagged)) == TO_ONE


@pytest.mark.parametrize(
    ("missing", "kind", "reason"),
    [
        ({"revision": "several_revisions"}, Hold, "several_revisions"),
        ({"service": "target_absent"}, Skip, "target_absent"),
        ({"service": "cloud_run_unavailable"}, Hold, "cloud_run_unavailable"),
        ({}, Hold, "revision_not_known"),
    ],
)
def test_a_plan_without_a_revision_says_why(missing: dict[str, str], kind: type, reason: str) -> None:
    """A service that is gone needs nothing; anything else is held."""
    plan = planned(missing=missing)
    assert isinstance(plan, kind)
    assert getattr(plan, "reason", "") == reason


def test_the_plan_says_what_people_will_feel() -> None:
    """Whoever approves it knows what other revisions lose, and that later deployments get no request."""
    shared = run_service({"checkout-2": 50, "checkout-3": 50}).traffic
    parts = (run_revision(3, SIDECAR), run_revision(2, BAD), run_revision(1, GOOD))
    plan = planned(*parts, traffic=shared, traffic_statuses=shared)
    assert not isinstance(plan, Skip | Hold)
    assert plan[0].felt == (
        "requests go to checkout-1 100 %; checkout-3 loses its 50 %; "
        "what is deployed later gets none until this is undone"
    )
    inverse = inverse_of(plan[0])
    assert inverse is not None
    assert inverse.felt == "requests go to checkout-2 50 %, checkout-3 50 % again"
