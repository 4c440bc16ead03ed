"""Evidence of a case: one file in `sources` for each thing that is read, found by file name.

In: what a capture knows (`SourceInput`). Out: stored objects, and a manifest that says of each source what it gave.
This page is the contract; read `sources/events.py` for an example, then `capture.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind
from scc_responder.domain.changes.capture_again import CAPTURES_AGAIN
from scc_responder.domain.changes.capture_evidence import CAPTURES_EVIDENCE
from scc_responder.domain.clock import utc_now
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ResponderError
from scc_responder.domain.permissions import Permissions
from scc_responder.domain.ports import Clock, CloudLogs, CloudMetrics, ImageRegistry, KubernetesApi
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value


class Moment(StrEnum):
    """When a source must be read. Those of one moment are read side by side, the moments in this order."""

    BEFORE_ISOLATION = "before_isolation"
    """Before the first change of the case: isolation would change what it reads."""
    BEFORE_DELETION = "before_deletion"
    """By the capture itself, while the pod is there."""
    LATE = "late"
    """By the capture, after all others: it gains the more, the later it is read."""


class EvidenceItem(Value, frozen=True, kw_only=True):
    """One thing that a source read, to be stored as one object, of JSON or of text.

    `kind` and `title` are what it is a copy of, in that thing's own words. `is_empty`: the answer says that there is
    nothing; it is stored all the same. `is_text`: the content is a text, stored as such and not as JSON. `summary` says
    in a few words what there is to know of it. `still_runs`: it shows that what was to end runs on; `unknown` is why it
    shows neither that nor the contrary.
    """

    kind: str
    title: str = ""
    content: Any
    is_empty: bool = False
    is_text: bool = False
    summary: str = ""
    still_runs: bool = False
    unknown: str = ""


class NotPossible(ResponderError):  # noqa: N818 - an answer of a source, not a fault
    """A source has nothing to read for this case, and why. `permission`: what was missing when it was to be read."""

    def __init__(self, reason: str, *, permission: str = "") -> None:
        super().__init__(reason)
        self.permission = permission


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceInput:
    """What a source may look at.

    `change` is the capture; a look into a container has the name of that `container` instead. `api` is None where the
    finding names no cluster, or it was not reached. `errors` are those of the reads before the decision, by what could
    not be read. `logs`, `registry` and `metrics` are None where they are not asked.
    """

    context: Context
    change: Change | None = None
    api: KubernetesApi | None = None
    errors: Mapping[str, ResponderError] = field(default_factory=dict)
    logs: CloudLogs | None = None
    registry: ImageRegistry | None = None
    metrics: CloudMetrics | None = None
    clock: Clock = utc_now
    container: str = ""

    @property
    def pod(self) -> ChangedObject:
        """The pod that the capture is about. Raises NotPossible where none was read."""
        target = self.change.target if self.change else None
        if target is None:
            raise NotPossible(self.context.pod_missing)
        return target

    @property
    def cluster_api(self) -> KubernetesApi:
        """The API server of the finding's cluster. Raises NotPossible where it was not reached."""
        if self.api is None:
            raise NotPossible(Reason.CLUSTER_NOT_REACHED)
        return self.api

    def fact(self, name: str, item: EvidenceItem | None) -> tuple[EvidenceItem, ...]:
        """What was read of a fact before the decision, or nothing. Raises NotPossible where it could not be read."""
        if item is not None:
            return (item,)
        if reason := self.context.missing.get(name, ""):
            raise NotPossible(reason, permission=getattr(self.errors.get(name), "permission", ""))
        if self.context.pod is None:
            raise NotPossible(self.context.pod_missing)
        return ()

    def kubernetes_object(self, name: str) -> tuple[EvidenceItem, ...]:
        """The Kubernetes object that was read under this name. Raises NotPossible."""
        found = self.context.objects.get(name)
        return self.fact(name, kubernetes_item(found, name) if found is not None else None)


def kubernetes_item(found: Mapping[str, Any], name: str) -> EvidenceItem:
    """A Kubernetes object as evidence. `name` stands for its kind where it says none."""
    metadata = found.get("metadata")
    fields = metadata if isinstance(metadata, Mapping) else {}
    title = "/".join(str(fields[part]) for part in ("namespace", "name") if fields.get(part))
    return EvidenceItem(kind=str(found.get("kind", name)), title=title, content=found)


ReadSource = Callable[[SourceInput], Sequence[EvidenceItem]]


class Source(Value, frozen=True, kw_only=True):
    """One thing that is kept of a case.

    `read` raises ApiError or NotPossible. `permissions` are what it needs beyond what every finding needs.
    `asked_by` is the kind of change that reads it; one `of_cloud_run` is read of Cloud Run alone. `deadline_seconds`
    counts from the start of its moment. `prefix` begins the names of its objects. A capture that lacks a `required`
    source fails with the reason `incomplete`; what the others read is kept.
    """

    name: str
    read: ReadSource
    moment: Moment
    permissions: Permissions
    required: bool
    incomplete: Reason
    deadline_seconds: float
    prefix: str
    asked_by: ChangeKind
    of_cloud_run: bool = False


def source(
    *,
    moment: Moment,
    permissions: Permissions = (),
    required: bool = False,
    incomplete: Reason = Reason.CAPTURED_IN_PART,
    deadline_seconds: float = 10.0,
    prefix: str = "",
    asked_by: ChangeKind = CAPTURES_EVIDENCE,
    of_cloud_run: bool = False,
) -> Callable[[ReadSource], Source]:
    """Declare a reading function as the source of its own name."""

    def declare(read: ReadSource) -> Source:
        return Source(
            name=read.__name__,
            read=read,
            moment=moment,
            permissions=permissions,
            required=required,
            incomplete=incomplete,
            deadline_seconds=deadline_seconds,
            prefix=prefix or read.__name__.replace("_", "-"),
            asked_by=asked_by,
            of_cloud_run=of_cloud_run,
        )

    return declare


@cache
def evidence_sources() -> dict[str, Source]:
    """Every source by name, found by file name."""
    folder = import_module(f"{__name__}.sources")
    names = sorted(module.name for module in iter_modules(folder.__path__))
    return {name: getattr(import_module(f"{folder.__name__}.{name}"), name) for name in names}


def sources_for(kind: ChangeKind, *, of_cloud_run: bool = False) -> tuple[Source, ...]:
    """The sources that a change of this kind reads: those of Cloud Run only where a finding is about it.

    What is captured again after a change there is what is of Cloud Run alone.
    """
    if kind is CAPTURES_AGAIN:
        return tuple(each for each in evidence_sources().values() if of_cloud_run and each.of_cloud_run)
    found = (each for each in evidence_sources().values() if each.asked_by is kind)
    return tuple(each for each in found if of_cloud_run or not each.of_cloud_run)
