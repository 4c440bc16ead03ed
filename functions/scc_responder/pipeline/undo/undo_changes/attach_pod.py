"""Kind of change: give a detached pod the labels back by which its workload selects it."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import msgspec

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Means, StepRun
from scc_responder.domain.changes.marked_object import marks_of
from scc_responder.domain.kubernetes import api_paths, selectors
from scc_responder.domain.kubernetes.cluster_session import NOT_VERIFIED, ClusterSession, Tries
from scc_responder.domain.labels import ACTION_ID, DETACHED
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, not_the_target, target_gone, undo_refused
from scc_responder.domain.value import read_json
from scc_responder.pipeline.undo.undo_changes.surplus_replica import surplus_replica

ATTACHES_POD = ChangeKind(
    permissions=(
        *observes("pods", "get", "list"),
        *acts("pods", "patch"),
        *observes("daemonsets.apps", "list"),
        *observes("replicasets.apps", "list"),
    )
)
_OWNERS = ("replicasets", "daemonsets")
_ADOPTION_WAITS_SECONDS = (0.1, 0.4, 1.0, 2.5)
"""Before each look whether its workload has the pod again, 4 s in all."""


class AttachPod(Change, frozen=True, kw_only=True, tag="attach_pod"):
    """Give the pod with this UID these labels back, where the annotation that kept them says the same.

    Its workload, the controller with `owner_uid`, adopts it then. It has a pod too many, and removes one of them.
    """

    declares: ClassVar[ChangeKind] = ATTACHES_POD
    lasting: ClassVar[str] = "a pod that is back in its workload is detached by `case resume`"

    namespace: str
    name: str
    uid: str
    labels: dict[str, str]
    owner_uid: str

    @property
    def target(self) -> ChangedObject:
        """The pod."""
        return ChangedObject(kind="Pod", namespace=self.namespace, name=self.name, uid=self.uid)

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Set the labels, take the annotation away, and see whether the workload has the pod again."""
        path = api_paths.pod(self.namespace, self.name)
        return means.in_cluster(lambda session: session.until_settled(partial(self._once, session, path, step), path))

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        read = session.read_anew(path)
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost or target_gone()
        if self._is_attached(read):
            return done(Reason.UNDONE if tries.sent or step.intended else Reason.ALREADY_UNDONE)
        owner = self._found_owner(session)
        refused = self._refused(read, owner)
        if refused or owner is None:
            return undo_refused(refused)
        told = f"{owner['kind']}/{owner['metadata']['name']} removes {self._surplus(session, read, owner)}"
        step.intend()
        tries.send(lambda: session.api.patch(path, self.body(step, read), dry_run=step.dry_run))
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_UNDO, detail=told)
        return self._seen(session, path, told)

    def body(self, step: StepRun, read: ApiObject) -> ApiObject:
        """The JSON merge patch, bound to the version that was read."""
        meta = read["metadata"]
        marks = [DETACHED, *([ACTION_ID] if marks_of(read, "annotations").get(ACTION_ID) == step.action_id else ())]
        condition = {"uid": self.uid, "resourceVersion": meta["resourceVersion"]}
        return {"metadata": {**condition, "labels": self.labels, "annotations": dict.fromkeys(marks)}}

    def _is_attached(self, read: ApiObject) -> bool:
        has_labels = self.labels.items() <= marks_of(read, "labels").items()
        return has_labels and DETACHED not in marks_of(read, "annotations")

    def _found_owner(self, session: ClusterSession) -> ApiObject | None:
        """The controller as it is now; None where it is gone. One or two requests; raises ApiError."""
        for plural, kind in zip(_OWNERS, ("ReplicaSet", "DaemonSet"), strict=True):
            path = api_paths.collection("apps", "v1", plural, self.namespace)
            found = session.api.gather(path, lambda item: item if item["metadata"]["uid"] == self.owner_uid else None)
            if found:
                return {**found[0], "kind": kind}
        return None

    def _refused(self, read: ApiObject, owner: ApiObject | None) -> str:
        """Why the labels are not given back: what somebody changed since. Empty where they may be."""
        labels = marks_of(read, "labels")
        others = {key: labels[key] for key, value in self.labels.items() if labels.get(key, value) != value}
        if others:
            return "somebody gave the pod " + ", ".join(f"{key}={value}" for key, value in sorted(others.items()))
        if _kept(read) != self.labels:
            return f"the annotation {DETACHED} is gone, or keeps other labels than the case"
        if any(item.get("controller") for item in read["metadata"].get("ownerReferences") or ()):
            return "another controller has the pod"
        if owner is None or "deletionTimestamp" in owner["metadata"]:
            return "its workload is gone"
        if not selectors.selects(owner["spec"].get("selector"), {**labels, **self.labels}):
            return "its workload selects pods by other labels now"
        return ""

    def _surplus(self, session: ClusterSession, read: ApiObject, owner: ApiObject) -> str:
        """Which pod the workload removes once it has this one again. One request; raises ApiError."""
        pods = session.api.list(api_paths.pods(self.namespace))
        owned = [
            pod for pod in pods if self.owner_uid in _controllers(pod) and "deletionTimestamp" not in pod["metadata"]
        ]
        return surplus_replica(owner, [*owned, read])

    def _seen(self, session: ClusterSession, path: str, told: str) -> Result:
        """Look until the workload has the pod, or 4 s are over."""
        read: ApiObject | None = None
        for seconds in _ADOPTION_WAITS_SECONDS:
            session.wait(seconds)
            read = session.read_anew(path)
            if read is None or "deletionTimestamp" in read["metadata"] or not_the_target(read, self.uid):
                return done(Reason.UNDONE, f"{told}; its workload has it again, and removed it")
            if self.owner_uid in _controllers(read):
                return done(Reason.UNDONE, told)
        if read is None or not self._is_attached(read):
            return failed(NOT_VERIFIED, "its labels were changed again right after")
        return done(Reason.UNDONE, "its labels are back; no workload has adopted it yet")


def _controllers(pod: ApiObject) -> set[str]:
    return {owner["uid"] for owner in pod["metadata"].get("ownerReferences") or () if owner.get("controller")}


def _kept(read: ApiObject) -> Any:
    try:
        return read_json(marks_of(read, "annotations").get(DETACHED, ""), Any)
    except msgspec.DecodeError:
        return None
