"""What would be read on Cloud Run about a finding's service or job if it were there, in agreement with the finding."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from scc_responder.domain.cloud_run.run_names import RunKind, RunName, run_target
from scc_responder.domain.cloud_run.run_objects import (
    RunContainer,
    RunExecution,
    RunIamBinding,
    RunIamPolicy,
    RunJob,
    RunRevision,
    RunScaling,
    RunService,
    RunTraffic,
)
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason

SAFE_DIGEST = f"sha256:{'a' * 64}"
"""The image of the revision before the compromised one."""

_UNTOLD_DIGEST = f"sha256:{'b' * 64}"


def run_facts_as_told(finding: Finding) -> dict[str, Any]:
    """The fields of a context: a service with the revision that is meant and a safe one, or a job that runs.

    The service is open to the internet. Where the finding names neither, `missing` says why.
    """
    target = run_target(finding.cloud_run)
    if isinstance(target, Reason):
        return {"missing": {"service": target}} if finding.cloud_run else {}
    is_job = target.kind is RunKind.JOB
    return _job(finding, target.name, target.execution) if is_job else _service(finding, target.name, target.revision)


def _service(finding: Finding, name: RunName, revision: str) -> dict[str, Any]:
    meant = _revision(finding, name, revision or f"{name.name}-00002-abc", _digest(finding), days=2)
    safe = _revision(finding, name, f"{name.name}-00001-abc", SAFE_DIGEST, days=9)
    service = RunService(
        **_owner(finding, name),
        traffic=(RunTraffic(latest=True, percent=100),),
        traffic_statuses=(RunTraffic(latest=True, percent=100, revision=meant.name),),
        ingress="INGRESS_TRAFFIC_ALL",
        scaling=RunScaling(mode="AUTOMATIC", maximum=20),
        latest_ready=meant.name,
        latest_created=meant.name,
    )
    anyone = RunIamBinding(role="roles/run.invoker", members=("allUsers",))
    policy = RunIamPolicy(etag="BwOpen", bindings=(anyone,))
    return {"service": service, "revisions": (meant, safe), "revision": meant, "iam_policy": policy}


def _job(finding: Finding, name: RunName, execution: str) -> dict[str, Any]:
    began = finding.event_time - timedelta(minutes=20)
    meant = RunExecution(
        name=execution or f"{name.name}-x7k2p",
        job=name.name,
        uid=_uid("Execution", name.path),
        create_time=began,
        start_time=began,
        containers=_containers(_digest(finding)),
        running=1,
    )
    job = RunJob(**_owner(finding, name), latest_execution=meant.name)
    return {"job": job, "executions": (meant,), "execution": meant, "iam_policy": RunIamPolicy(etag="BwClosed")}


def _owner(finding: Finding, name: RunName) -> dict[str, Any]:
    created = finding.event_time - timedelta(days=90)
    uid = _uid(name.kind, name.path)
    return {"name": name, "uid": uid, "generation": 2, "observed": 2, "etag": '"2"', "create_time": created}


def _revision(finding: Finding, name: RunName, short: str, digest: str, *, days: int) -> RunRevision:
    return RunRevision(
        name=short,
        service=name.name,
        uid=_uid("Revision", f"{name.path}/{short}"),
        create_time=finding.event_time - timedelta(days=days),
        containers=_containers(digest),
        ready=True,
    )


def _containers(digest: str) -> tuple[RunContainer, ...]:
    return (RunContainer(name="app", digest=digest),)


def _digest(finding: Finding) -> str:
    """The image of the finding; a made-up one where it names none."""
    return min(finding.image_digests, default=_UNTOLD_DIGEST)


def _uid(kind: str, name: str) -> str:
    return str(uuid5(NAMESPACE_OID, f"{kind} {name}"))
