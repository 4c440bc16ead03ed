"""A restart makes one revision of the same template, by a name of ours, and is done only where that serves alone."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.run_v2.types import TrafficTarget
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.restart_service import RESTARTS_SERVICE
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.permissions import Permission
from tests.kits.google.cloud_run.samples import CHECKOUT, deploy, image
from tests.kits.google.cloud_run.world import LATEST
from tests.kits.one_run_change import BAD_REVISION, GOOD_REVISION, SERVICE, OneCloudRun, one_cloud_run, planned_on_run

OURS = "checkout-scc-a1a1a1a1"
BY_NAME = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def restart(run: OneCloudRun) -> Change:
    """The change that restarts the service, as planned now."""
    (change,) = planned_on_run(run, "restart_service")
    return change


def made(run: OneCloudRun) -> list[str]:
    """The revisions that are there beside the first two."""
    return [name.rpartition("/")[2] for name in run.world.revisions][2:]


def test_a_restart_is_read_back() -> None:
    """The new revision has the same containers and identity, its name says whose it is, and it alone serves."""
    with one_cloud_run() as run:
        before = run.api.get_service(SERVICE).value
        result = run.carried_out(restart(run))
        assert (result.status, result.reason, result.containment) == ("done", "service_restarted", None)
        assert result.detail == f"served: {OURS} 100 %"
        assert made(run) == [OURS]
        service = run.api.get_service(SERVICE).value
        assert (service.latest_ready, service.traffic) == (OURS, before.traffic)
        assert (service.containers, service.service_account) == (before.containers, before.service_account)
        assert run.server.writes_of("UpdateService") == [CHECKOUT]


def test_a_second_delivery_restarts_nothing() -> None:
    """After a crash the name says whether it is ours; a lost answer is read back."""
    with one_cloud_run(reconcile_seconds=0.3) as run:
        change = restart(run)
        run.server.lost_answers = 1
        assert run.carried_out(change).reason == "done_before"
        assert run.carried_out(change, intended=True).reason == "done_before"
        assert made(run) == [OURS]
        assert len(run.server.writes_of("UpdateService")) == run.intents == 1


def test_a_restart_that_was_only_intended_is_carried_out() -> None:
    """After a crash between intent and request no revision has the name."""
    with one_cloud_run() as run:
        assert run.carried_out(restart(run), intended=True).reason == "service_restarted"
        assert made(run) == [OURS]


def pinned(run: OneCloudRun, revision: str = BAD_REVISION) -> None:
    service = run.world.services[CHECKOUT]
    service.traffic = [TrafficTarget(type_=BY_NAME, revision=revision, percent=100)]
    run.world.serve(service)


def deployed(run: OneCloudRun) -> None:
    deploy(run.world, image("c"))


@pytest.mark.parametrize("intended", [False, True])
@pytest.mark.parametrize(("befall", "reason"), [(pinned, "service_changed"), (deployed, "service_deployed")])
def test_a_change_by_others_before_the_restart_makes_the_plan_anew(befall: Any, reason: str, intended: bool) -> None:
    """Nothing is sent, also after a crash: a new revision of this template may not be what was approved."""
    with one_cloud_run() as run:
        change = restart(run)
        befall(run)
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change, intended=intended)
        assert caught.value.reason == reason
        assert caught.value.reason.is_planned_anew
        assert (run.server.writes_of("UpdateService"), run.intents) == ([], 0)


def test_a_tag_that_is_left_contains_nothing() -> None:
    """The address of a tag reaches the old instances on: the new ones serve, and that is not all."""
    with one_cloud_run() as run:
        service = run.world.services[CHECKOUT]
        tagged = TrafficTarget(type_=BY_NAME, revision=BAD_REVISION, tag="canary")
        service.traffic = [TrafficTarget(type_=LATEST, percent=100), tagged]
        run.world.serve(service)
        result = run.carried_out(restart(run))
        assert (result.status, result.reason, result.containment) == ("not_effective", "still_served", None)
        assert result.detail == f"served: {OURS} 100 %, {BAD_REVISION} by its tag canary"


@pytest.mark.parametrize("revision", [BAD_REVISION, GOOD_REVISION])
def test_requests_that_go_elsewhere_after_the_restart_are_told(revision: str) -> None:
    """Others pin the requests while the new revision is made: it is not called served."""
    with one_cloud_run() as run:
        change = restart(run)
        run.carried_out(change)
        pinned(run, revision)
        result = run.carried_out(change, intended=True)
        assert (result.status, result.reason, result.containment) == ("not_effective", "still_served", None)


def test_a_new_revision_that_is_not_ready_does_not_serve() -> None:
    """Whatever the statuses of the traffic say."""
    with one_cloud_run() as run:
        change = restart(run)
        run.carried_out(change)
        run.world.services[CHECKOUT].latest_ready_revision = f"{CHECKOUT}/revisions/{BAD_REVISION}"
        assert run.carried_out(change, intended=True).reason == "still_served"


def test_a_new_revision_that_does_not_become_ready_leaves_the_old_one() -> None:
    """Cloud Run keeps the requests where they are; the step has failed, by Google's words."""
    with one_cloud_run() as run:
        run.world.next_failure = "Revision is not ready and cannot serve traffic."
        result = run.carried_out(restart(run))
        assert (result.status, result.reason) == ("failed", "reconciliation_failed")
        assert run.api.get_service(SERVICE).value.traffic_statuses[0].revision == BAD_REVISION


def test_a_rehearsal_makes_no_revision() -> None:
    """The API itself checks the name."""
    with one_cloud_run() as run:
        result = run.carried_out(restart(run), dry_run=True)
        assert (result.status, result.reason) == ("dry_run", "would_update_service")
        assert made(run) == []


@pytest.mark.parametrize("left_out", [None, *RESTARTS_SERVICE.permissions], ids=str)
def test_each_declared_permission_is_needed_to_restart(left_out: Permission | None) -> None:
    """With all of them, and no others, it is carried out; without any one it is not."""
    with one_cloud_run() as run:
        change = restart(run)
        run.server.granted = {item.name for item in RESTARTS_SERVICE.permissions if item != left_out}
        try:
            status = str(run.carried_out(change).status)
        except RetryableError:
            status = "again"
        assert (status == "done") is (left_out is None)
