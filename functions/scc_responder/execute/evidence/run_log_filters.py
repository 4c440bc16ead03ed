"""The questions to Cloud Logging about a service or job of Cloud Run. Pure; `log_filters.py` checks the names.

Source: Cloud Run, "View logs" and "Audit logging"; Google's runbook for container escape in Cloud Run, "Check logs".
"""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.domain.cloud_run.run_names import RunKind, RunTarget, run_target
from scc_responder.domain.context import Context
from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import LatePattern

_ACCOUNT = LatePattern(r"[a-z0-9-]{1,63}@[a-z0-9.-]{1,200}")
_AUDITED = 'protoPayload.serviceName="run.googleapis.com"'


def run_questions(context: Context, changed_since: str, written_since: str) -> dict[str, dict[str, str]]:
    """The questions of the two requests: who changed it and what its identity did, and what was written."""
    target = run_target(context.finding.cloud_run)
    if isinstance(target, Reason):
        return {}
    audit = f'log_id("cloudaudit.googleapis.com/activity") AND {_AUDITED}'
    changed = f'{audit} AND protoPayload.resourceName:"{_short(target)}" AND {changed_since}'
    who = {"who changed it": changed}
    for name in run_identities(context)[:1]:
        who["what its identity did"] = f'protoPayload.authenticationInfo.principalEmail="{name}" AND {written_since}'
    return {
        "who": who,
        "written": {"what its containers wrote": f"{' AND '.join(_written(context, target))} AND {written_since}"},
    }


def run_resources(context: Context) -> tuple[str, ...]:
    """The names in audit logs: nothing that can be entered, and the service or job, `services/checkout`."""
    target = run_target(context.finding.cloud_run)
    return () if isinstance(target, Reason) else ("", _short(target))


def run_identities(context: Context) -> tuple[str, ...]:
    """The service account that it runs as, by its e-mail address and as the end of a principal's subject."""
    running = context.revision or context.service or context.execution or context.job
    account = running.service_account if running else ""
    return (account, f":{account}") if _ACCOUNT.fullmatch(account) else ()


def _written(context: Context, target: RunTarget) -> Iterator[str]:
    """What its containers wrote, and its requests: of the revision where it is known."""
    place = f'resource.labels.location="{target.name.location}"'
    if target.kind is RunKind.JOB:
        yield f'resource.type="cloud_run_job" AND {place} AND resource.labels.job_name="{target.name.name}"'
    else:
        yield f'resource.type="cloud_run_revision" AND {place} AND resource.labels.service_name="{target.name.name}"'
        if context.revision:
            yield f'resource.labels.revision_name="{context.revision.name}"'
    yield 'NOT log_id("cloudaudit.googleapis.com/activity")'


def _short(target: RunTarget) -> str:
    return f"{target.kind}s/{target.name.name}"
