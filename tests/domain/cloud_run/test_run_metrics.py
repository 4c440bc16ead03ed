"""What numbers of Cloud Monitoring are worth, by when they were measured."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scc_responder.domain.cloud_run.run_metrics import (
    MetricAnswer,
    MetricPoint,
    RunActivity,
    latest_sum,
    run_activity,
    total,
)
from scc_responder.domain.cloud_run.run_names import RunKind, RunName

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SERVICE = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")


def point(value: int, seconds_ago: int) -> MetricPoint:
    """A point of so long ago."""
    return MetricPoint(value=value, time=NOW - timedelta(seconds=seconds_ago))


def test_without_the_api_nothing_is_known() -> None:
    """And the reason is the deployment's choice."""
    found = run_activity(None, SERVICE, "", NOW)
    unknown = MetricAnswer(why="no_cloud_monitoring")
    assert (found.instances, found.requests, found.instances.since(NOW)) == (unknown, unknown, unknown)


def test_a_gauge_is_as_old_as_its_oldest_part() -> None:
    """Instances of one state that were counted long ago make the sum that old."""
    series = ((point(2, 60), point(9, 120)), (point(1, 180),), ())
    assert latest_sum(series) == MetricAnswer(value=3, newest=NOW - timedelta(seconds=180))
    assert total(series) == MetricAnswer(value=12, newest=NOW - timedelta(seconds=60))


@pytest.mark.parametrize(
    ("counted", "seconds_after", "known"),
    [(0, 60, 0), (3, 61, 3), (0, 59, None), (0, 0, None), (0, -120, None), (3, -120, None)],
)
def test_a_count_from_before_a_change_proves_nothing(counted: int, seconds_after: int, known: int | None) -> None:
    """Also one within the minute after it: its sample may be older."""
    changed_at = NOW - timedelta(minutes=5)
    instances = MetricAnswer(value=counted, newest=changed_at + timedelta(seconds=seconds_after))
    answer = RunActivity(read_at=NOW, instances=instances, requests=instances).instances.since(changed_at)
    assert (answer.value, answer.why) == (known, "" if known is not None else "metrics_before_change")
    assert answer.newest == instances.newest
