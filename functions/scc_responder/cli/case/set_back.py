"""What a person types to set back what a case changed on Cloud Run: the state of before, and `gcloud` lines for it.

Source: `gcloud run services update`, `update-traffic` and `add-iam-policy-binding`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import suppress

import msgspec

from scc_responder.domain.changes import Change, restored
from scc_responder.domain.changes.cloud_run.restrict_access import RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import MANUAL, ScaleService
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic, traffic_in_words
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunScaling, RunTraffic
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.domain.value import Value
from scc_responder.journal.contained import not_undone
from scc_responder.journal.step import Step

_MADE = frozenset({StepStatus.DONE, StepStatus.NOT_EFFECTIVE})
_PERHAPS_MADE = frozenset({Reason.RECONCILING, Reason.RECONCILIATION_FAILED})
_INGRESS = {
    "INGRESS_TRAFFIC_ALL": "all",
    "INGRESS_TRAFFIC_INTERNAL_ONLY": "internal",
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER": "internal-and-cloud-load-balancing",
}


class SetBack(Value, frozen=True, kw_only=True):
    """How one step is set back: its action, what was before it, and the lines to type."""

    action: str
    before: str
    lines: tuple[str, ...]


def set_back(steps: Iterable[Step]) -> Iterator[SetBack]:
    """Each change of Cloud Run that was made and can be set back, the last one first."""
    for step in reversed(not_undone(steps)):
        if not _is_made(step):
            continue
        # A stored change may have lost its fields: there is nothing to type then.
        with suppress(msgspec.ValidationError):
            if made := _of_change(step.action, restored(step.change)):
                yield made


def _is_made(step: Step) -> bool:
    reason = Reason.read(step.reason)
    stood_so = reason is not None and reason.is_already
    return not stood_so and (step.status in _MADE or reason in _PERHAPS_MADE)


def _of_change(action: str, change: Change) -> SetBack | None:
    """The change's own way back; None where there is none: an ended execution, a deleted revision, a pod."""
    match change:
        case ShiftTraffic():
            lines = [("update-traffic", _shares(change.prior)), ("update-traffic", *_tags(change.prior))]
            before = f"requests went to {traffic_in_words(change.prior)}"
        case ScaleService():
            tags = traffic_in_words(change.tags)
            lines = [("update", *_scaling(change.prior)), ("update-traffic", *_tags(change.tags))]
            before = f"{_scaling_in_words(change.prior)}; tags: {tags if change.tags else 'none'}"
        case RestrictAccess():
            lines = [("update", flag) for flag in _access(change.prior.given)]
            before = ", ".join(f"{name} {value}" for name, value in change.prior.given.items())
        case SetInvokers():
            lines = [_invoker(binding, member) for binding in change.members for member in binding.members]
            before = ", ".join(map(_invokers_in_words, change.members))
        case _:
            return None
    name = RunName.parse(change.path)
    typed = tuple(_line(name, verb, flags) for verb, *flags in lines if flags) if name else ()
    return SetBack(action=action, before=before, lines=typed)


def _line(name: RunName, verb: str, flags: Iterable[str]) -> str:
    words = ["gcloud", "run", "services", verb, name.name, f"--project={name.project}", f"--region={name.location}"]
    return shlex.join([*words, *flags])


def _shares(traffic: Iterable[RunTraffic]) -> str:
    """Two targets of one revision, such as one with a tag, are one share."""
    shares: dict[str, int] = {}
    for item in traffic:
        shares[item.revision or "LATEST"] = shares.get(item.revision or "LATEST", 0) + item.percent
    told = ",".join(f"{revision}={percent}" for revision, percent in shares.items() if percent)
    return f"--to-revisions={told}" if told != "LATEST=100" else "--to-latest"


def _tags(traffic: Iterable[RunTraffic]) -> list[str]:
    told = ",".join(f"{item.tag}={item.revision or 'LATEST'}" for item in traffic if item.tag)
    return [f"--update-tags={told}"] if told else []


def _scaling(prior: RunScaling) -> list[str]:
    if prior.mode == MANUAL:
        return [f"--scaling={prior.manual or 0}"]
    # Both are needed: with neither, the number of instances that was set stays.
    most = "default" if prior.maximum is None else prior.maximum
    return ["--scaling=auto", f"--min={prior.minimum or 0}", f"--max={most}"]


def _scaling_in_words(prior: RunScaling) -> str:
    if prior.mode == MANUAL:
        return f"{prior.manual or 0} instances, set by hand"
    least, most = ("not set" if value is None else value for value in (prior.minimum, prior.maximum))
    return f"scaled by itself, minimum {least}, maximum {most}"


def _access(prior: dict[str, str | bool]) -> Iterator[str]:
    for name, value in prior.items():
        if name == "ingress" and value in _INGRESS:
            yield f"--ingress={_INGRESS[str(value)]}"
        elif name == "default_uri_disabled":
            yield "--no-default-url" if value else "--default-url"
        elif name == "invoker_iam_disabled":
            yield "--no-invoker-iam-check" if value else "--invoker-iam-check"


def _invoker(binding: RunIamBinding, member: str) -> tuple[str, ...]:
    """A binding with a condition is put back as a whole policy: only its expression is known."""
    if binding.condition:
        return "get-iam-policy", "--format=json"
    return "add-iam-policy-binding", f"--member={member}", f"--role={binding.role}"


def _invokers_in_words(binding: RunIamBinding) -> str:
    where = f" where {binding.condition}, by set-iam-policy" if binding.condition else ""
    return f"{' and '.join(binding.members)} had {binding.role}{where}"
