"""Source `run_settings`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scc_responder.domain.changes.cloud_run.set_invokers import ANYONE
from scc_responder.domain.context import Context
from scc_responder.domain.permissions import iam
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.execute.evidence import EvidenceItem, Moment, NotPossible, SourceInput, source

KINDS = {
    "service": "Service",
    "revisions": "revisions",
    "job": "Job",
    "executions": "executions",
    "iam_policy": "IAM policy",
}
"""The facts of a context that Cloud Run has, and what each is a copy of."""

INVOKER = "roles/run.invoker"
_LENGTH = 100


@source(
    moment=Moment.BEFORE_ISOLATION,
    permissions=iam(
        "run.executions.list",
        "run.jobs.get",
        "run.jobs.getIamPolicy",
        "run.revisions.list",
        "run.services.get",
        "run.services.getIamPolicy",
    ),
    of_cloud_run=True,
)
def run_settings(given: SourceInput) -> Sequence[EvidenceItem]:
    """The service or job of Cloud Run, its revisions or executions, and its IAM policy, before anything was changed."""
    context = given.context
    missing = {fact: context.missing[fact] for fact in KINDS if fact in context.missing}
    items = [_item(context, fact) for fact in KINDS if fact in context.objects]
    if not items:
        why = next(iter(missing.items()), ("", Reason.SERVICE_NOT_NAMED))
        raise NotPossible(why[1], permission=getattr(given.errors.get(why[0]), "permission", ""))
    if missing:
        items.append(EvidenceItem(kind="read errors", content=missing, summary=", ".join(missing.values())))
    return items


def _item(context: Context, fact: str) -> EvidenceItem:
    document = context.objects[fact]
    summary = ", ".join(_said(context)) if fact in {"service", "job"} else ""
    title = str(document.get("name", ""))
    return EvidenceItem(
        kind=KINDS[fact],
        title=title,
        content=document,
        is_empty=document.get("items", document) in ([], {}),
        summary=summary,
    )


def _said(context: Context) -> Iterator[str]:
    """What a person wants to know first: which image runs as whom, who deployed it, and who may call it."""
    owner = context.service or context.job
    if owner is None:
        return
    running = context.revision or context.execution
    if running:
        yield running.name
    digests = {item.digest for item in (running or owner).containers}
    yield " ".join(sorted(digest or Reason.DIGEST_UNKNOWN for digest in digests))
    yield f"runs as {visible((running or owner).service_account or 'the default service account', _LENGTH)}"
    yield f"last changed by {visible(owner.last_modifier or 'nobody named', _LENGTH)}"
    bindings = context.iam_policy.bindings if context.iam_policy else ()
    if context.service and (
        context.service.invoker_iam_disabled
        or any(item.role == INVOKER and ANYONE & set(item.members) for item in bindings)
    ):
        yield "anyone may invoke it"
