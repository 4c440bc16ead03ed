"""An update of a service is sent once under its etag, awaited, and read back; what befalls it has a named reason."""

from __future__ import annotations

from collections.abc import Callable

import grpc
import pytest

from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.errors import RetryableError
from tests.kits.google.cloud_run.samples import CHECKOUT
from tests.kits.google.cloud_run.world import now
from tests.kits.one_run_change import OneCloudRun, one_cloud_run, roll_back


def test_a_lost_answer_is_read_back() -> None:
    """The write was carried out: it is not sent twice, and the step waits until it is reconciled."""
    with one_cloud_run(reconcile_seconds=0.3) as run:
        change = roll_back(run)
        run.server.lost_answers = 1
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("done", "done_before")
        assert len(run.server.writes_of("UpdateService")) == 1
        assert run.seconds


def failed_reconciliation(run: OneCloudRun) -> None:
    run.world.next_failure = "Revision 'x' is <b>not</b> ready."


def refused(run: OneCloudRun) -> None:
    run.server.granted = frozenset({"run.services.get", "run.operations.get"})


def gone(run: OneCloudRun) -> None:
    del run.world.services[CHECKOUT]


def another(run: OneCloudRun) -> None:
    run.world.services[CHECKOUT].uid = "00000000-0000-4000-a000-00000000000f"


def deleting(run: OneCloudRun) -> None:
    run.world.services[CHECKOUT].delete_time = now()


@pytest.mark.parametrize(
    ("befall", "status", "reason"),
    [
        (failed_reconciliation, "failed", "reconciliation_failed"),
        (refused, "failed", "cloud_run_permission_denied"),
        (gone, "target_gone", "gone_by_other"),
        (another, "target_replaced", "target_replaced"),
        (deleting, "target_gone", "service_deleting"),
    ],
)
def test_what_could_not_be_done_says_why(befall: Callable[[OneCloudRun], None], status: str, reason: str) -> None:
    """Each refusal has a named reason, and none is called contained."""
    with one_cloud_run() as run:
        change = roll_back(run)
        befall(run)
        result = run.carried_out(change)
        assert (result.status, result.reason, result.containment) == (status, reason, None)


def test_an_update_that_takes_long_is_left_to_a_later_delivery() -> None:
    """The intent stands: the next delivery reads it back, and sends nothing."""
    with one_cloud_run(reconcile_seconds=3600) as run:
        change = roll_back(run)
        slow = run.api.wait_operation
        vars(run.api)["wait_operation"] = lambda name, _seconds: slow(name, 0.05)
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert (caught.value.reason, run.seconds) == ("reconciling", [])
        with pytest.raises(RetryableError) as again:
            run.carried_out(change, intended=True)
        assert again.value.reason == "reconciling"
        assert len(run.server.writes_of("UpdateService")) == 1


def test_a_transport_failure_before_the_write_comes_again() -> None:
    """Nothing is known of the service then."""
    with one_cloud_run() as run:
        change = roll_back(run)
        run.server.fail_next(grpc.StatusCode.UNAVAILABLE)
        with pytest.raises(RetryableError):
            run.carried_out(change)
        assert run.intents == 0


def test_a_path_that_names_no_service_is_refused() -> None:
    """A stored change of another form is carried out on nothing."""
    with one_cloud_run() as run:
        change = ShiftTraffic(path="projects/x", uid="u", to="s-1", prior=())
        assert run.carried_out(change).reason == "service_not_named"
