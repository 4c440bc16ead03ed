"""Whether Security Command Center, Cloud Logging and Cloud Monitoring answer, and whether evidence can be stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from shlex import quote
from typing import Protocol

from scc_responder.domain.cloud_run.run_metrics import LATEST_WITHIN, RunMetric
from scc_responder.domain.cloud_run.run_names import RunKind, RunName
from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import Clock, CloudLogs, CloudMetrics
from scc_responder.domain.resource_names import NotificationConfig
from scc_responder.workbench.doctor.check import (
    MISSING_PERMISSION,
    OR,
    REACH,
    Check,
    fault,
    ok,
    permission_of,
    probe_failed,
    unknown,
)
from scc_responder.workbench.doctor.clock_check import judge_clock
from scc_responder.workbench.doctor.deployed import given

_ABSENT = frozenset({400, 404})
ABSENT_LOG = "scc-responder-probe"
"""A log that nobody writes, and a service that nobody has."""


class Sources(Protocol):
    """Where findings are listed."""

    def probe(self, source: str) -> None:
        """Ask a source (`organizations/O/sources/S`) for a finding that cannot be there. Raises ApiError."""


class Configs(Protocol):
    """Where notification configs are read."""

    def notification_config(self, name: str) -> NotificationConfig:
        """What sends findings, by its full name. Raises ApiError; its status is 404 if it is gone."""


class Bucket(Protocol):
    """What is asked of the bucket for evidence. Every method raises ApiError."""

    def may_create(self) -> bool:
        """Whether the caller has `storage.objects.create` on it."""

    def retention_seconds(self) -> int:
        """How long its objects cannot be deleted; 0: they can be at once."""

    def server_time(self) -> datetime | None:
        """The server's clock, by its latest answer."""


def examine_source(sources: Sources, scope: str, source_id: str) -> Check:
    """One source that settings list."""
    name = "findings.list"
    if not scope:
        why = "a source is asked below its organization, folder or project, and that is not known here"
        return unknown(name, f"sources/{source_id}", "scope_not_known", why, given("SCOPE"))
    source = f"{scope}/sources/{source_id}"
    try:
        sources.probe(source)
    except ApiError as error:
        if error.status in _ABSENT:
            why = f"Security Command Center knows no such source: {error}"
            fix = f"Terraform variable source_ids: take the number after sources/ in the name of a finding of {scope}"
            return fault(name, source, "source_not_found", why, fix)
        return probe_failed(name, source, error, _grant(scope) if permission_of(error) else REACH)
    return ok(name, source, "securitycenter.findings.list")


def examine_config(configs: Configs, made: NotificationConfig) -> Check:
    """What sends findings here: whether it is as it was made. A sweep asks the same once a day."""
    name = "findings.config"
    try:
        found = configs.notification_config(made.name)
    except ApiError as error:
        if error.status == 404:
            return fault(name, made.name, "config_changed", "it is gone: no finding is sent", "terraform apply")
        fix = "terraform apply, which grants securitycenter.notificationconfig.get" if permission_of(error) else REACH
        return probe_failed(name, made.name, error, fix)
    if differs := made.differs(found):
        told = "; ".join(f"{field} is {pair['found']!a}, made as {pair['made']!a}" for field, pair in differs.items())
        return fault(name, made.name, "config_changed", f"findings may not be sent: {told}", "terraform apply")
    return ok(name, made.name, "as it was made")


def _grant(scope: str) -> str:
    kind, number = scope.split("/")
    group = "resource-manager folders" if kind == "folders" else kind
    command = (
        f"gcloud {group} add-iam-policy-binding {number} --member=serviceAccount:IDENTITY"
        f" --role=roles/securitycenter.findingsViewer"
    )
    return f"terraform apply{OR}{command}"


def examine_logs(logs: CloudLogs, project: str) -> Check:
    """Cloud Logging of a project with clusters: asked for a log that nobody writes. Data access logs are not tried."""
    name = "logs.list"
    try:
        logs.entries(project, f'log_id("{ABSENT_LOG}")', 1)
    except ApiError as error:
        grant = (
            f"gcloud projects add-iam-policy-binding {quote(project)} --member=serviceAccount:IDENTITY"
            f" --role=roles/logging.privateLogViewer{OR}Terraform variable cloud_logging = true"
        )
        return probe_failed(name, project, error, grant if permission_of(error) else REACH)
    return ok(name, project, "logging.logEntries.list")


def examine_metrics(metrics: CloudMetrics, project: str, clock: Clock) -> Check:
    """Cloud Monitoring of a project with services: asked for the instances of a service that nobody has."""
    name, now = "metrics.list", clock()
    absent = RunName(kind=RunKind.SERVICE, project=project, location="global", name=ABSENT_LOG)
    try:
        metrics.series(RunMetric.INSTANCES, absent, "", now - LATEST_WITHIN, now)
    except ApiError as error:
        grant = (
            f"gcloud projects add-iam-policy-binding {quote(project)} --member=serviceAccount:IDENTITY"
            f" --role=roles/monitoring.viewer{OR}Terraform variable cloud_monitoring = true"
        )
        return probe_failed(name, project, error, grant if permission_of(error) else REACH)
    return ok(name, project, "monitoring.timeSeries.list")


def bucket_of(address: str) -> str:
    """The bucket of `gs://BUCKET/PREFIX`."""
    return address.removeprefix("gs://").partition("/")[0]


def examine_evidence(bucket: Bucket, address: str, clock: Clock) -> Iterator[Check]:
    """The bucket: asked what one may, so that nothing is written that could not be deleted again."""
    name = quote(bucket_of(address))
    grant = (
        f"gcloud storage buckets add-iam-policy-binding gs://{name} --member=serviceAccount:IDENTITY"
        f" --role=roles/storage.objectCreator{OR}terraform apply (google_storage_bucket_iam_member.evidence)"
    )
    before = clock()
    try:
        may = bucket.may_create()
    except ApiError as error:
        make = "terraform apply, which makes it (google_storage_bucket.evidence)"
        yield probe_failed("evidence.write", address, error, {404: make, 0: REACH}.get(error.status, grant))
        return
    after = clock()
    if may:
        yield ok("evidence.write", address, "storage.objects.create")
    else:
        why = "missing permission: storage.objects.create; without evidence no pod is deleted that needs it"
        yield fault("evidence.write", address, MISSING_PERMISSION, why, grant)
    told = bucket.server_time()
    if told is not None:
        yield judge_clock("clock.storage", address, told, (before, after))
    yield _retention(bucket, address, name)


def _retention(bucket: Bucket, address: str, name: str) -> Check:
    try:
        seconds = bucket.retention_seconds()
    except ApiError as error:
        if permission_of(error):
            fix = "run doctor as somebody with storage.buckets.get too: the function's own identity has it not"
            return unknown(
                "evidence.retention", address, MISSING_PERMISSION, f"missing permission: {error.permission}", fix
            )
        return probe_failed("evidence.retention", address, error, "terraform apply")
    if seconds:
        return ok("evidence.retention", address, f"{seconds / 86400:g} days")
    fix = f"gcloud storage buckets update gs://{name} --retention-period=365d{OR}Terraform variable evidence"
    return fault(
        "evidence.retention", address, "retention_not_set", "whoever may delete objects can delete evidence", fix
    )
