"""Source `run_settings`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from msgspec import to_builtins

from scc_responder.domain.changes.capture_again import CaptureAgain
from scc_responder.domain.changes.cloud_run.set_invokers import anyone_in
from scc_responder.domain.cloud_run.run_metrics import MetricAnswer, RunActivity, run_activity
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunService
from scc_responder.domain.context import Context
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, SourceInput, source

KINDS = {
    "service": "Service",
    "revisions": "revisions",
    "image_digests": "digests of images",
    "job": "Job",
    "executions": "executions",
    "iam_policy": "IAM policy",
}
"""The facts of a context that Cloud Run has, and what each is a copy of."""

FAILED_CONDITION = "CONDITION_FAILED"
_LENGTH = 100
_MOST_TARGETS = 4


@source(
    moment=Moment.BEFORE_ISOLATION,
    permissions=iam(
        "run.executions.list",
        "run.jobs.get",
        "run.jobs.getIamPolicy",
        "run.revisions.get",
        "run.revisions.list",
        "run.services.get",
        "run.services.getIamPolicy",
        "monitoring.timeSeries.list",
    ),
    deadline_seconds=15.0,
    of_cloud_run=True,
)
def run_settings(given: SourceInput) -> Sequence[EvidenceItem]:
    """The service or job of Cloud Run, its revisions or executions, its IAM policy, and how much a service is used."""
    context = given.context
    missing = {fact: context.missing[fact] for fact in KINDS if fact in context.missing}
    items = [_item(context, fact, is_measured=given.metrics is not None) for fact in KINDS if fact in context.objects]
    if context.service and given.metrics:
        items.append(_used(given, context.service))
    if not items:
        why = next(iter(missing.items()), ("", Reason.SERVICE_NOT_NAMED))
        raise NotPossible(why[1], permission=getattr(given.errors.get(why[0]), "permission", ""))
    if missing:
        items.append(EvidenceItem(kind="read errors", content=missing, summary=", ".join(missing.values())))
    return items


def _item(context: Context, fact: str, *, is_measured: bool) -> EvidenceItem:
    document = context.objects[fact]
    summary = ", ".join(_said(context, is_measured=is_measured)) if fact in {"service", "job"} else ""
    title = str(document.get("name", ""))
    return EvidenceItem(
        kind=KINDS[fact],
        title=title,
        content=document,
        is_empty=document.get("items", document) in ([], {}),
        summary=summary,
        unknown=Reason.NO_CLOUD_MONITORING if fact == "service" and not is_measured else "",
    )


def _said(context: Context, *, is_measured: bool) -> Iterator[str]:
    """What a person wants to know first: which image runs as whom, who deployed it, and who may call it."""
    owner = context.service or context.job
    if owner is None:
        return
    if owner.delete_time:
        yield Reason.SERVICE_DELETING
    if owner.ready and owner.ready.state == FAILED_CONDITION:
        yield f"{Reason.RECONCILIATION_FAILED}: {visible(owner.ready.message, _LENGTH)}"
    running = context.revision or context.execution
    if running:
        yield running.name
    digests = {item.digest for item in (running or owner).containers}
    yield " ".join(sorted(digest or Reason.DIGEST_UNKNOWN for digest in digests))
    yield f"runs as {visible((running or owner).service_account or 'the default service account', _LENGTH)}"
    yield from _traffic(context.service)
    yield f"last changed by {visible(owner.last_modifier or 'nobody named', _LENGTH)}"
    is_open = bool(context.iam_policy and anyone_in(context.iam_policy))
    if context.service and (context.service.invoker_iam_disabled or is_open):
        yield "anyone may invoke it"
    if context.service and not is_measured:
        yield f"instances and requests unknown: {Reason.NO_CLOUD_MONITORING}"


def _traffic(service: RunService | None) -> Iterator[str]:
    """Which revisions get requests, by their share and by the tags that lead to them."""
    served = service.traffic_statuses or service.traffic if service else ()
    for target in served[:_MOST_TARGETS]:
        tag = f" by tag {visible(target.tag, _LENGTH)}" if target.tag else ""
        yield f"{target.percent} %{tag} to {target.revision or 'the latest revision'}"
    if len(served) > _MOST_TARGETS:
        yield f"{len(served) - _MOST_TARGETS} more targets"


def _used(given: SourceInput, service: RunService) -> EvidenceItem:
    """Instances and requests of the revision that is meant, or of the whole service, as far as anybody knows them."""
    revision = given.context.revision.name if given.context.revision else ""
    activity = run_activity(given.metrics, service.name, revision, given.clock())
    changed_at = given.change.changed_at if isinstance(given.change, CaptureAgain) else None
    return usage_item(activity, service.name, revision, changed_at)


def usage_item(activity: RunActivity, name: RunName, revision: str, changed_at: datetime | None) -> EvidenceItem:
    """What Cloud Monitoring says of a revision, or of the service where it is empty: after a change, what is new."""
    instances = activity.instances.since(changed_at) if changed_at else activity.instances
    content = {"revision": revision, "read_at": activity.read_at, "instances": instances, "requests": activity.requests}
    return EvidenceItem(
        kind="Cloud Monitoring",
        title=revision or name.path,
        content=to_builtins(content),
        is_empty=instances.value is None and activity.requests.value is None,
        summary=f"{_number(instances, 'instances')}, {_number(activity.requests, 'requests in the last hour')}",
        still_runs=changed_at is not None and bool(instances.value),
        unknown=instances.why,
    )


def _number(answer: MetricAnswer, what: str) -> str:
    if answer.value is None or answer.newest is None:
        return f"{what} unknown: {answer.why}" + (f" ({answer.permission})" if answer.permission else "")
    return f"{answer.value} {what} ({answer.newest:%H:%M:%S} UTC)"
