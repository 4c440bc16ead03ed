"""A shift of traffic is bound to what it was planned upon, sent once, and believed only where it is read back."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.run_v2.types import TrafficTarget

from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.cloud_run.run_objects import RunTraffic
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.status import Containment
from tests.kits.google.cloud_run.samples import CHECKOUT, deploy, image
from tests.kits.google.cloud_run.world import LATEST
from tests.kits.one_run_change import BAD_REVISION, GOOD_REVISION, SERVICE, OneCloudRun, one_cloud_run, roll_back


def served(run: OneCloudRun) -> list[tuple[str, int, str]]:
    """What the service serves now."""
    return [(item.revision, item.percent, item.tag) for item in run.api.get_service(SERVICE).value.traffic_statuses]


def tag_latest(run: OneCloudRun) -> None:
    """Give the bad revision a tagged address too."""
    service = run.world.services[CHECKOUT]
    service.traffic = [TrafficTarget(type_=LATEST, percent=100), TrafficTarget(type_=LATEST, tag="newest")]
    run.world.serve(service)


def test_a_rollback_is_read_back_and_taken_back() -> None:
    """All requests go to the safe revision, in one update; its inverse restores the list, LATEST and tags included."""
    with one_cloud_run() as run:
        tag_latest(run)
        before = run.api.get_service(SERVICE).value.traffic
        change = roll_back(run)
        result = run.carried_out(change)
        assert (result.status, result.reason, result.containment) == ("done", "rolled_back", Containment.RETIRED)
        assert result.contained_at is not None
        assert result.detail == f"served: {GOOD_REVISION} 100 %"
        assert served(run) == [(GOOD_REVISION, 100, "")]
        assert run.server.writes_of("UpdateService") == [CHECKOUT]
        inverse = change.inverse
        assert inverse is not None
        undone = run.carried_out(inverse)
        assert (undone.reason, undone.containment) == ("traffic_restored", None)
        assert run.api.get_service(SERVICE).value.traffic == before
        assert BAD_REVISION in undone.detail


def test_a_second_finding_writes_nothing() -> None:
    """What is so already is read back, and not sent again; our own work is known by its intent."""
    with one_cloud_run() as run:
        change = roll_back(run)
        run.carried_out(change)
        assert [run.carried_out(change).reason, run.carried_out(change, intended=True).reason] == [
            "already",
            "done_before",
        ]
        assert len(run.server.writes_of("UpdateService")) == run.intents == 1


def test_a_deploy_before_the_write_makes_the_plan_anew() -> None:
    """Nothing is sent: the new revision may be the mend."""
    with one_cloud_run() as run:
        change = roll_back(run)
        deploy(run.world, image("c"))
        for intended in (False, True):
            with pytest.raises(RetryableError, match="planned anew") as caught:
                run.carried_out(change, intended=intended)
            assert caught.value.reason == "service_deployed"
        assert (run.server.writes_of("UpdateService"), run.intents) == ([], 0)


def test_traffic_that_another_moved_meanwhile_is_left() -> None:
    """Before a write of ours the plan is made anew; where there may have been one, it was overridden."""
    with one_cloud_run() as run:
        change = roll_back(run)
        run.carried_out(moved_by_another(run))
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "service_changed"
        late = run.carried_out(change, intended=True)
        assert (late.status, late.reason) == ("overridden", "service_changed")
        assert len(run.server.writes_of("UpdateService")) == 1


def moved_by_another(run: OneCloudRun) -> Change:
    """The change of somebody who gives half of the requests to each revision."""
    halves = tuple(RunTraffic(revision=name, percent=50) for name in (GOOD_REVISION, BAD_REVISION))
    service = run.api.get_service(SERVICE).value
    return ShiftTraffic(path=CHECKOUT, uid=service.uid, traffic=halves, prior=service.traffic)


def test_a_deploy_after_the_rollback_is_told_and_not_moved() -> None:
    """It gets no request until a person takes the rollback back, and the next look says so."""
    with one_cloud_run() as run:
        change = roll_back(run)
        run.carried_out(change)
        newest = deploy(run.world, image("c"))
        again = run.carried_out(change, intended=True)
        assert again.detail == f"served: {GOOD_REVISION} 100 %; {newest} was deployed since, and gets no request"
        assert len(run.server.writes_of("UpdateService")) == 1


def test_a_deploy_between_look_and_write_is_seen_by_the_etag() -> None:
    """The write is refused by Cloud Run itself, looked at again, and left to a new plan."""
    with one_cloud_run() as run:
        change = roll_back(run)
        read = run.api.get_service

        def deployed_after(name: Any) -> Any:
            seen = read(name)
            run.api.__dict__.pop("get_service")
            deploy(run.world, image("c"))
            return seen

        vars(run.api)["get_service"] = deployed_after
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "service_deployed"
        assert run.server.writes_of("UpdateService") == []


def test_a_rehearsal_changes_nothing() -> None:
    """The API itself checks the request, and what it refuses is told."""
    with one_cloud_run() as run:
        change = roll_back(run)
        result = run.carried_out(change, dry_run=True)
        assert (result.status, result.reason) == ("dry_run", "would_update_service")
        assert run.server.writes_of("UpdateService") == []
        del run.world.revisions[f"{CHECKOUT}/revisions/{GOOD_REVISION}"]
        refused = run.carried_out(change, dry_run=True)
        assert (refused.status, refused.reason) == ("failed", "cloud_run_failed_precondition")
