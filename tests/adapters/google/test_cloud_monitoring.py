"""The real client against a local server that reads the filters it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.domain.cloud_run.run_metrics import RunActivity, RunMetric, run_activity
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.monitoring_server import INSTANCES, REQUESTS, MonitoringServer

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
SERVICE = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")
REVISION = "checkout-00002-abc"


@pytest.fixture
def server() -> Iterator[MonitoringServer]:
    """Cloud Monitoring on this machine, at a time of its own."""
    with MonitoringServer(lambda: NOW) as made:
        yield made


@pytest.fixture
def metrics(server: MonitoringServer) -> Iterator[CloudMonitoring]:
    """The adapter, connected to it."""
    made = CloudMonitoring(endpoint=server.endpoint)
    yield made
    made.close()


def ago(minutes: float) -> datetime:
    """So long before now."""
    return NOW - timedelta(minutes=minutes)


def asked(metrics: CloudMonitoring, revision: str = REVISION) -> RunActivity:
    """What is known of a revision now."""
    return run_activity(metrics, SERVICE, revision, NOW)


def test_both_metrics_are_read_with_one_request_each(server: MonitoringServer, metrics: CloudMonitoring) -> None:
    """Instances of every state as they were counted last, and all requests within the hour."""
    for minute in (1, 2, 3):
        server.count(INSTANCES, minute, ago(minute), state="active")
        server.count(INSTANCES, 5, ago(minute), state="idle")
    server.count(REQUESTS, 7, ago(59), response_code="200")
    server.count(REQUESTS, 2, ago(4), response_code="500")
    server.count(REQUESTS, 100, ago(60), response_code="200")
    found = asked(metrics)
    assert (found.instances.value, found.instances.newest) == (1 + 5, ago(1))
    assert (found.requests.value, found.requests.newest, found.read_at) == (9, ago(4), NOW)
    assert len(server.requests) == 2
    assert not server.refused


def test_only_the_service_that_is_meant_is_counted(server: MonitoringServer, metrics: CloudMonitoring) -> None:
    """Not another revision, another region, nor a project that this one watches."""
    server.watches["example-project"] = ("other-project",)
    server.count(INSTANCES, 1, ago(2))
    server.count(INSTANCES, 10, ago(2), revision="checkout-00001-abc")
    server.count(INSTANCES, 100, ago(2), location="us-central1")
    server.count(INSTANCES, 1000, ago(2), project_id="other-project")
    server.count(INSTANCES, 10_000, ago(2), service_name="cart")
    assert asked(metrics).instances.value == 1
    assert asked(metrics, revision="").instances.value == 11


def test_what_cannot_be_read_yet_is_not_there(server: MonitoringServer, metrics: CloudMonitoring) -> None:
    """A point comes minutes after its time, and says how old it is."""
    server.late = timedelta(minutes=4)
    for minute in (1, 5):
        server.count(INSTANCES, 0, ago(minute))
    found = asked(metrics)
    assert found.instances.newest == ago(5)
    assert found.instances.since(ago(3)).why == "metrics_before_change"
    assert found.instances.since(ago(6)).value == 0


def test_without_a_point_nothing_is_known(metrics: CloudMonitoring) -> None:
    """No instance is not said of what was not counted."""
    found = asked(metrics)
    assert (found.instances.value, found.instances.why) == (None, "no_points")
    assert (found.requests.value, found.requests.why) == (None, "no_points")


FAILURES = [
    (grpc.StatusCode.PERMISSION_DENIED, "monitoring_permission_denied", "monitoring.timeSeries.list"),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "monitoring_resource_exhausted", ""),
    (grpc.StatusCode.UNAVAILABLE, "monitoring_unavailable", ""),
]


@pytest.mark.parametrize(("code", "why", "permission"), FAILURES)
def test_a_failure_is_a_reason_and_not_asked_twice(
    server: MonitoringServer, metrics: CloudMonitoring, code: grpc.StatusCode, why: str, permission: str
) -> None:
    """Nobody knows then; the other metric would meet the same."""
    server.fail_next(code)
    found = asked(metrics)
    assert found.instances == found.requests
    assert (found.instances.value, found.instances.why, found.instances.permission) == (None, why, permission)
    assert len(server.requests) == 1


def test_a_server_that_stalls_costs_the_timeout_alone(server: MonitoringServer) -> None:
    """Evidence is sealed without it."""
    server.stall_next(3.0)
    hurried = CloudMonitoring(endpoint=server.endpoint, timeout_seconds=0.3)
    assert asked(hurried).instances.why == "monitoring_deadline_exceeded"
    hurried.close()


def test_a_part_of_the_points_is_no_sum(
    server: MonitoringServer, metrics: CloudMonitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither where more would follow, nor where the server says that it may have left some out."""
    for minute in range(1, 6):
        server.count(INSTANCES, 1, ago(minute))
    server.execution_errors = 1
    assert asked(metrics).instances.why == "partial_list"
    monkeypatch.setattr("scc_responder.adapters.google.cloud_monitoring.MOST_POINTS", 3)
    assert asked(metrics).instances.why == "partial_list"


@pytest.mark.parametrize(
    ("kind", "name", "revision"),
    [
        (RunKind.JOB, "nightly", ""),
        (RunKind.SERVICE, 'x" OR metric.type = "y', ""),
        (RunKind.SERVICE, "checkout", 'r" OR "'),
    ],
)
def test_what_is_no_service_is_not_asked_for(
    server: MonitoringServer, metrics: CloudMonitoring, kind: RunKind, name: str, revision: str
) -> None:
    """Nor could a name change the question."""
    odd = RunName(kind=kind, project="example-project", location="europe-west1", name=name)
    with pytest.raises(ApiError) as caught:
        metrics.series(RunMetric.INSTANCES, odd, revision, ago(10), NOW)
    assert (caught.value.reason, server.requests) == ("monitoring_invalid_argument", [])


def test_a_project_by_its_number_is_asked_for(server: MonitoringServer, metrics: CloudMonitoring) -> None:
    """The label has the id, so the number does not choose by it."""
    server.watches["123456789"] = ("example-project",)
    server.count(INSTANCES, 4, ago(2))
    numbered = RunName(kind=RunKind.SERVICE, project="123456789", location="europe-west1", name="checkout")
    assert run_activity(metrics, numbered, "", NOW).instances.value == 4


def test_only_this_machine_is_spoken_to_without_tls() -> None:
    """Any other stand-in is refused."""
    with pytest.raises(SettingsError, match="MONITORING_ENDPOINT"):
        CloudMonitoring(endpoint="192.0.2.1:443")
