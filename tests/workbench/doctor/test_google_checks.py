"""What doctor makes of Security Command Center and the bucket, by what they answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from msgspec.structs import replace

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.resource_names import NotificationConfig
from scc_responder.workbench.doctor.check import MISSING_PERMISSION, CheckResult
from scc_responder.workbench.doctor.google_checks import (
    ABSENT_LOG,
    bucket_of,
    examine_config,
    examine_evidence,
    examine_logs,
    examine_metrics,
    examine_source,
)
from tests.kits.google.monitoring_server import MonitoringServer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DENIED = ApiError(Reason.STORAGE.of("forbidden"), "no", status=403, permission="storage.buckets.get")


class Sources:
    """Answers every source alike."""

    def __init__(self, error: ApiError | None = None) -> None:
        self.error = error

    def probe(self, source: str) -> None:
        """Fail as told."""
        if self.error:
            raise self.error


MADE = NotificationConfig(name="organizations/1/locations/global/notificationConfigs/r", pubsub_topic="t", filter="f")


class Configs:
    """Answers every name alike."""

    def __init__(self, answer: NotificationConfig | ApiError) -> None:
        self.answer = answer

    def notification_config(self, _name: str) -> NotificationConfig:
        """Fail as told."""
        if isinstance(self.answer, ApiError):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("answer", "reason", "told"),
    [
        (MADE, "", "as it was made"),
        (replace(MADE, filter="state=ACTIVE\x1b"), "config_changed", r"filter is 'state=ACTIVE\x1b', made as 'f'"),
        (replace(MADE, pubsub_topic="u"), "config_changed", "pubsub_topic is 'u', made as 't'"),
        (ApiError("no", "x", status=404), "config_changed", "it is gone"),
        (
            ApiError("forbidden", "x", status=403, permission="securitycenter.notificationconfig.get"),
            MISSING_PERMISSION,
            "securitycenter.notificationconfig.get",
        ),
    ],
)
def test_what_sends_findings_is_compared(answer: NotificationConfig | ApiError, reason: str, told: str) -> None:
    """A changed, removed or unreadable config is told before a finding is missed."""
    check = examine_config(Configs(answer), MADE)
    assert (check.reason, told in f"{check.why} {check.fix}") == (reason, True)


@pytest.mark.parametrize(
    ("scope", "error", "reason", "fix"),
    [
        ("organizations/1", None, "", ""),
        ("", None, "scope_not_known", "terraform output -raw settings"),
        (
            "organizations/1",
            ApiError("no", "x", status=404),
            "source_not_found",
            "Terraform variable source_ids",
        ),
        (
            "folders/1",
            ApiError("forbidden", "x", status=403, permission="securitycenter.findings.list"),
            MISSING_PERMISSION,
            "gcloud resource-manager folders add-iam-policy-binding 1",
        ),
        ("projects/p", ApiError("unreachable", "x"), "unreachable", "curl"),
    ],
)
def test_a_source_is_asked_below_its_scope(scope: str, error: ApiError | None, reason: str, fix: str) -> None:
    """What keeps doctor from its findings has a reason and a fix of its own."""
    check = examine_source(Sources(error), scope, "7")
    assert check.reason == reason
    assert fix in check.fix


class Logs:
    """`ports.CloudLogs` that has nothing, or fails as told."""

    def __init__(self, error: ApiError | None = None) -> None:
        self.error = error

    def entries(self, project: str, filter_: str, most: int) -> tuple[list[dict[str, Any]], bool]:
        """Fail as told."""
        assert (project, filter_, most) == ("example-project", f'log_id("{ABSENT_LOG}")', 1)
        if self.error:
            raise self.error
        return [], False


@pytest.mark.parametrize(
    ("error", "result", "reason", "fix"),
    [
        (None, CheckResult.OK, "", ""),
        (
            ApiError(Reason.LOGGING.of("permission_denied"), status=403, permission="logging.logEntries.list"),
            CheckResult.FAULT,
            MISSING_PERMISSION,
            "gcloud projects add-iam-policy-binding example-project",
        ),
    ],
)
def test_cloud_logging_is_asked_for_no_log(error: ApiError | None, result: CheckResult, reason: str, fix: str) -> None:
    """Nothing is read of what anybody wrote."""
    check = examine_logs(Logs(error), "example-project")
    assert (check.result, check.reason) == (result, reason)
    assert fix in check.fix


@pytest.mark.parametrize(
    ("code", "result", "reason", "fix"),
    [
        (None, CheckResult.OK, "", ""),
        (
            grpc.StatusCode.PERMISSION_DENIED,
            CheckResult.FAULT,
            MISSING_PERMISSION,
            "gcloud projects add-iam-policy-binding example-project",
        ),
    ],
)
def test_cloud_monitoring_is_asked_for_no_service(
    code: grpc.StatusCode | None, result: CheckResult, reason: str, fix: str
) -> None:
    """Nobody's instances are counted."""
    with MonitoringServer() as server:
        if code:
            server.fail_next(code)
        metrics = CloudMonitoring(endpoint=server.endpoint)
        check = examine_metrics(metrics, "example-project", utc_now)
        metrics.close()
    assert (check.result, check.reason) == (result, reason)
    assert fix in check.fix
    assert [ABSENT_LOG in request.filter for request in server.requests] == [True]


class Bucket:
    """A bucket that answers as told; an error is raised."""

    def __init__(self, may: Any = True, retention: Any = 86400, time: datetime | None = NOON) -> None:
        self.may, self.retention, self.time = may, retention, time

    def may_create(self) -> bool:
        """See `Bucket` of the module."""
        return bool(_told(self.may))

    def retention_seconds(self) -> int:
        """See `Bucket` of the module."""
        return int(_told(self.retention))

    def server_time(self) -> datetime | None:
        """See `Bucket` of the module."""
        return self.time


def _told(answer: Any) -> Any:
    if isinstance(answer, Exception):
        raise answer
    return answer


BUCKETS = [
    pytest.param(Bucket(), {}, id="sound"),
    pytest.param(Bucket(may=False), {"evidence.write": MISSING_PERMISSION}, id="not-granted"),
    pytest.param(Bucket(may=ApiError("no_bucket", "x", status=404)), {"evidence.write": "no_bucket"}, id="absent"),
    pytest.param(Bucket(time=NOON + timedelta(minutes=1)), {"clock.storage": "clock_skewed"}, id="clock"),
    pytest.param(Bucket(time=None, retention=0), {"evidence.retention": "retention_not_set"}, id="retention"),
    pytest.param(Bucket(retention=DENIED), {"evidence.retention": MISSING_PERMISSION}, id="retention-unread"),
    pytest.param(Bucket(retention=ApiError("away", "x")), {"evidence.retention": "away"}, id="unreachable"),
]


@pytest.mark.parametrize(("bucket", "reasons"), BUCKETS)
def test_a_bucket_has_its_own_fault(bucket: Bucket, reasons: dict[str, str]) -> None:
    """Permission, clock and retention, each by what was answered."""
    checks = list(examine_evidence(bucket, "gs://example-evidence/prefix", lambda: NOON))
    assert {check.name: check.reason for check in checks if check.result is not CheckResult.OK} == reasons
    assert all(check.fix for check in checks if check.result is not CheckResult.OK)


def test_the_address_names_the_bucket() -> None:
    """Whatever stands behind it."""
    assert bucket_of("gs://example-evidence/a/b") == bucket_of("gs://example-evidence") == "example-evidence"
