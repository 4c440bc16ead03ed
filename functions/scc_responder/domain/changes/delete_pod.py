"""Kind of change: delete one pod."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar

from scc_responder.domain.changes import ChangeKind, Disruption, Means, PodChange, StepRun
from scc_responder.domain.clock import bounded
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.older_admission import ADVICE, OlderRule, refuses
from scc_responder.domain.kubernetes.pod_processes import MOST_GRACE_SECONDS, last_end, processes_ended
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Containment, Result, StepStatus, done, failed, not_the_target, target_gone

ENDING_WAITS_SECONDS = (0.1, 0.4, *(7 * (0.5,)))
"""Before each read of a pod that is to end, 4 s in all: kubelets tell of the end some 0.6 s before the object goes."""

GRACE_OVER = timedelta(seconds=10)
"""How long after its grace period a pod's processes have ended wherever its node is well."""

LEAST_GRACE_SECONDS = 1
"""With 0 the API server takes the object away at once, while the processes run on."""

_RAISED = f"carried out with grace_period_seconds {LEAST_GRACE_SECONDS}: with 0 the pod goes while its processes run on"
_UNSEEN = "the pod is gone; nothing told that its processes have ended"
_BEFORE = "its deletion was asked for before"
_GONE = "no answer to a request of ours is known: it may have been another's deletion, or the pod's own end"

DELETES_POD = ChangeKind(
    permissions=(*observes("pods", "get"), *acts("pods", "delete"), *observes("poddisruptionbudgets.policy", "list")),
    reversible=False,
    ends_pod=True,
    disrupts=Disruption.PODS,
)


@dataclass(kw_only=True, slots=True)
class PodEnd:
    """What is known of the pod's end.

    `due_at`: its processes have had their grace period by then. `ran_at`: when a read began that showed one at least.
    """

    clock: Callable[[], datetime]
    due_at: datetime | None
    ran_at: datetime | None
    ended: bool = False
    ended_at: datetime | None = None
    said: str = ""

    def note(self, read: ApiObject, began: datetime | None) -> None:
        """Look at the pod as it was read. `began`: when the read began, where that is known."""
        if processes_ended(read):
            end = last_end(read)
            self.ended, self.ended_at = True, end and bounded(end, self.ran_at, self.clock())
        else:
            self.ran_at = began or self.ran_at

    def look(self, read: Callable[[], ApiObject | None]) -> ApiObject | None:
        """Read the pod now, and look at it."""
        began = self.clock()
        pod = read()
        if pod is not None:
            self.note(pod, began)
        return pod

    def end(self, read: ApiObject | None) -> Result:
        """The outcome by the pod as it was looked at; None where it is gone."""
        over = self.due_at is not None and self.clock() >= self.due_at
        if self.ended or (read is None and over):
            gone = read is None
            return Result(
                status=StepStatus.DONE,
                reason=Reason.DELETED if gone else Reason.PROCESSES_ENDED,
                detail=self._detail(_kept(read) if self.ended else _UNSEEN),
                containment=Containment.DELETED if gone else Containment.PROCESSES_ENDED,
                contained_at=self.ended_at,
            )
        reason = Reason.TERMINATING if over else Reason.DELETION_AWAITED
        detail = _kept(read) or ("" if over else "within its grace period") if read else _UNSEEN
        return Result(status=StepStatus.TERMINATING, reason=reason, detail=self._detail(detail), due_at=self.due_at)

    def _detail(self, detail: str) -> str:
        return "; ".join(filter(None, (detail, self.said)))


def _kept(read: ApiObject | None) -> str:
    finalizers = (read or {}).get("metadata", {}).get("finalizers")
    return f"kept by {', '.join(finalizers)}" if finalizers else ""


class DeletePod(PodChange, frozen=True, kw_only=True, tag="delete_pod"):
    """Delete the pod with this UID, at the resource version that carries our arming label.

    `grace_period_seconds`: None is the pod's own; 0, which an earlier version stored, is 1.
    `allow_last_replica`: even if no ready pod of its workload is left, or its Job fails.
    """

    declares: ClassVar[ChangeKind] = DELETES_POD
    lasting: ClassVar[str] = "a deleted pod does not come back; its workload makes another"

    grace_period_seconds: int | None = None
    allow_last_replica: bool = False

    @property
    def any_replica(self) -> bool:
        """See `Change.any_replica`."""
        return self.allow_last_replica

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Delete the pod, and see its processes end. Where that is awaited, only see what came of it."""
        path = self.pod_path
        seen = PodEnd(clock=step.clock, due_at=step.due_at, ran_at=step.ran_at)
        return means.in_cluster(
            lambda session: session.until_settled(partial(self._once, session, path, step, seen), path)
        )

    def _once(self, session: ClusterSession, path: str, step: StepRun, seen: PodEnd, tries: Tries) -> Result:
        if seen.due_at:
            if not step.due_at:
                return self._until_ended(session, path, seen)
            return seen.end(seen.look(lambda: self._own(session.read(path))))
        read = session.read(path)
        settled = self.probe(step, read, sent=tries.sent)
        is_leaving = settled is not None and settled.status is StepStatus.TERMINATING
        if read is None or (settled and (step.dry_run or not is_leaving)):
            return settled or target_gone()
        seen.note(read, None)
        if not is_leaving:
            step.intend()
            began = step.clock()
            seen.said = self._delete(session, path, step, tries, read)
            # On condition of the version that was read: what ran in it still ran.
            seen.ran_at = None if seen.ended else began
        elif not (step.intended or tries.sent):
            seen.said = _BEFORE
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_DELETE)
        if is_leaving and seen.ended:
            return seen.end(read)
        grace = read["metadata"].get("deletionGracePeriodSeconds", 0) if is_leaving else self._grace(read)
        seen.due_at = step.clock() + timedelta(seconds=min(grace, MOST_GRACE_SECONDS)) + GRACE_OVER
        return self._until_ended(session, path, seen)

    def _delete(self, session: ClusterSession, path: str, step: StepRun, tries: Tries, read: ApiObject) -> str:
        """Send the request. What is to say."""
        raised = "" if self._asked(read) >= LEAST_GRACE_SECONDS else _RAISED
        return "; ".join(filter(None, (raised, self._send(session, path, step, tries, read))))

    def _send(self, session: ClusterSession, path: str, step: StepRun, tries: Tries, read: ApiObject) -> str:
        """Where an older admission policy asks for it, arm the pod by annotation before. What is to say of that."""
        try:
            tries.send(lambda: session.api.delete(path, self.options(step, read), dry_run=step.dry_run))
        except ApiError as error:
            if not refuses(error, OlderRule.ARMS_BY_ANNOTATION):
                raise
            meta = {**self.options(step, read)["preconditions"], "annotations": {ARMED_BY: step.action_id}}
            armed = session.api.patch(path, {"metadata": meta})
            tries.send(lambda: session.api.delete(path, self.options(step, armed)))
            return ADVICE
        return ""

    def probe(self, step: StepRun, read: ApiObject | None, *, sent: bool) -> Result | None:
        """The outcome, if the pod is gone, another one, on its way out, or not armed by this very action.

        Where our request was `sent`, its answer is missing: nobody knows whether it is why the pod is gone.
        """
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return done(Reason.GONE_AFTER_INTENT, _GONE) if step.intended or sent else lost
        if "deletionTimestamp" in read["metadata"] and (processes_ended(read) or not self._takes_longer(read)):
            return Result(status=StepStatus.TERMINATING, reason=Reason.TERMINATING)
        places = (read["metadata"].get(field) or {} for field in ("labels", "annotations"))
        armed = any(place.get(ARMED_BY) == step.action_id for place in places)
        return None if armed or step.dry_run else failed(Reason.NOT_ARMED, "the arming label is gone")

    def options(self, step: StepRun, read: ApiObject) -> ApiObject:
        """The `DeleteOptions`, with UID and version as conditions."""
        conditions = {"uid": self.uid}
        if not step.dry_run:
            conditions["resourceVersion"] = read["metadata"]["resourceVersion"]
        options: ApiObject = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": conditions}
        if self.grace_period_seconds is not None or self._asked(read) < LEAST_GRACE_SECONDS:
            options["gracePeriodSeconds"] = self._grace(read)
        return options

    def _asked(self, read: ApiObject) -> int:
        """The grace period as it was asked for, else the pod's own."""
        own = read.get("spec", {}).get("terminationGracePeriodSeconds", 30)
        return int(own if self.grace_period_seconds is None else self.grace_period_seconds)

    def _grace(self, read: ApiObject) -> int:
        return max(self._asked(read), LEAST_GRACE_SECONDS)

    def _takes_longer(self, read: ApiObject) -> bool:
        """Whether the pod is on its way out, but more slowly than we ask for: anyone may have given it a year."""
        asked = self.grace_period_seconds is not None
        return asked and read["metadata"].get("deletionGracePeriodSeconds", 0) > self._grace(read)

    def _own(self, read: ApiObject | None) -> ApiObject | None:
        return None if not_the_target(read, self.uid) else read

    def _until_ended(self, session: ClusterSession, path: str, seen: PodEnd) -> Result:
        """Read the pod until its processes have ended, or 4 s are over."""
        result = seen.end(None)
        for seconds in ENDING_WAITS_SECONDS:
            session.wait(seconds)
            read = seen.look(lambda: self._own(session.read_anew(path)))
            result = seen.end(read)
            if read is None or seen.ended:
                break
        return result
