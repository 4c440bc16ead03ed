"""Which executions run a finding's image, and when a part of a list says so of all of them."""

from __future__ import annotations

import pytest

from scc_responder.domain.cloud_run.run_objects import RunExecution
from scc_responder.domain.cloud_run.running_executions import MOST_RUNNING_NAMED, ended_before, named, others_running
from tests.kits.run_values import BAD, EVENT, GOOD, before, run_execution

OVER = run_execution("over", completion_time=before(minutes=5))
RUNS = run_execution("runs")


@pytest.mark.parametrize(
    ("other", "wanted", "is_told"),
    [
        (RUNS, {GOOD}, True),
        (RUNS, {BAD}, False),
        (RUNS, frozenset(), True),
        (RUNS, {""}, True),
        (run_execution("side", BAD, GOOD), {BAD}, True),
        (run_execution("tag", ""), {BAD}, True),
        (run_execution("ending", completion_time=before(minutes=1), running=1), {GOOD}, True),
        (run_execution("deleted", delete_time=before(minutes=1)), {GOOD}, False),
        (OVER, {GOOD}, False),
    ],
)
def test_others_run_one_of_the_images_or_an_unknown_one(
    other: RunExecution, wanted: frozenset[str], is_told: bool
) -> None:
    """The one that is known already is not among them."""
    meant = run_execution("a")
    assert others_running((other, meant), meant, wanted) == ((other.name,) if is_told else ())
    assert others_running((other, meant), None, ())[-1] == "nightly-a"


@pytest.mark.parametrize(
    ("executions", "latest", "is_so"),
    [
        ((RUNS, OVER), "nightly-runs", True),
        ((OVER, RUNS), "nightly-runs", False),
        ((RUNS, OVER), "nightly-newer", False),
        ((RUNS, run_execution("late", completion_time=EVENT)), "nightly-runs", False),
        ((RUNS, run_execution("ending", completion_time=before(minutes=1), running=1)), "nightly-runs", False),
        ((), "", False),
    ],
)
def test_a_part_of_a_list_is_enough_where_its_last_is_over(
    executions: tuple[RunExecution, ...], latest: str, is_so: bool
) -> None:
    """And where it begins with the newest, as the job names it."""
    assert ended_before(executions, latest, EVENT) is is_so


def test_so_many_are_named_and_the_others_counted() -> None:
    """The message stays short."""
    names = [f"n{number}" for number in range(MOST_RUNNING_NAMED + 2)]
    assert named(["a", "b"]) == "a, b"
    assert named(names).endswith(f"n{MOST_RUNNING_NAMED - 1} and 2 more")
