"""A service is scaled to zero with its tags, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from google.cloud.run_v2.types import ServiceScaling, TrafficTarget
from google.cloud.run_v2.types import TrafficTargetAllocationType as Allocation

from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.status import Containment
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.google.cloud_run.samples import CHECKOUT, deploy, image
from tests.kits.google.cloud_run.world import LATEST
from tests.kits.one_run_change import GOOD_REVISION, SERVICE, OneCloudRun, one_cloud_run, planned_on_run

NAMED = Allocation.TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION


def scaling(run: OneCloudRun, **more: Any) -> ScaleService:
    """To zero, as planned now, of a service with a minimum, a maximum and a tag."""
    service = run.world.services[CHECKOUT]
    service.scaling = ServiceScaling(min_instance_count=1, max_instance_count=20, **more)
    service.traffic = [TrafficTarget(type_=LATEST, percent=100, tag="newest"), TrafficTarget(type_=LATEST, tag="old")]
    run.world.serve(service)
    (change,) = planned_on_run(run, "scale_to_zero")
    assert isinstance(change, ScaleService)
    return change


def state(run: OneCloudRun) -> tuple[Any, Any]:
    """How the service scales, and its traffic."""
    service = run.api.get_service(SERVICE).value
    return service.scaling, service.traffic


def test_scaling_to_zero_is_read_back_and_taken_back() -> None:
    """Mode, minimum, maximum and tags come back; the requests' shares are untouched, and no revision is made."""
    with one_cloud_run() as run:
        change = scaling(run)
        before = state(run)
        result = run.carried_out(change)
        assert (result.status, result.reason, result.containment) == (
            "done",
            "scaled_to_zero",
            Containment.SCALED_TO_ZERO,
        )
        assert result.contained_at is None
        now_scaling, traffic = state(run)
        assert (now_scaling.mode, now_scaling.manual, [item.tag for item in traffic]) == ("MANUAL", 0, [""])
        assert len(run.server.writes_of("UpdateService")) == 1
        assert run.carried_out(inverse_of(change)).reason == "scaling_restored"
        after_scaling, after_traffic = state(run)
        assert (after_scaling.minimum, after_scaling.maximum, after_scaling.manual) == (1, 20, None)
        assert {item.tag for item in after_traffic if item.tag} == {item.tag for item in before[1]}
        assert sum(item.percent for item in after_traffic) == 100
        assert len(run.world.revisions) == 2


def test_manual_scaling_comes_back_as_manual() -> None:
    """A number that a person set is theirs."""
    with one_cloud_run() as run:
        mode = ServiceScaling.ScalingMode.MANUAL
        change = scaling(run, scaling_mode=mode, manual_instance_count=3)
        run.carried_out(change)
        run.carried_out(inverse_of(change))
        assert (state(run)[0].mode, state(run)[0].manual) == ("MANUAL", 3)


def test_a_deploy_meanwhile_keeps_the_service_up() -> None:
    """What was deployed since may be the mend: a person is asked anew."""
    with one_cloud_run() as run:
        change = scaling(run)
        deploy(run.world, image("c"))
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "service_deployed"
        assert run.server.writes_of("UpdateService") == []


def test_a_tag_that_is_given_meanwhile_goes_too() -> None:
    """A tagged address keeps instances, whoever made it."""
    with one_cloud_run() as run:
        change = scaling(run)
        service = run.world.services[CHECKOUT]
        service.traffic.append(TrafficTarget(type_=NAMED, revision=GOOD_REVISION, tag="late"))
        run.world.serve(service)
        assert run.carried_out(change).reason == "scaled_to_zero"
        assert [item.tag for item in state(run)[1]] == [""]
        service.traffic.append(TrafficTarget(type_=NAMED, revision=GOOD_REVISION, tag="later"))
        run.world.serve(service)
        assert run.carried_out(change, intended=True).reason == "done_before"
        assert [item.tag for item in state(run)[1]] == [""]


def test_a_tag_that_somebody_moved_is_left_where_it_is() -> None:
    """Taking the scaling back takes nobody's tag away."""
    with one_cloud_run() as run:
        change = scaling(run)
        run.carried_out(change)
        service = run.world.services[CHECKOUT]
        service.traffic.append(TrafficTarget(type_=NAMED, revision=GOOD_REVISION, tag="newest"))
        run.world.serve(service)
        assert run.carried_out(inverse_of(change)).reason == "scaling_restored"
        tags = {item.tag: item.revision for item in state(run)[1] if item.tag}
        assert tags == {"newest": GOOD_REVISION, "old": ""}


def test_both_are_taken_back_the_last_one_first() -> None:
    """The compromised revision gets its tag back with its requests, and not before."""
    with one_cloud_run() as run:
        to_zero = scaling(run)
        before = state(run)
        (back,) = planned_on_run(run, "roll_back_service")
        for change in (back, to_zero):
            run.carried_out(change)
        assert run.carried_out(inverse_of(to_zero)).reason == "scaling_restored"
        assert [item.tag for item in state(run)[1]] == [""]
        inverse = inverse_of(back)
        assert inverse is not None
        assert run.carried_out(inverse).reason == "traffic_restored"
        assert (state(run)[0].minimum, state(run)[1]) == (1, before[1])


def test_a_rollback_before_it_is_kept() -> None:
    """It is planned together with a rollback, which comes first: the shares are taken as they are then."""
    with one_cloud_run() as run:
        change = scaling(run)
        (back,) = planned_on_run(run, "roll_back_service")
        run.carried_out(back)
        assert run.carried_out(change).reason == "scaled_to_zero"
        assert [item.revision for item in state(run)[1]] == ["checkout-00001-abc"]


def test_people_read_that_the_service_is_down() -> None:
    """The plan says it in these words."""
    with one_cloud_run() as run:
        change = scaling(run)
        assert change.felt == "the whole service is down: every request fails, and nothing of it calls out any more"
        assert inverse_of(change).felt == "it has instances again"
