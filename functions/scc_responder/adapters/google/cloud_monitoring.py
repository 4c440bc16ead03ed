"""Metrics of Cloud Run in Cloud Monitoring, through its v3 API. Connects on first use; nothing is retried here."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from scc_responder.adapters.google.access import lean_imports
from scc_responder.adapters.google.access.google_client import GoogleClient
from scc_responder.adapters.google.access.grpc_errors import ApiMethod
from scc_responder.domain.cloud_run.run_metrics import MetricPoint, MetricSeries, RunMetric
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason

MONITORING_SERVICE = "monitoring.googleapis.com"
LIST_SERIES = ApiMethod(api=Reason.MONITORING, permission="monitoring.timeSeries.list")
MOST_POINTS = 20_000
"""Of one request: an hour's minutes for each of 300 response codes."""

_REVISION = re.compile(r"[a-z0-9-]{0,63}", re.ASCII)


class CloudMonitoring(GoogleClient):
    """`ports.CloudMetrics` over ListTimeSeries. `endpoint`: a stand-in on this machine, host:port.

    Raises SettingsError for any other endpoint. `timeout_seconds` bounds each request: two of them leave an evidence
    source within its deadline.
    """

    lean = lean_imports.MONITORING
    service = MONITORING_SERVICE
    setting = "SCC_RESPONDER_MONITORING_ENDPOINT"
    within_seconds = 4.0

    def series(
        self, metric: RunMetric, name: RunName, revision: str, since: datetime, until: datetime
    ) -> Sequence[MetricSeries]:
        """See `CloudMetrics.series`."""
        request = {
            "name": f"projects/{name.project}",
            "filter": series_filter(metric, name, revision),
            "interval": {"start_time": since, "end_time": until},
            "view": "FULL",
            "page_size": MOST_POINTS,
        }
        answer = self._asked_once(LIST_SERIES, "list_time_series", request=request)
        page = next(iter(answer.pages))
        if page.next_page_token or page.execution_errors:
            raise ApiError(Reason.PARTIAL_LIST, f"{metric} of {name.path}: only a part of its points came")
        return [_points(each) for each in type(page).pb(page).time_series]


def series_filter(metric: RunMetric, name: RunName, revision: str) -> str:
    """The series of a service, or of one revision of it. Raises ApiError for what is no name, or no service's.

    A project that watches others answers for those too, so its own id is asked for; a number is no label's value.
    """
    if name.kind is not RunKind.SERVICE or RunName.parse(name.path) != name or not _REVISION.fullmatch(revision):
        raise ApiError(Reason.MONITORING.of("invalid_argument"), f"no service: {name.path[:100]!a}", status=400)
    labels = {"service_name": name.name, "location": name.location, "revision_name": revision}
    labels |= {"project_id": "" if name.project.isdigit() else name.project}
    chosen = [f'resource.labels.{label} = "{value}"' for label, value in labels.items() if value]
    return " AND ".join([f'metric.type = "{metric}"', 'resource.type = "cloud_run_revision"', *chosen])


def _points(series: Any) -> MetricSeries:
    points = (
        MetricPoint(value=point.value.int64_value, time=point.interval.end_time.ToDatetime(tzinfo=UTC))
        for point in series.points
    )
    return tuple(sorted(points, key=lambda point: point.time, reverse=True))
