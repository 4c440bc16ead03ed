"""Kind of change: delete one pod."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from msgspec.structs import replace

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import ClusterSession, Tries
from scc_responder.domain.kubernetes.older_admission import ADVICE, OlderRule, refuses
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, not_the_target, target_gone

DELETION_WAITS_SECONDS = (0.1, 0.9)
_GONE = "no answer to a request of ours is known: it may have been another's deletion, or the pod's own end"

DELETES_POD = ChangeKind(
    permissions=(*observes("pods", "get"), *acts("pods", "delete"), *observes("poddisruptionbudgets.policy", "list")),
    reversible=False,
    ends_pod=True,
    disrupts=Disruption.PODS,
)


class DeletePod(Change, frozen=True, kw_only=True, tag="delete_pod"):
    """Delete the pod with this UID, at the resource version that carries our arming label.

    `grace_period_seconds`: None is the pod's own. `allow_last_replica`: even if no ready pod of its workload is left.
    """

    declares: ClassVar[ChangeKind] = DELETES_POD

    namespace: str
    name: str
    uid: str
    grace_period_seconds: int | None = None
    allow_last_replica: bool = False

    @property
    def target(self) -> ChangedObject:
        """The pod."""
        return ChangedObject(kind="Pod", namespace=self.namespace, name=self.name, uid=self.uid)

    @property
    def any_replica(self) -> bool:
        """See `Change.any_replica`."""
        return self.allow_last_replica

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Delete the pod, and see it gone."""
        path = api_paths.pod(self.namespace, self.name)
        return means.in_cluster(lambda session: session.until_settled(partial(self._once, session, path, step), path))

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        read = session.read(path)
        settled = self.probe(step, read, sent=tries.sent, answered=tries.answered)
        if settled or read is None:
            return settled or target_gone()
        step.intend()
        older = self._delete(session, path, step, tries, read)
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_DELETE)
        result = self._verified(session, path)
        return replace(result, detail="; ".join(filter(None, (result.detail, ADVICE)))) if older else result

    def _delete(self, session: ClusterSession, path: str, step: StepRun, tries: Tries, read: ApiObject) -> bool:
        """Send the deletion; where an older admission policy asks for it, arm the pod by annotation, and say so."""
        try:
            tries.send(lambda: session.api.delete(path, self.options(step, read), dry_run=step.dry_run))
        except ApiError as error:
            if not refuses(error, OlderRule.ARMS_BY_ANNOTATION):
                raise
            meta = {**self.options(step, read)["preconditions"], "annotations": {ARMED_BY: step.action_id}}
            armed = session.api.patch(path, {"metadata": meta})
            tries.send(lambda: session.api.delete(path, self.options(step, armed)))
            return True
        return False

    def probe(self, step: StepRun, read: ApiObject | None, *, sent: bool, answered: bool) -> Result | None:
        """The outcome, if the pod is gone, another one, on its way out, or not armed by this very action.

        Only where our request was `answered` is it known to be why the pod is gone; where it was `sent` at most, an
        answer is missing.
        """
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            if answered:
                return done(Reason.DELETED)
            return done(Reason.GONE_AFTER_INTENT, _GONE) if step.intended or sent else lost
        if "deletionTimestamp" in read["metadata"] and not self._takes_longer(read):
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
        if self.grace_period_seconds is not None:
            options["gracePeriodSeconds"] = self.grace_period_seconds
        return options

    def _takes_longer(self, read: ApiObject) -> bool:
        """Whether the pod is on its way out, but more slowly than we ask for: anyone may have given it a year."""
        wanted = self.grace_period_seconds
        return wanted is not None and read["metadata"].get("deletionGracePeriodSeconds", 0) > wanted

    def _verified(self, session: ClusterSession, path: str) -> Result:
        kept = ""
        for seconds in DELETION_WAITS_SECONDS:
            session.wait(seconds)
            read = session.read_anew(path)
            if read is None or read["metadata"]["uid"] != self.uid:
                return done(Reason.DELETED)
            finalizers = read["metadata"].get("finalizers", ())
            kept = f"kept by {', '.join(finalizers)}" if finalizers else "within its grace period"
        return Result(status=StepStatus.TERMINATING, reason=Reason.TERMINATING, detail=kept)
