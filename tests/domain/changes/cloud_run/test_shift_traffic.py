"""A shift of traffic is bound to what it was planned upon, sent once, and believed only where it is read back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from google.cloud.run_v2.types import TrafficTarget
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.status import Containment
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.google.cloud_run.samples import CHECKOUT, deploy, image
from tests.kits.google.cloud_run.world import LATEST, condition, now
from tests.kits.one_run_change import (
    BAD_REVISION,
    GOOD_REVISION,
    SERVICE,
    OneCloudRun,
    one_cloud_run,
    planned_on_run,
    roll_back,
)

NAMED = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


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
        inverse = inverse_of(change)
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
        move_half(run)
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "service_changed"
        late = run.carried_out(change, intended=True)
        assert (late.status, late.reason) == ("overridden", "service_changed")
        assert run.server.writes_of("UpdateService") == []


def move_half(run: OneCloudRun) -> None:
    """Somebody gives half of the requests to each revision."""
    service = run.world.services[CHECKOUT]
    service.traffic = [TrafficTarget(type_=NAMED, revision=name, percent=50) for name in (GOOD_REVISION, BAD_REVISION)]
    service.etag = '"moved"'
    run.world.serve(service)


def test_a_deploy_after_the_rollback_is_told_and_not_moved() -> None:
    """It gets no request until a person takes the rollback back, and the next look says so."""
    with one_cloud_run() as run:
        change = roll_back(run)
        run.carried_out(change)
        newest = deploy(run.world, image("c"))
        again = run.carried_out(change, intended=True)
        assert again.detail == f"served: {GOOD_REVISION} 100 %; {newest} was deployed later, and gets no request"
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


def begin_deploy(run: OneCloudRun, letter: str) -> str:
    """Begin to deploy an image: its revision is made, and not ready yet; its name."""
    service = run.world.services[CHECKOUT]
    service.generation, service.etag = service.generation + 1, '"deploying"'
    service.template.containers[0].image = image(letter)
    return run.world.add_revision(service, is_ready=False).name.rpartition("/")[2]


@pytest.mark.parametrize("action", ["roll_back_service", "scale_to_zero"])
def test_a_deploy_that_ends_after_the_look_is_kept(action: str) -> None:
    """It was there when it was planned, and serves by now: nothing is sent, whatever the etag is."""
    with one_cloud_run() as run:
        begun = begin_deploy(run, "c")
        (change,) = planned_on_run(run, action)
        service = run.world.services[CHECKOUT]
        service.latest_ready_revision = f"{CHECKOUT}/revisions/{begun}"
        run.world.serve(service)
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "service_deployed"
        assert served(run) == [(begun, 100, "")]
        assert run.server.writes_of("UpdateService") == []


@pytest.mark.parametrize("action", ["roll_back_service", "scale_to_zero"])
def test_a_deploy_that_is_under_way_is_waited_for(action: str) -> None:
    """What it comes to is known before anything is sent; one that is under way for long is not waited for."""
    with one_cloud_run() as run:
        begun = begin_deploy(run, "c")
        service = run.world.services[CHECKOUT]
        service.reconciling, service.update_time = True, now()
        (change,) = planned_on_run(run, action)
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert (caught.value.reason, sum(run.seconds)) == ("reconciling", 20)
        service.latest_ready_revision = f"{CHECKOUT}/revisions/{begun}"
        run.world.serve(service)
        with pytest.raises(RetryableError) as ended:
            run.carried_out(change)
        assert (ended.value.reason, run.intents) == ("service_deployed", 0)
    with one_cloud_run() as run:
        begin_deploy(run, "c")
        service = run.world.services[CHECKOUT]
        service.reconciling, service.update_time = True, now() - timedelta(minutes=6)
        (change,) = planned_on_run(run, action)
        assert run.carried_out(change).status == "done"


def test_a_deploy_that_is_not_ready_is_named_in_the_plan() -> None:
    """Whoever approves it knows that it will get no request."""
    with one_cloud_run() as run:
        begun = begin_deploy(run, "c")
        change = roll_back(run)
        assert f"; {begun}, which is being deployed, gets none; " in change.felt
        assert run.carried_out(change).detail.endswith(f"; {begun} was deployed later, and gets no request")


def test_a_broken_newer_revision_does_not_hide_what_is_served() -> None:
    """The service is not ready for another reason: where its traffic is as wanted, it is rolled back."""
    with one_cloud_run() as run:
        change = roll_back(run)
        serve = run.world.serve

        def broken(service: Any) -> None:
            serve(service)
            service.terminal_condition = condition("Ready", succeeded=False, message="a newer revision is broken")
            service.conditions = [condition("RoutesReady"), condition("ConfigurationsReady", succeeded=False)]

        run.world.serve = broken  # type: ignore[method-assign]
        result = run.carried_out(change)
        assert (result.reason, result.containment) == ("rolled_back", Containment.RETIRED)
        service = run.world.services[CHECKOUT]
        service.conditions = [condition("RoutesReady", succeeded=False)]
        assert run.carried_out(change, intended=True).reason == "done_before"
        service.traffic_statuses = []
        assert run.carried_out(change, intended=True).reason == "reconciliation_failed"


def test_a_tag_that_is_given_meanwhile_is_no_reason_to_ask_anew() -> None:
    """One on a good revision stays, one on a compromised revision goes; the inverse takes nobody's tag away."""
    with one_cloud_run() as run:
        change = roll_back(run)
        service = run.world.services[CHECKOUT]
        service.traffic = [
            TrafficTarget(type_=LATEST, percent=100, tag="live"),
            TrafficTarget(type_=NAMED, revision=GOOD_REVISION, tag="old"),
        ]
        run.world.serve(service)
        assert run.carried_out(change).reason == "rolled_back"
        assert sorted(served(run)) == [(GOOD_REVISION, 0, "old"), (GOOD_REVISION, 100, "")]
        inverse = inverse_of(change)
        assert inverse is not None
        assert run.carried_out(inverse).reason == "traffic_restored"
        assert sorted(served(run)) == [(GOOD_REVISION, 0, "old"), (BAD_REVISION, 100, "")]


def test_the_inverse_leaves_a_tag_where_somebody_moved_it() -> None:
    """It was the compromised revision's, and is another's by now."""
    with one_cloud_run() as run:
        tag_latest(run)
        change = roll_back(run)
        run.carried_out(change)
        service = run.world.services[CHECKOUT]
        service.traffic.append(TrafficTarget(type_=NAMED, revision=GOOD_REVISION, tag="newest"))
        run.world.serve(service)
        inverse = inverse_of(change)
        assert inverse is not None
        assert run.carried_out(inverse).reason == "traffic_restored"
        assert sorted(served(run)) == [(GOOD_REVISION, 0, "newest"), (BAD_REVISION, 100, "")]


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
