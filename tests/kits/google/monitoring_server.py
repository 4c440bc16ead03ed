"""Cloud Monitoring as a local gRPC server that speaks Google's protos, and parses and applies the filters it is asked.

Source: google/monitoring/v3/metric_service.proto; Cloud Monitoring, "Monitoring filters".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
from google.api.metric_pb2 import MetricDescriptor
from google.cloud.monitoring_v3.types import ListTimeSeriesRequest, ListTimeSeriesResponse, Point, TimeSeries
from google.rpc import status_pb2

from tests.kits.google.grpc_servers import LocalServer, unary

INSTANCES = "run.googleapis.com/container/instance_count"
REQUESTS = "run.googleapis.com/request_count"
SAMPLED_EVERY = timedelta(seconds=60)
_PROJECT = re.compile(r"projects/[a-z0-9][a-z0-9.:-]*", re.ASCII)
_TERM = re.compile(r'(metric\.type|resource\.type|(?:metric|resource)\.labels\.[a-z_]+) = "([^"\\]*)"', re.ASCII)


class MonitoringServer(LocalServer):
    """`google.monitoring.v3.MetricService`, of which ListTimeSeries is served from `series`, by project.

    `clock` is the server's; a point can be read `late` after the time that it is about. A project that is in `watches`
    answers for the projects that it watches, too. `requests` are what was asked, `refused` the filters it could not
    read. `execution_errors`: that many answers say that they may be incomplete.
    """

    def __init__(self, clock: Callable[[], datetime] = lambda: datetime.now(UTC), *, port: int = 0) -> None:
        self.clock = clock
        self.late = timedelta(0)
        self.series: list[TimeSeries] = []
        self.watches: dict[str, tuple[str, ...]] = {}
        self.requests: list[ListTimeSeriesRequest] = []
        self.refused: list[str] = []
        self.execution_errors = 0
        handler = unary(self.list_time_series, ListTimeSeriesRequest, ListTimeSeriesResponse)
        super().__init__("google.monitoring.v3.MetricService", {"ListTimeSeries": handler}, port)

    def count(self, metric: str, value: int, at: datetime, revision: str = "checkout-00002-abc", **labels: str) -> None:
        """Let a metric of a revision have this value at a time; `labels` are the metric's, or the resource's own."""
        place = {"project_id": "example-project", "service_name": "checkout", "location": "europe-west1"}
        place |= {name: labels.pop(name) for name in list(labels) if name in place}
        held = self._of(
            metric, {**place, "revision_name": revision, "configuration_name": place["service_name"]}, labels
        )
        is_gauge = metric == INSTANCES
        interval = {"start_time": at if is_gauge else at - SAMPLED_EVERY, "end_time": at}
        made = Point(interval=interval, value={"int64_value": value})
        held.points = sorted([made, *held.points], key=lambda point: point.interval.end_time, reverse=True)

    def list_time_series(self, request: ListTimeSeriesRequest, context: grpc.ServicerContext) -> ListTimeSeriesResponse:
        """ListTimeSeries of one project, without aggregation."""
        self.requests.append(request)
        self.befall("ListTimeSeries", context)
        wanted = parse_filter(request.filter)
        if isinstance(wanted, str):
            self.refused.append(f"{wanted}: {request.filter}")
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Field filter had an invalid value: {wanted}")
        if not _PROJECT.fullmatch(request.name) or "end_time" not in request.interval or request.aggregation:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no project, no interval, or an aggregation")
        project = request.name.removeprefix("projects/")
        projects = {project, *self.watches.get(project, ())}
        inside = [each for each in self.series if each.resource.labels["project_id"] in projects]
        most, more = request.page_size or 100_000, False
        answer = ListTimeSeriesResponse()
        for each in (each for each in inside if _fits(each, wanted)):
            points = self._within(each, request)
            more |= len(points) > most
            if points[:most]:
                kept = TimeSeries(each)
                kept.points = points[:most]
                answer.time_series.append(kept)
            most -= min(most, len(points))
        if self.execution_errors:
            self.execution_errors -= 1
            answer.execution_errors.append(status_pb2.Status(code=14, message="a backend did not answer"))
        answer.next_page_token = "more" if more else ""
        return answer

    def _within(self, series: TimeSeries, request: ListTimeSeriesRequest) -> list[Point]:
        """Those that are later than the start, no later than the end, and can be read by now."""
        first, last = request.interval.start_time, min(request.interval.end_time, self.clock() - self.late)
        return [point for point in series.points if first < point.interval.end_time <= last]

    def _of(self, metric: str, resource: dict[str, str], labels: dict[str, str]) -> TimeSeries:
        for each in self.series:
            if each.metric.type == metric and dict(each.resource.labels) == resource and each.metric.labels == labels:
                return each
        kind = MetricDescriptor.MetricKind.GAUGE if metric == INSTANCES else MetricDescriptor.MetricKind.DELTA
        made = TimeSeries(
            metric={"type": metric, "labels": labels},
            resource={"type": "cloud_run_revision", "labels": resource},
            metric_kind=kind,
            value_type=MetricDescriptor.ValueType.INT64,
        )
        self.series.append(made)
        return self.series[-1]


def parse_filter(text: str) -> dict[str, str] | str:
    """What each field has to be, or why the API would refuse the filter: it names one metric, and joins all by AND."""
    terms = [_TERM.fullmatch(term) for term in text.split(" AND ")]
    if not all(terms):
        return "a comparison that is not known here"
    wanted = {match[1]: match[2] for match in terms if match}
    if len(wanted) != len(terms):
        return "a field is named twice"
    return wanted if "metric.type" in wanted else "it must specify a single metric type"


def _fits(series: TimeSeries, wanted: dict[str, str]) -> bool:
    of: dict[str, Any] = {"metric": series.metric, "resource": series.resource}
    for field, value in wanted.items():
        part, _, rest = field.partition(".")
        held = of[part].type if rest == "type" else of[part].labels.get(rest.removeprefix("labels."), "")
        if held != value:
            return False
    return True
