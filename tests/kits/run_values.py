"""Services, revisions, jobs and executions of Cloud Run, and a finding about them, for tests of pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from scc_responder.domain.cloud_run.run_names import RunKind, RunName, RunTarget
from scc_responder.domain.cloud_run.run_objects import (
    RunContainer,
    RunExecution,
    RunJob,
    RunRevision,
    RunService,
    RunTraffic,
)
from scc_responder.domain.finding import CloudRunTarget, Finding, FindingContainer
from scc_responder.intake.notification import parse_notification
from tests.findings import data, notification

BAD, GOOD = f"sha256:{'b' * 64}", f"sha256:{'a' * 64}"
CHECKOUT = RunName(kind=RunKind.SERVICE, project="example-project", location="europe-west1", name="checkout")
NIGHTLY = RunName(kind=RunKind.JOB, project="example-project", location="europe-west1", name="nightly")
NAMED = CloudRunTarget(kind="service", project="example-project", location="europe-west1", name="checkout")
_GOLDEN = parse_notification(data(notification("cloud_run_container_escape")))
EVENT: datetime = _GOLDEN.event_time


def before(**ago: float) -> datetime:
    """So long before the finding's event."""
    return EVENT - timedelta(**ago)


def run_finding(*digests: str, **changes: Any) -> Finding:
    """The golden finding, whose containers run images of these digests."""
    containers = tuple(
        FindingContainer(name=f"c{number}", image_id=f"repo@{digest}") for number, digest in enumerate(digests)
    )
    return replace(_GOLDEN, containers=containers, **changes)


def run_service(traffic: dict[str, int] | None = None, **changes: Any) -> RunService:
    """The service `checkout`, whose requests go to these revisions by percent: all to `checkout-2`."""
    shares = {"checkout-2": 100} if traffic is None else traffic
    statuses = tuple(RunTraffic(revision=name, percent=percent) for name, percent in shares.items())
    told: dict[str, Any] = {
        "name": CHECKOUT,
        "uid": "service-uid",
        "generation": 7,
        "etag": "service-etag",
        "create_time": before(days=90),
        "traffic": statuses,
        "traffic_statuses": statuses,
        "latest_ready": "checkout-2",
    }
    return RunService(**{**told, **changes})


def run_revision(number: int, *digests: str, **changes: Any) -> RunRevision:
    """The revision `checkout-NUMBER`, made so many hours before the event as its number is below 10."""
    told: dict[str, Any] = {
        "name": f"checkout-{number}",
        "service": "checkout",
        "uid": f"revision-{number}",
        "create_time": before(hours=10 - number),
        "containers": run_containers(digests or (GOOD,)),
        "ready": True,
    }
    return RunRevision(**{**told, **changes})


def run_containers(digests: Sequence[str]) -> tuple[RunContainer, ...]:
    """Containers of images with these digests; an empty one is not known."""
    return tuple(RunContainer(name=f"c{number}", digest=digest) for number, digest in enumerate(digests))


def run_job(**changes: Any) -> RunJob:
    """The job `nightly`."""
    told: dict[str, Any] = {"uid": "job-uid", "generation": 3, "etag": "job-etag", "create_time": before(days=90)}
    return RunJob(name=NIGHTLY, **{**told, **changes})


def run_execution(name: str, *digests: str, **changes: Any) -> RunExecution:
    """The execution `nightly-NAME`, which began an hour before the event and runs."""
    told: dict[str, Any] = {
        "uid": f"execution-{name}",
        "create_time": before(hours=1),
        "containers": run_containers(digests or (GOOD,)),
    }
    return RunExecution(name=f"nightly-{name}", job="nightly", **{**told, **changes})


def service_target(revision: str = "") -> RunTarget:
    """What a finding about the service is about."""
    return RunTarget(name=CHECKOUT, revision=revision)


def job_target(execution: str = "") -> RunTarget:
    """What a finding about the job is about."""
    return RunTarget(name=NIGHTLY, execution=execution)
