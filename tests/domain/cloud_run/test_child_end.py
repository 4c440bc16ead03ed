"""An end is sent once under its etag, awaited, and read back; what befalls it has a named reason."""

from __future__ import annotations

from typing import Any

import grpc
import pytest

from scc_responder.domain.changes.cloud_run.cancel_execution import CancelExecution
from scc_responder.domain.errors import RetryableError
from tests.kits.one_run_change import one_execution


def test_a_lost_answer_of_an_end_is_read_back() -> None:
    """The request was carried out: it is not sent twice, and the step waits for its end."""
    with one_execution(reconcile_seconds=0.3) as (run, change):
        run.server.lost_answers = 1
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("done", "execution_cancelled")
        assert len(run.server.writes_of("CancelExecution")) == 1
        assert run.seconds


def test_a_lost_request_of_an_end_is_sent_again() -> None:
    """After a crash between intent and request nothing is ending: the next delivery sends it."""
    with one_execution() as (run, change):
        result = run.carried_out(change, intended=True)
        assert (result.status, result.reason) == ("done", "execution_cancelled")
        assert len(run.server.writes_of("CancelExecution")) == 1


def test_an_end_that_takes_long_is_left_to_a_later_delivery() -> None:
    """The intent stands: the next delivery reads it back, and sends nothing."""
    with one_execution(reconcile_seconds=3600) as (run, change):
        slow = run.api.wait_operation
        vars(run.api)["wait_operation"] = lambda name, _seconds: slow(name, 0.05)
        for intended in (False, True):
            with pytest.raises(RetryableError) as caught:
                run.carried_out(change, intended=intended)
            assert caught.value.reason == "reconciling"
        assert len(run.server.writes_of("CancelExecution")) == run.intents == 1


def test_an_end_that_fails_says_so() -> None:
    """Google's own words are told."""
    with one_execution() as (run, change):
        run.world.next_failure = "The execution is <b>stuck</b>."
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("failed", "reconciliation_failed")
        assert "stuck" in result.detail


def test_a_wait_that_is_refused_is_read_back_later() -> None:
    """The request was accepted: nobody may call it failed."""
    with one_execution() as (run, change):
        run.server.granted = frozenset({"run.executions.get", "run.jobs.get", "run.executions.cancel"})
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "reconciling"


def changed_after_read(run: Any, times: int) -> None:
    """Let others change the execution after each of so many reads."""
    read = run.api.get_execution

    def changed(*asked: Any) -> Any:
        nonlocal times
        seen = read(*asked)
        if times:
            times -= 1
            run.execution.etag = f'"changed-{times}"'
        return seen

    vars(run.api)["get_execution"] = changed


def test_a_change_between_look_and_request_is_seen_by_the_etag() -> None:
    """The child is looked at again, and a target that keeps changing is left to a later delivery."""
    with one_execution() as (run, change):
        changed_after_read(run, 2)
        assert run.carried_out(change).reason == "execution_cancelled"
        assert len(run.server.writes_of("CancelExecution")) == 1
    with one_execution() as (run, change):
        changed_after_read(run, 3)
        with pytest.raises(RetryableError) as caught:
            run.carried_out(change)
        assert caught.value.reason == "cloud_run_aborted"
        assert run.server.writes_of("CancelExecution") == []


def test_a_child_that_ends_between_look_and_request_has_ended() -> None:
    """The API refuses it then, which is no failure of ours."""
    with one_execution() as (run, change):
        begin = run.api.cancel_execution

        def ended_before(*asked: Any, **more: Any) -> Any:
            run.world.cancelled(run.execution)
            run.execution.cancelled_count, run.execution.succeeded_count = 0, 1
            return begin(*asked, **more)

        vars(run.api)["cancel_execution"] = ended_before
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("done", "execution_ended")


def test_a_refusal_that_the_child_does_not_explain_is_told() -> None:
    """Where it runs on, the API's own words say why it is not ended."""
    with one_execution() as (run, change):
        run.server.pass_next(count=2)
        run.server.fail_next(grpc.StatusCode.INVALID_ARGUMENT, "no such thing")
        result = run.carried_out(change)
        assert (result.status, result.reason) == ("failed", "cloud_run_invalid_argument")


def test_a_read_that_fails_before_an_end_comes_again() -> None:
    """Nothing is known of it then, and nothing is intended."""
    with one_execution() as (run, change):
        run.server.fail_next(grpc.StatusCode.UNAVAILABLE)
        with pytest.raises(RetryableError):
            run.carried_out(change)
        assert run.intents == 0


def test_a_path_that_names_no_job_is_refused() -> None:
    """A stored change of another form is carried out on nothing."""
    with one_execution() as (run, _change):
        change = CancelExecution(path="projects/x", uid="u", execution="e", execution_uid="u")
        assert run.carried_out(change).reason == "service_not_named"
