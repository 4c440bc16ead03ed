"""How many instances of a revision there are, and how many requests it got, as Cloud Monitoring tells it: late.

Cloud Run samples its metrics every 60 s, and a sample can be read up to 4 minutes after that. So a number says how old
it is, and one from before a change tells nothing of what came of the change.
Source: Cloud Monitoring, "Google Cloud metrics", run.googleapis.com.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

if TYPE_CHECKING:
    from scc_responder.domain.ports import CloudMetrics

SAMPLED_EVERY = timedelta(seconds=60)
LATEST_WITHIN = timedelta(minutes=10)
"""How far back the newest number of instances is looked for."""

TRAFFIC_WITHIN = timedelta(hours=1)


class RunMetric(StrEnum):
    """A metric of Cloud Run, by its type."""

    INSTANCES = "run.googleapis.com/container/instance_count"
    """A gauge: one series for each state of instances, `active` and `idle`."""
    REQUESTS = "run.googleapis.com/request_count"
    """Requests that reached an instance since the point before: one series for each response code."""


class MetricPoint(Value, frozen=True, kw_only=True):
    """One number of a series, and the end of the time that it is about."""

    value: int
    time: datetime


MetricSeries = tuple[MetricPoint, ...]
"""Points, the newest first."""


class MetricAnswer(Value, frozen=True, kw_only=True):
    """What a metric came to. `value` is None where nobody knows it, and `why` says why.

    `newest` is the time of the newest point that it is made of. `permission` is the one that was missing.
    """

    value: int | None = None
    newest: datetime | None = None
    why: str = ""
    permission: str = ""

    def since(self, changed_at: datetime) -> MetricAnswer:
        """The instances, if they were counted after a change: `metrics_before_change` where they were not.

        Only a value of 0 in this answer says that no instance runs. A point may be of a sample from the minute before.
        """
        if self.newest is None or self.newest >= changed_at + SAMPLED_EVERY:
            return self
        return MetricAnswer(newest=self.newest, why=Reason.METRICS_BEFORE_CHANGE)


class RunActivity(Value, frozen=True, kw_only=True):
    """The instances of a revision, and its requests within the hour before `read_at`."""

    read_at: datetime
    instances: MetricAnswer
    requests: MetricAnswer


def run_activity(metrics: CloudMetrics | None, name: RunName, revision: str, now: datetime) -> RunActivity:
    """Ask for both, of a service's revision or with an empty one of all of them; two requests.

    What cannot be known has its reason, and a second request is not sent where the first one failed. Raises nothing.
    """
    try:
        instances = instance_count(metrics, name, revision, now)
        requests = instances if metrics is None else _requests(metrics, name, revision, now)
    except ApiError as error:
        failed = MetricAnswer(why=error.reason, permission=error.permission)
        return RunActivity(read_at=now, instances=failed, requests=failed)
    return RunActivity(read_at=now, instances=instances, requests=requests)


def instance_count(metrics: CloudMetrics | None, name: RunName, revision: str, now: datetime) -> MetricAnswer:
    """The instances of a service's revision, or with an empty one of all, in one request. Raises ApiError."""
    if metrics is None:
        return MetricAnswer(why=Reason.NO_CLOUD_MONITORING)
    return latest_sum(metrics.series(RunMetric.INSTANCES, name, revision, now - LATEST_WITHIN, now))


def _requests(metrics: CloudMetrics, name: RunName, revision: str, now: datetime) -> MetricAnswer:
    return total(metrics.series(RunMetric.REQUESTS, name, revision, now - TRAFFIC_WITHIN, now))


def latest_sum(series: Sequence[MetricSeries]) -> MetricAnswer:
    """The sum of the newest points of a gauge, which is as old as the oldest of them."""
    newest = [points[0] for points in series if points]
    if not newest:
        return MetricAnswer(why=Reason.NO_POINTS)
    return MetricAnswer(value=sum(point.value for point in newest), newest=min(point.time for point in newest))


def total(series: Sequence[MetricSeries]) -> MetricAnswer:
    """The sum of all points of what is counted anew for each of them."""
    points = [point for each in series for point in each]
    if not points:
        return MetricAnswer(why=Reason.NO_POINTS)
    return MetricAnswer(value=sum(point.value for point in points), newest=max(point.time for point in points))
