"""Read what a finding of Cloud Run is about: a service or job, its revisions or executions, and who may use it.

Three requests, side by side, and the further pages of a long list; where images are named by tags, some more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from msgspec.structs import replace

from scc_responder.collect.meant_revision import Meant, may_run, meant_by, meant_execution, meant_revision, was_there
from scc_responder.collect.revision_digests import DigestReads, with_digests
from scc_responder.collect.run_identity import identify_job, identify_service
from scc_responder.domain.cloud_run.run_names import RunKind, run_target
from scc_responder.domain.cloud_run.run_objects import RunExecution, RunJob, RunRevision, RunService
from scc_responder.domain.cloud_run.run_reads import RunList, RunRead
from scc_responder.domain.cloud_run.running_executions import MOST_EXECUTIONS, ended_before
from scc_responder.domain.context import Identity
from scc_responder.domain.finding import Finding
from scc_responder.domain.ports import CloudRunApi
from scc_responder.domain.reasons import Reason

MOST_REVISIONS = 1000
"""Of a service: as many as Cloud Run keeps. Source: Cloud Run, "Quotas and limits"."""

KEPT_WHOLE = 50
"""Revisions or executions that evidence keeps whole, the newest; those that get requests or run besides."""

RUN_FACTS = frozenset({"service", "revisions", "revision", "job", "executions", "execution", "iam_policy"})
"""The facts of a context that are of Cloud Run."""

_Child = TypeVar("_Child", RunRevision, RunExecution)


class FactReads(DigestReads, Protocol):
    """The same, and why what is not there could not be read."""

    missing: dict[str, str]


def start_run_reads(finding: Finding, api: CloudRunApi, reads: FactReads) -> dict[str, Future[Any]]:
    """Begin to read what the finding names; nothing where it names no service or job, and `missing` says why."""
    target = run_target(finding.cloud_run)
    if isinstance(target, Reason):
        reads.missing["service"] = target
        return {}
    name = target.name
    asked: dict[str, Future[Any]] = (
        {
            "job": reads.start(api.get_job, name),
            "executions": reads.start(api.list_executions, name, MOST_EXECUTIONS),
        }
        if target.kind is RunKind.JOB
        else {
            "service": reads.start(api.get_service, name),
            "revisions": reads.start(api.list_revisions, name, MOST_REVISIONS),
        }
    )
    return {**asked, "iam_policy": reads.start(api.get_iam_policy, name)}


def run_facts(
    finding: Finding,
    started: Mapping[str, Future[Any]],
    reads: FactReads,
    api: CloudRunApi,
    *,
    chosen: str = "",
    settled: str = "",
) -> dict[str, Any]:
    """The fields of a context that the reads give: facts, what the finding means among them, and the JSON as read.

    `chosen` is the revision that a person chose, `settled` the revision or execution that the case acted upon before.
    Which images tags stood for is asked besides.
    A list that did not come to its end is missing: what is left of it may be what counts. Evidence has what came. The
    end of a list of executions is not needed once it has come to one that ended before the event. An execution that is
    named, and not among them, is asked for by its name.
    """
    answers = {fact: reads.result(fact, future) for fact, future in started.items()}
    for fact in ("service", "job"):
        if reads.missing.get(fact) == Reason.CLOUD_RUN.of("not_found"):
            reads.missing[fact] = Reason.TARGET_ABSENT
    service = answers.get("service")
    serving = _serving(service.value) if service else frozenset()
    facts: dict[str, Any] = {}
    documents: dict[str, dict[str, Any]] = {}
    for fact, answer in answers.items():
        if isinstance(answer, RunRead):
            facts[fact], documents[fact] = answer.value, answer.document()
        elif answer is not None:
            is_enough = answer.complete or _is_enough(facts.get("job"), answer, finding)
            facts[fact], documents[fact] = _listed(fact, answer, reads, is_enough=is_enough), _document(answer, serving)
    if facts.get("service") and facts.get("revisions"):
        named = {chosen, settled, finding.cloud_run.revision if finding.cloud_run else ""}
        facts["revisions"], digests = with_digests(facts["service"], facts["revisions"], serving | named, api, reads)
        documents |= {"image_digests": digests} if digests else {}
    known = dict(facts)
    if listed := answers.get("executions"):
        name = settled or (finding.cloud_run.execution if finding.cloud_run else "")
        read = _execution_named(name, listed, finding, reads, api)
        documents["executions"]["items"] += [read.document()] if read else []
        known["executions"] = _known(facts["executions"], name, listed, read, reads)
    return {**facts, **_meant(finding, known, reads, chosen, settled), "objects": documents}


def by_project_id(finding: Finding, owner: RunService | RunJob | None) -> Finding:
    """The finding, with the id of the project in place of its number, where Cloud Run tells the id.

    Lists, limits and the kill switch know projects by their ids.
    """
    named = finding.cloud_run
    if named is None or owner is None or not named.project.isdigit():
        return finding
    return replace(finding, cloud_run=replace(named, project=owner.name.project))


def _meant(finding: Finding, facts: Mapping[str, Any], reads: FactReads, chosen: str, settled: str) -> dict[str, Any]:
    """The revision or the execution that the finding means, and how certain it is; `missing` says why there is none."""
    target = run_target(finding.cloud_run)
    if isinstance(target, Reason):
        return {}
    service, job = facts.get("service"), facts.get("job")
    revisions, executions = facts.get("revisions"), facts.get("executions")
    unread: dict[str, Any] = {}
    for child, listed in (("revision", "revisions"), ("execution", "executions")):
        if listed in reads.missing:
            reads.missing.setdefault(child, reads.missing[listed])
            unread["identity"] = Identity(reason=Reason.read(reads.missing[child]) or Reason.SERVICE_UNREADABLE)
    if service and revisions is not None:
        before = _settled(finding, revisions, "" if chosen else settled, target.revision)
        revision = before or meant_revision(finding, target, service, revisions, chosen)
        _note("revision", revision, reads)
        return {"revision": revision.child, "identity": identify_service(finding, service, revision)}
    if job and executions is not None:
        execution = _settled(finding, executions, settled, target.execution) or meant_execution(
            finding, target, executions
        )
        _note("execution", execution, reads)
        return {"execution": execution.child, "identity": identify_job(finding, job, execution)}
    return unread


def _is_enough(job: RunJob | None, answer: RunList[Any], finding: Finding) -> bool:
    """Whether what is left of a list is executions that were over before the event."""
    values = [item.value for item in answer.items]
    return job is not None and ended_before(values, job.latest_execution, finding.event_time)


def _execution_named(
    name: str, listed: RunList[RunExecution], finding: Finding, reads: FactReads, api: CloudRunApi
) -> RunRead[RunExecution] | None:
    """The execution of this name, where a list that did not come to its end is without it."""
    target = run_target(finding.cloud_run)
    if (
        not name
        or listed.complete
        or isinstance(target, Reason)
        or any(name == item.value.name for item in listed.items)
    ):
        return None
    return reads.result("execution", reads.start(api.get_execution, target.name, name))


def _known(
    executions: tuple[RunExecution, ...] | None,
    name: str,
    listed: RunList[RunExecution],
    read: RunRead[RunExecution] | None,
    reads: FactReads,
) -> tuple[RunExecution, ...] | None:
    """Those among which the meant one is looked for. One that is named needs no other; None where nobody knows."""
    named = [item.value for item in (*listed.items, *([read] if read else [])) if item.value.name == name]
    is_gone = reads.missing.get("execution") == Reason.CLOUD_RUN.of("not_found")
    if executions is None and not named and not is_gone:
        return None
    return (*named, *(item for item in executions or () if item.name != name))


def _settled(finding: Finding, children: Sequence[_Child], name: str, named: str) -> Meant[_Child] | None:
    """The one of this name, where it is there and the finding may mean it, which may name one (`named`).

    What a case did may have moved the requests to another. The name is from the case's record: it is no proof.
    """
    found = next((item for item in children if item.name == name), None)
    may_be = found and was_there(finding, found.create_time) and may_run(found.containers, finding.image_digests)
    return meant_by(finding, found) if may_be and named in {"", name} else None


def _note(fact: str, meant: Meant[Any], reads: FactReads) -> None:
    reads.missing.pop(fact, None)
    if meant.child is None:
        reads.missing[fact] = meant.reason


def _listed(fact: str, answer: RunList[_Child], reads: FactReads, *, is_enough: bool) -> tuple[_Child, ...] | None:
    if not is_enough:
        reads.missing[fact] = Reason.PARTIAL_LIST
        return None
    return tuple(item.value for item in answer.items)


def _document(answer: RunList[_Child], serving: frozenset[str]) -> dict[str, Any]:
    chosen = [item for at, item in enumerate(answer.items) if at < KEPT_WHOLE or _counts(item.value, serving)]
    return {
        "read": len(answer.items),
        "complete": answer.complete,
        "names": [item.value.name for item in answer.items],
        "items": [item.document() for item in chosen],
    }


def _counts(child: RunRevision | RunExecution, serving: frozenset[str]) -> bool:
    """Whether it gets requests, or runs."""
    return child.name in serving if isinstance(child, RunRevision) else child.completion_time is None


def _serving(service: RunService) -> frozenset[str]:
    return frozenset(item.revision or service.latest_ready for item in (*service.traffic, *service.traffic_statuses))
