"""Whether what a case did to a service or job of Cloud Run is still so, with at most four requests.

Nothing is written. They are the service, its IAM policy where members were taken out of it, its revisions where one
gets requests that did not before, and one more: which images that one runs, where only a tag names them, or else how
many instances Cloud Monitoring counted. Of a job they are its executions.

A service that gives requests to the compromised revision, or to its images again, has lost what was done. One that
gives them to other images, or to those that nobody knows, may have been mended: that is left to people, and so is all
else that somebody opened with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from scc_responder.collect.revision_digests import with_told_digests
from scc_responder.domain.changes import Change
from scc_responder.domain.changes.cloud_run.cancel_execution import CancelExecution
from scc_responder.domain.changes.cloud_run.delete_revision import DeleteRevision
from scc_responder.domain.changes.cloud_run.restart_service import RestartService, own_revision
from scc_responder.domain.changes.cloud_run.restrict_access import RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic, resolved_traffic
from scc_responder.domain.cloud_run.run_metrics import MetricAnswer, instance_count
from scc_responder.domain.cloud_run.run_names import RunKind, RunName, short_name
from scc_responder.domain.cloud_run.run_objects import RunIamPolicy, RunRevision, RunService, RunTraffic
from scc_responder.domain.cloud_run.running_executions import MOST_EXECUTIONS, named, others_running
from scc_responder.domain.errors import ApiError
from scc_responder.domain.ports import CloudMetrics, CloudRunApi
from scc_responder.domain.reasons import Reason
from scc_responder.journal.watch.watch import MOST_GONE, LookNote

MOST_REVISIONS_SEEN = 500
_PAGES_OF_REVISIONS, _PAGES_OF_EXECUTIONS = 1, 3
_NOT_FOUND = 404
_MEND = frozenset({Reason.DEPLOYED_SINCE, Reason.TRAFFIC_MOVED})


@dataclass(kw_only=True, slots=True)
class RunSeen:
    """What a look saw: the fields of `Look` that are about Cloud Run, and what still stands, as `action: words`."""

    gone: list[str] = field(default_factory=list)
    noted: list[LookNote] = field(default_factory=list)
    unseen: list[LookNote] = field(default_factory=list)
    instances: int | None = None
    standing: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeOnRun:
    """One change that was made on Cloud Run: by which action, with its id, and between which moments."""

    action: str
    action_id: str
    change: Change
    begun: datetime
    ended: datetime


class RunLook:
    """One look at one service or job, of which the case keeps `decision`. Methods raise ApiError."""

    def __init__(
        self, api: CloudRunApi, metrics: CloudMetrics | None, decision: Mapping[str, Any], now: datetime
    ) -> None:
        self._api = api
        self._metrics = metrics
        self._images = frozenset(decision.get("images", ()))
        self._meant = str((decision.get("cloud_run") or {}).get("meant", ""))
        self._now = now
        self._seen = RunSeen()
        self._asked_digests = False

    def seen(self, made: Sequence[MadeOnRun]) -> RunSeen:
        """What became of these changes of one service or job."""
        name = next((RunName.parse(str(getattr(item.change, "path", ""))) for item in made), None)
        if name is not None and name.kind is RunKind.JOB:
            self._at_job(name, made)
        elif name is not None:
            self._at_service(name, made)
        return self._seen

    def _at_job(self, name: RunName, made: Sequence[MadeOnRun]) -> None:
        """Whether another execution of the job runs the image: to stop it is a person's."""
        ended = {item.change.execution_uid for item in made if isinstance(item.change, CancelExecution)}
        listed = self._api.list_executions(name, MOST_EXECUTIONS, pages=_PAGES_OF_EXECUTIONS)
        executions = [item.value for item in listed.items]
        ours = next((item for item in executions if item.uid in ended), None)
        wanted = self._images or ({item.digest for item in ours.containers} if ours else frozenset())
        if running := others_running(executions, ours, wanted):
            self._note(name.path, Reason.STARTED_AGAIN, named(running))
        if not listed.complete:
            self._miss("executions", Reason.PARTIAL_LIST)

    def _at_service(self, name: RunName, made: Sequence[MadeOnRun]) -> None:
        service = self._service(name, made)
        if service is None:
            return
        is_about_policy = any(isinstance(item.change, SetInvokers) for item in made)
        policy = self._api.get_iam_policy(name).value if is_about_policy else None
        reached, retired = _reached(service), _retired(made)
        runs_bad = self._note_others(service, made, reached)
        is_bad = runs_bad or not (retired | {self._meant}).isdisjoint(reached)
        is_mended = not is_bad and any(note.reason in _MEND and reached.get(note.about) for note in self._seen.noted)
        lost: set[str] = set()
        for item in made:
            if reason := _lost(item, service, policy, reached, runs_bad=runs_bad):
                lost.add(item.action)
                self._lose(item, reason, is_mended=is_mended)
            elif isinstance(item.change, ShiftTraffic | ScaleService | RestrictAccess | SetInvokers):
                self._seen.standing.append(f"{item.action}: {item.change.felt}")
        self._count(name, [item for item in made if item.action not in lost])

    def _service(self, name: RunName, made: Iterable[MadeOnRun]) -> RunService | None:
        """The service; None where it is gone, or another has its name: nothing was ever done to that one."""
        try:
            service = self._api.get_service(name).value
        except ApiError as error:
            if error.status == _NOT_FOUND:
                return None
            raise
        uids = {getattr(item.change, "uid", "") for item in made}
        return service if service.uid in uids and service.delete_time is None else None

    def _lose(self, item: MadeOnRun, reason: Reason, *, is_mended: bool) -> None:
        told = f"{item.action}: {reason}"
        if is_mended:
            self._note(item.action, reason)
        elif told not in self._seen.gone[: MOST_GONE - 1]:
            self._seen.gone.append(told)

    def _note_others(self, service: RunService, made: Sequence[MadeOnRun], reached: Mapping[str, str]) -> bool:
        """Note which revisions get requests since, and which was deployed and gets none.

        Returns whether one of them runs what was compromised.
        """
        others = [name for name in reached if name not in _retired(made) | _known(made)]
        revisions = self._revisions(service) if others else {}
        begun = min(item.begun for item in made)
        has_shifted, runs_bad = any(isinstance(item.change, ShiftTraffic) for item in made), False
        for name in others:
            made_at = revisions[name].create_time if name in revisions else None
            is_new = made_at is None or made_at >= begun
            if not (is_new or has_shifted) or name == self._meant:
                continue
            runs = self._runs_bad(service, name, revisions)
            runs_bad |= runs is True
            if not runs:
                reason = Reason.DEPLOYED_SINCE if is_new else Reason.TRAFFIC_MOVED
                images = "images not known" if runs is None else "other images"
                self._note(name, reason, f"gets {reached[name] or 'requests by a tag'}; {images}")
        self._note_unserved(service, made, reached)
        return runs_bad

    def _note_unserved(self, service: RunService, made: Sequence[MadeOnRun], reached: Mapping[str, str]) -> None:
        """Note that what was deployed last gets no request: it waits for what was done to be taken back."""
        last = {item.change.deployed for item in made if isinstance(item.change, ShiftTraffic | ScaleService)}
        if last and service.latest_created not in {*last, *reached, *_known(made)}:
            self._note(service.latest_created, Reason.DEPLOYED_SINCE, "gets no request while this stands")

    def _revisions(self, service: RunService) -> dict[str, RunRevision]:
        listed = self._api.list_revisions(service.name, MOST_REVISIONS_SEEN, pages=_PAGES_OF_REVISIONS)
        return {item.value.name: item.value for item in listed.items}

    def _runs_bad(self, service: RunService, name: str, revisions: Mapping[str, RunRevision]) -> bool | None:
        """Whether it runs an image that the finding names, or else all of the compromised one's; None: not known."""
        digests = self._digests(service, revisions[name]) if name in revisions else frozenset()
        bad = revisions[self._meant].digests if self._meant in revisions else frozenset()
        if not digests or not (self._images or bad):
            self._miss(name, Reason.DIGEST_UNKNOWN)
            return None
        return bool(digests & self._images) if self._images else bad <= digests

    def _digests(self, service: RunService, revision: RunRevision) -> frozenset[str]:
        """What it runs. Which images its tags stood for is asked of one revision in a look."""
        if revision.digests or self._asked_digests:
            return revision.digests
        self._asked_digests = True
        try:
            return with_told_digests(revision, self._api.image_digests(service.name, revision.name)).digests
        except ApiError as error:
            self._miss(revision.name, error.reason)
            return frozenset()

    def _count(self, name: RunName, standing: Sequence[MadeOnRun]) -> None:
        """Count the instances of what is retired, or scaled to zero, by what Cloud Monitoring says."""
        ended = [item for item in standing if isinstance(item.change, ShiftTraffic | DeleteRevision | ScaleService)]
        if not ended:
            return
        revision = "" if any(isinstance(item.change, ScaleService) for item in ended) else self._meant
        counted = self._counted(name, revision, max(item.ended for item in ended))
        self._seen.instances = counted.value
        if counted.value is None:
            self._miss("instances", counted.why)
        elif counted.value:
            self._note(revision or short_name(name.path), Reason.INSTANCES_RUN, str(counted.value))

    def _counted(self, name: RunName, revision: str, changed_at: datetime) -> MetricAnswer:
        if self._asked_digests:
            return MetricAnswer(why=Reason.NOT_ASKED)
        try:
            return instance_count(self._metrics, name, revision, self._now).since(changed_at)
        except ApiError as error:
            return MetricAnswer(why=error.reason)

    def _note(self, about: str, reason: Reason, detail: str = "") -> None:
        self._seen.noted.append(LookNote(about=about, reason=reason, detail=detail))

    def _miss(self, about: str, reason: str) -> None:
        self._seen.unseen.append(LookNote(about=about, reason=reason))


def _lost(
    item: MadeOnRun, service: RunService, policy: RunIamPolicy | None, reached: Mapping[str, str], *, runs_bad: bool
) -> Reason | None:
    """What others did to the effect of a change; None where it is still so. A restart leaves the images as they are."""
    match item.change:
        case ShiftTraffic() | DeleteRevision() | RestartService():
            is_served = not _retired([item]).isdisjoint(reached)
            is_served |= runs_bad and not isinstance(item.change, RestartService)
            return Reason.SERVED_AGAIN if is_served else None
        case ScaleService():
            return None if item.change.holds(service) else Reason.SCALED_UP
        case RestrictAccess():
            return None if item.change.holds(service) else Reason.ACCESS_OPENED
        case SetInvokers():
            return None if policy is not None and item.change.holds(policy) else Reason.ACCESS_OPENED
    return None


def _reached(service: RunService) -> dict[str, str]:
    """The revisions that requests reach, each with its share in words; empty where it has tags alone."""
    wanted = resolved_traffic(service) if service.traffic else (RunTraffic(revision=service.latest_ready, percent=100),)
    reached: dict[str, str] = {}
    for item in (*wanted, *service.traffic_statuses):
        if item.percent or item.tag:
            share = f"{item.percent} %" if item.percent else ""
            reached[item.revision] = reached.get(item.revision) or share
    return reached


def _retired(made: Iterable[MadeOnRun]) -> frozenset[str]:
    """The revisions that were to get no request any more."""
    return frozenset(name for item in made for name in _retired_by(item.change))


def _retired_by(change: Change) -> tuple[str, ...]:
    match change:
        case ShiftTraffic():
            return change.retired
        case DeleteRevision() | RestartService():
            return (change.revision,)
    return ()


def _known(made: Iterable[MadeOnRun]) -> frozenset[str]:
    """The revisions of which the case knows that they get requests: those that it gave them, and kept by their tags."""
    return frozenset(name for item in made for name in _known_by(item))


def _known_by(item: MadeOnRun) -> Iterator[str]:
    match item.change:
        case ShiftTraffic() as shift:
            yield shift.to
            yield from (target.revision for target in shift.prior if target.tag and target.revision)
        case RestartService() as restart:
            yield own_revision(short_name(restart.path), item.action_id)
