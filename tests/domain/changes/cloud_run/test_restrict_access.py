"""Access to a service is cut by settings of its own, which are read back and restored."""

from __future__ import annotations

import pytest
from google.cloud.run_v2.types import IngressTraffic as Ingress

from scc_responder.domain.changes.cloud_run.restrict_access import RestrictAccess
from scc_responder.domain.errors import RetryableError
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.google.cloud_run.samples import CHECKOUT
from tests.kits.one_run_change import SERVICE, OneCloudRun, one_cloud_run, planned_on_run

INTERNAL = "INGRESS_TRAFFIC_INTERNAL_ONLY"


def cut(run: OneCloudRun) -> RestrictAccess:
    """Ingress and default URL cut, as planned now."""
    (change,) = planned_on_run(run, "cut_ingress", close_default_url=True)
    assert isinstance(change, RestrictAccess)
    return change


def access(run: OneCloudRun) -> tuple[str, bool, bool]:
    """What the service says of who reaches it."""
    service = run.api.get_service(SERVICE).value
    return service.ingress, service.default_uri_disabled, service.invoker_iam_disabled


def test_a_cut_is_read_back_and_taken_back() -> None:
    """One update sets both, its inverse sets both back, and neither makes a revision."""
    with one_cloud_run() as run:
        before, change = access(run), cut(run)
        result = run.carried_out(change)
        assert (result.status, result.reason, result.containment) == ("done", "access_cut", None)
        assert result.detail == f"ingress {INTERNAL}, default_uri_disabled True"
        assert access(run) == (INTERNAL, True, False)
        assert run.server.writes_of("UpdateService") == [CHECKOUT]
        undone = run.carried_out(inverse_of(change))
        assert undone.reason == "access_restored"
        assert access(run) == before
        assert len(run.world.revisions) == 2


def test_a_deploy_does_not_stop_a_cut() -> None:
    """Who reaches the service is no part of a deploy; a setting that another changed meanwhile is."""
    with one_cloud_run() as run:
        change = cut(run)
        service = run.world.services[CHECKOUT]
        service.generation, service.etag = service.generation + 1, '"deploy-9"'
        run.world.serve(service)
        assert run.carried_out(change).reason == "access_cut"
    with one_cloud_run() as run:
        change = cut(run)
        run.world.services[CHECKOUT].ingress = Ingress.INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "service_changed"


def test_what_is_set_already_is_not_sent() -> None:
    """Another finding on the same service finds it cut."""
    with one_cloud_run() as run:
        change = cut(run)
        run.carried_out(change)
        assert [run.carried_out(change).reason, run.carried_out(change, intended=True).reason] == [
            "already",
            "done_before",
        ]
        assert run.carried_out(change, dry_run=True).reason == "already"
        assert len(run.server.writes_of("UpdateService")) == 1


def test_people_read_what_they_will_feel() -> None:
    """Each setting has its sentence."""
    with one_cloud_run() as run:
        change = cut(run)
        assert change.felt == (
            "callers from outside its networks are refused, external load balancers too; "
            "its run.app address is closed, for Pub/Sub, Scheduler and Tasks too"
        )
        assert inverse_of(change).felt == "the same callers reach it as before"
