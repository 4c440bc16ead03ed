"""An execution is cancelled once, and called ended only where no task of it runs, as read back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scc_responder.domain.changes.cloud_run.cancel_execution import CANCELS_EXECUTION
from scc_responder.domain.errors import RetryableError
from scc_responder.domain.permissions import Permission
from scc_responder.domain.status import Containment
from tests.kits.google.cloud_run.samples import NIGHTLY, image, start_execution
from tests.kits.google.cloud_run.world import completed_as, now
from tests.kits.one_run_change import OneCloudRun, one_execution

DELETES_JOB = "gcloud run jobs delete nightly --region europe-west1 --project example-project"


def test_a_cancelled_execution_is_read_back() -> None:
    """Since when it has ended is its own time; the case says how a person deletes the job."""
    with one_execution() as (run, change):
        began = now()
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("done", "execution_cancelled")
        assert result.containment is Containment.EXECUTION_ENDED
        assert result.contained_at
        assert began <= result.contained_at <= now()
        assert "tasks: 0 succeeded, 0 failed, 1 cancelled" in result.detail
        assert result.detail.endswith(DELETES_JOB)
        assert run.server.writes_of("CancelExecution") == [f"{NIGHTLY}/executions/nightly-x7k2p"]


def finished(run: OneCloudRun) -> None:
    start_execution(run.world, run.world.jobs[NIGHTLY], "nightly-b", running_count=0, completion_time=now())


def next_one(run: OneCloudRun) -> None:
    start_execution(run.world, run.world.jobs[NIGHTLY], "nightly-b")


def of_another_image(run: OneCloudRun) -> None:
    job = type(run.world.jobs[NIGHTLY])(run.world.jobs[NIGHTLY])
    job.template.template.containers[0].image = image("c")
    start_execution(run.world, job, "nightly-b")


def of_a_tag(run: OneCloudRun) -> None:
    job = type(run.world.jobs[NIGHTLY])(run.world.jobs[NIGHTLY])
    job.template.template.containers[0].image = "europe-west1-docker.pkg.dev/p/shop/nightly:latest"
    start_execution(run.world, job, "nightly-b")


def not_listed(run: OneCloudRun) -> None:
    run.server.granted = {item.name for item in CANCELS_EXECUTION.permissions}


@pytest.mark.parametrize(
    ("befall", "left"),
    [
        (finished, ""),
        (of_another_image, ""),
        (next_one, "1 other execution of the job still runs: nightly-b"),
        (of_a_tag, "1 other execution of the job still runs: nightly-b"),
        (not_listed, "whether other executions of the job run is not known: cloud_run_permission_denied"),
    ],
)
def test_other_executions_of_the_image_are_counted(befall: Callable[[OneCloudRun], None], left: str) -> None:
    """From a list that is read once this one has ended: while another runs, the job is not contained."""
    with one_execution() as (run, change):
        befall(run)
        result = run.carried_out(change)
        assert (result.reason, result.left) == ("execution_cancelled", left)
        assert run.carried_out(change).left == left
        assert len(run.server.writes_of("CancelExecution")) == 1


def test_a_second_finding_cancels_nothing() -> None:
    """What has ended is not cancelled again; our own work is known by its intent."""
    with one_execution() as (run, change):
        run.carried_out(change)
        again = [run.carried_out(change), run.carried_out(change, intended=True)]
        assert [result.reason for result in again] == ["execution_ended", "execution_cancelled"]
        assert [result.containment for result in again] == [Containment.EXECUTION_ENDED] * 2
        assert len(run.server.writes_of("CancelExecution")) == run.intents == 1


def test_a_rehearsal_cancels_nothing() -> None:
    """The API itself checks the request."""
    with one_execution() as (run, change):
        result = run.carried_out(change, dry_run=True)
        assert (result.status, result.reason, result.containment) == ("dry_run", "would_cancel_execution", None)
        assert run.server.writes_of("CancelExecution") == []


def test_an_execution_that_another_cancels_is_only_awaited() -> None:
    """Nothing is sent, and nothing is intended."""
    with one_execution(reconcile_seconds=0.3) as (run, change):
        execution = run.execution
        run.world.cancel_execution(execution.name, "", False)
        result = run.carried_out(change)
        assert (result.reason, result.containment) == ("execution_ended", Containment.EXECUTION_ENDED)
        assert (len(run.server.writes_of("CancelExecution")), run.intents) == (1, 0)


def test_tasks_that_still_run_are_not_called_ended() -> None:
    """A time of completion alone contains nothing: a later delivery looks again."""
    with one_execution() as (run, change):
        run.execution.completion_time = now()
        run.execution.conditions = [completed_as("CANCELLING", "CONDITION_RECONCILING")]
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change, intended=True)
        assert caught.value.reason == "reconciling"


def gone(run: OneCloudRun) -> None:
    run.world.executions.clear()


def another(run: OneCloudRun) -> None:
    run.execution.uid = "00000000-0000-4000-9000-00000000000f"


def other_job(run: OneCloudRun) -> None:
    run.world.jobs[NIGHTLY].uid = "00000000-0000-4000-9000-00000000000f"


def no_job(run: OneCloudRun) -> None:
    del run.world.jobs[NIGHTLY]


def deleting(run: OneCloudRun) -> None:
    run.world.jobs[NIGHTLY].delete_time = now()


def not_granted(run: OneCloudRun) -> None:
    run.server.granted = frozenset({"run.jobs.get", "run.executions.get"})


def unreadable(run: OneCloudRun) -> None:
    run.server.granted = frozenset({"run.jobs.get", "run.executions.cancel"})


@pytest.mark.parametrize(
    ("befall", "status", "reason"),
    [
        (gone, "target_gone", "gone_by_other"),
        (another, "target_replaced", "target_replaced"),
        (other_job, "target_replaced", "target_replaced"),
        (no_job, "target_gone", "gone_by_other"),
        (deleting, "target_gone", "service_deleting"),
        (not_granted, "failed", "cloud_run_permission_denied"),
        (unreadable, "failed", "cloud_run_permission_denied"),
    ],
)
def test_what_is_not_cancelled_says_why(befall: Callable[[OneCloudRun], None], status: str, reason: str) -> None:
    """Nothing is sent to another execution, or to one of another job of the same name."""
    with one_execution() as (run, change):
        befall(run)
        result = run.carried_out(change)
        assert (result.status, result.reason, result.containment) == (status, reason, None)
        assert run.server.writes_of("CancelExecution") == []


@pytest.mark.parametrize("left_out", [None, *CANCELS_EXECUTION.permissions], ids=str)
def test_each_declared_permission_is_needed_to_cancel(left_out: Permission | None) -> None:
    """With all of them, and no others, it is carried out; without any one it is not."""
    with one_execution() as (run, change):
        run.server.granted = {item.name for item in CANCELS_EXECUTION.permissions if item != left_out}
        try:
            status = str(run.carried_out(change).status)
        except RetryableError:
            status = "again"
        assert (status == "done") is (left_out is None)


def test_a_clock_that_goes_wrong_is_bounded_by_our_reads() -> None:
    """Since when it is contained is never later than when that was read."""
    with one_execution() as (run, change):
        end = run.world.cancelled

        def ended_tomorrow(execution: Any) -> Any:
            end(execution)
            execution.completion_time = now() + timedelta(days=1)
            return execution

        vars(run.world)["cancelled"] = ended_tomorrow
        result = run.carried_out(change)
        assert result.contained_at
        assert result.contained_at <= now()
