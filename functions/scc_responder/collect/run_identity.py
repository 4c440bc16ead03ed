"""Prove that the service or the job that was read is the one that a finding means. Pure.

Names are reused: a service that was deleted and deployed again has its name, and so may its revisions. So what was read
has to be older than the event, and to run the finding's image. From then on its UID is its only name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from scc_responder.collect.identity import ABSENT, HELD
from scc_responder.collect.meant_revision import Meant, may_run, runs, was_there
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunExecution, RunJob, RunRevision, RunService
from scc_responder.domain.context import Identity, IdentityLevel
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason

_REFUTED = {
    "service": Reason.SERVICE_REPLACED,
    "job": Reason.JOB_REPLACED,
    "revision": Reason.REVISION_REPLACED,
    "execution": Reason.EXECUTION_REPLACED,
    "image": Reason.IMAGE_DIFFERS,
}
_UNPROVED = {
    "service": Reason.CREATED_ABSENT,
    "job": Reason.CREATED_ABSENT,
    "revision": Reason.CREATED_ABSENT,
    "execution": Reason.CREATED_ABSENT,
    "image": Reason.IMAGE_ABSENT,
}
_CERTAIN = frozenset({Reason.REVISION_CHOSEN, Reason.REVISION_NAMED, Reason.REVISION_BY_DIGEST, Reason.EXECUTION_NAMED})


def identify_service(finding: Finding, service: RunService | None, meant: Meant[RunRevision]) -> Identity:
    """How certain it is that the finding means this service, and its revision where one is meant.

    `proved`: service and revision are older than the event, the finding's image runs in it, and finding, image or a
    person say which revision it is. `likely`: nothing contradicts. `refuted`: the reason is the first check that does.
    """
    if service is None:
        return Identity(reason=Reason.SERVICE_UNREADABLE)
    return _identity(finding, {"service": service.create_time}, "revision", meant)


def identify_job(finding: Finding, job: RunJob | None, meant: Meant[RunExecution]) -> Identity:
    """As `identify_service`, of a job and its execution."""
    if job is None:
        return Identity(reason=Reason.SERVICE_UNREADABLE)
    return _identity(finding, {"job": job.create_time}, "execution", meant)


def _identity(
    finding: Finding,
    created: dict[str, datetime | None],
    kind: str,
    meant: Meant[RunRevision] | Meant[RunExecution],
) -> Identity:
    child = meant.child
    times = {**created, kind: child.create_time} if child else created
    checks = {name: _created(finding, name, moment) for name, moment in times.items()}
    checks["image"] = _image(finding, child.containers) if child else ABSENT
    against = [check for check, result in checks.items() if result not in {HELD, ABSENT}]
    if meant.candidates:
        checks[f"one_{kind}_of"] = ", ".join(meant.candidates)
    if against:
        return Identity(level=IdentityLevel.REFUTED, reason=_REFUTED[against[0]], checks=checks)
    if meant.reason not in _CERTAIN:
        return Identity(level=IdentityLevel.LIKELY, reason=meant.reason, checks=checks)
    unproved = next((check for check, result in checks.items() if result == ABSENT), "")
    if unproved:
        return Identity(level=IdentityLevel.LIKELY, reason=_UNPROVED[unproved], checks=checks)
    return Identity(level=IdentityLevel.PROVED, reason=Reason.ALL_CHECKS_HELD, checks=checks)


def _created(finding: Finding, kind: str, created: datetime | None) -> str:
    if created is None:
        return ABSENT
    return HELD if was_there(finding, created) else f"{kind} created {created.isoformat()}, after the event"


def _image(finding: Finding, containers: Sequence[RunContainer]) -> str:
    wanted = finding.image_digests
    if runs(containers, wanted):
        return HELD
    told = ", ".join(sorted({item.digest for item in containers if item.digest}))
    return ABSENT if not wanted or may_run(containers, wanted) else f"it runs {told}"
