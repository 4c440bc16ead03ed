"""Which revision of a service, or which execution of a job, a finding means. Pure.

A revision: the one that a person chose, else the finding's own, else the one of the finding's image, else the one that
carries traffic, unless the service was changed since the event. An execution: the one that is named, else the one that
ran at the event. What began after the event is never meant. More than one is a person's choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from scc_responder.collect.identity import EVENT_TOLERANCE
from scc_responder.domain.cloud_run.run_names import RunTarget
from scc_responder.domain.cloud_run.run_objects import RunContainer, RunExecution, RunRevision, RunService
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value

REQUEST_TOLERANCE = timedelta(seconds=30)
"""The event of an audit log is the request; Cloud Run makes the revision, or the execution, after it."""

MAX_CANDIDATES = 20
"""Names that a person is offered, newest first."""

_EARLIEST = datetime.min.replace(tzinfo=UTC)
_Child = TypeVar("_Child", RunRevision, RunExecution)


class Meant(Value, Generic[_Child], frozen=True, kw_only=True):
    """The revision or execution, and how it is known; None, and why not, and which ones it may be."""

    child: _Child | None = None
    reason: Reason
    candidates: tuple[str, ...] = ()


def meant_revision(
    finding: Finding, target: RunTarget, service: RunService, revisions: Sequence[RunRevision], chosen: str = ""
) -> Meant[RunRevision]:
    """The revision, as `revision_chosen`, `revision_named`, `revision_by_digest` or `revision_by_traffic`.

    Else none, as `revision_gone`, `revision_not_known` or `several_revisions`.
    """
    own = [item for item in revisions if item.service == service.name.name and item.delete_time is None]
    if chosen or target.revision:
        how = Reason.REVISION_CHOSEN if chosen else Reason.REVISION_NAMED
        return _named(own, chosen or target.revision, how, Reason.REVISION_GONE)
    wanted = finding.image_digests
    possible = [item for item in own if was_there(finding, item.create_time) and may_run(item.containers, wanted)]
    if own and not possible:
        return Meant(reason=Reason.REVISION_GONE)
    certain = [item for item in possible if runs(item.containers, wanted)]
    carrying = carry_traffic(service)
    serving = [item for item in certain or possible if item.name in carrying]
    how = Reason.REVISION_BY_DIGEST if certain else Reason.REVISION_BY_TRAFFIC
    if not certain and _was_changed_since(finding, service):
        return _only(possible, how, Reason.SEVERAL_REVISIONS)
    # Of several revisions with the finding's image only one that carries traffic runs it, as a rule.
    return _only(serving if not certain or len(serving) == 1 else certain, how, Reason.SEVERAL_REVISIONS)


def meant_execution(finding: Finding, target: RunTarget, executions: Sequence[RunExecution]) -> Meant[RunExecution]:
    """The execution, as `execution_named` or `execution_by_time`.

    Else none, as `execution_gone`, `execution_not_known` or `several_executions`.
    """
    own = [item for item in executions if item.job == target.name.name and item.delete_time is None]
    if target.execution:
        return _named(own, target.execution, Reason.EXECUTION_NAMED, Reason.EXECUTION_GONE)
    wanted = finding.image_digests
    ran = [item for item in own if _ran(finding, item) and may_run(item.containers, wanted)]
    certain = [item for item in ran if runs(item.containers, wanted)]
    return _only(certain or ran, Reason.EXECUTION_BY_TIME, Reason.SEVERAL_EXECUTIONS)


def meant_by(finding: Finding, child: _Child | None) -> Meant[_Child]:
    """The revision or execution that was settled on before, and how it may be known by the finding alone."""
    is_revision = isinstance(child, RunRevision)
    if child is None:
        return Meant(reason=Reason.REVISION_NOT_KNOWN)
    named = finding.cloud_run
    if named and child.name in {named.revision, named.execution}:
        return Meant(child=child, reason=Reason.REVISION_NAMED if is_revision else Reason.EXECUTION_NAMED)
    if is_revision and runs(child.containers, finding.image_digests):
        return Meant(child=child, reason=Reason.REVISION_BY_DIGEST)
    return Meant(child=child, reason=Reason.REVISION_BY_TRAFFIC if is_revision else Reason.EXECUTION_BY_TIME)


def runs(containers: Iterable[RunContainer], wanted: frozenset[str]) -> bool:
    """Whether each of the wanted digests is that of one of the containers; of none wanted, nobody can tell."""
    return bool(wanted) and wanted <= {item.digest for item in containers}


def may_run(containers: Sequence[RunContainer], wanted: frozenset[str]) -> bool:
    """Whether each of the wanted digests may be: as many containers have an unknown one as are left over."""
    digests = [item.digest for item in containers]
    return not containers or len(wanted.difference(digests)) <= digests.count("")


def was_there(finding: Finding, created: datetime | None) -> bool:
    """Whether it was there at the event, as far as its creation time says."""
    tolerance = REQUEST_TOLERANCE if finding.method_name else EVENT_TOLERANCE
    return created is None or created <= finding.event_time + tolerance


def carry_traffic(service: RunService) -> frozenset[str]:
    """The names of the revisions that get a share of the requests. A tag alone gets none of them."""
    told = service.traffic_statuses or service.traffic
    return frozenset(item.revision or service.latest_ready for item in told if item.percent > 0)


def _was_changed_since(finding: Finding, service: RunService) -> bool:
    """Whether its requests may have been moved since the event: by a rollback of ours, for another finding.

    The event of an audit log may be the change itself.
    """
    known = finding.event_time + (REQUEST_TOLERANCE if finding.method_name else timedelta())
    return service.update_time is not None and service.update_time > known


def _ran(finding: Finding, execution: RunExecution) -> bool:
    ended = execution.completion_time
    return was_there(finding, execution.create_time) and (ended is None or ended >= finding.event_time)


def _named(items: Iterable[_Child], name: str, how: Reason, gone: Reason) -> Meant[_Child]:
    found = next((item for item in items if item.name == name), None)
    return Meant(child=found, reason=how if found else gone)


def _only(items: Sequence[_Child], how: Reason, several: Reason) -> Meant[_Child]:
    if len(items) == 1:
        return Meant(child=items[0], reason=how)
    if not items:
        return Meant(reason=_NOT_KNOWN[several])
    newest = sorted(items, key=lambda item: (item.create_time or _EARLIEST, item.name), reverse=True)
    return Meant(reason=several, candidates=tuple(item.name for item in newest[:MAX_CANDIDATES]))


_NOT_KNOWN = {
    Reason.SEVERAL_REVISIONS: Reason.REVISION_NOT_KNOWN,
    Reason.SEVERAL_EXECUTIONS: Reason.EXECUTION_NOT_KNOWN,
}
