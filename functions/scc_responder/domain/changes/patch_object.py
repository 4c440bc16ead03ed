"""Kind of change: merge labels, annotations or fields into one pod or node."""

from __future__ import annotations

from functools import partial
from shlex import quote
from typing import Any, ClassVar

import msgspec

from scc_responder.domain.changes import ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.changes.marked_object import MarkedObject, marks_of
from scc_responder.domain.errors import GKE_WARDEN, ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import NOT_VERIFIED, ClusterSession, Tries
from scc_responder.domain.labels import ACTION_ID, ARMED_BY, EACH_CASE, ISOLATED_POD, POD_LABEL
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, not_the_target, target_gone

PATCHES_POD = ChangeKind(permissions=(*observes("pods", "get"), *acts("pods", "patch")))
CORDONS_NODE = ChangeKind(
    permissions=(*observes("nodes", "get", "list"), *acts("nodes", "patch")), disrupts=Disruption.NODES
)
"""What a node's pool has left is looked at before, hence `list`."""


_ISOLATES = {ISOLATED_POD, POD_LABEL}


class PatchObject(MarkedObject, frozen=True, kw_only=True, tag="patch"):
    """Merge labels, annotations or `spec` fields into one object, on condition of its UID.

    `marker` is an annotation, but `ARMED_BY` is a label, and the label of an isolation needs none. `versioned` adds the
    resource version that was read to the condition.

    Whoever makes a pod may fill its annotations (262,144 bytes), so no change of labels or fields depends on them:
    where they are refused, the rest is written alone.
    """

    declares: ClassVar[ChangeKind] = PATCHES_POD
    of_nodes: ClassVar[ChangeKind] = CORDONS_NODE

    spec: dict[str, Any] = {}
    versioned: bool = False

    @property
    def needs_intent(self) -> bool:
        """See `Change.needs_intent`. The label of an isolation does nothing alone, and its value says whose it is."""
        return not self._is_isolation

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Merge the change into the object with this UID."""
        path = self.object_path
        refused = _refused_node if self.kind == "Node" else self._refused_pod
        return means.in_cluster(
            lambda session: session.until_settled(partial(self._once, session, path, step), path, refused)
        )

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        read = session.read(path)
        settled = self.probe(step, read, sent=tries.sent)
        if settled:
            return settled
        step.intend()
        bare = tries.last is not None and tries.last.reason == Reason.INVALID and bool(self.labels or self.spec)
        body = self.body(step, read, bare=bare)
        answer = tries.send(lambda: session.api.patch(path, body, dry_run=step.dry_run))
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_PATCH)
        if self._is_read_by_next and self._holds(step, answer, bare=bare):
            return self.verified(step, session.keep(path, answer))
        return self.verified(step, session.read_anew(path), bare=bare)

    def probe(self, step: StepRun, read: ApiObject | None, *, sent: bool) -> Result | None:
        """The outcome, if the object is gone, another one, or already as wanted. `sent`: a request of ours went out."""
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost
        ours, again = self._marked(read) == step.action_id, step.intended or sent
        if self._is_wanted(read) and (ours or self.marker == ACTION_ID):
            before = again and (ours or self._is_isolation or self._is_of_one_case)
            return done(Reason.DONE_BEFORE if before else self._stands)
        if again and self._is_marked_over(step, read):
            return done(Reason.DONE_BEFORE)
        if ours and step.intended:
            return Result(
                status=StepStatus.OVERRIDDEN, reason=Reason.OVERRIDDEN, detail="done before, and undone by another"
            )
        if self.spec and self._has_spec(read):
            # Another was first; what it was before is not ours to remember.
            return done(Reason.ALREADY)
        return None

    def body(self, step: StepRun, read: ApiObject | None, *, bare: bool = False) -> ApiObject:
        """The JSON merge patch, with its conditions and its marker. `bare`: without annotations."""
        meta: ApiObject = {"uid": self.uid}
        if self.versioned and read is not None and not step.dry_run:
            meta["resourceVersion"] = read["metadata"]["resourceVersion"]
        labels = {**self.labels, ARMED_BY: step.action_id} if self.marker == ARMED_BY else self.labels
        if labels:
            meta["labels"] = labels
        if not bare and not self._is_isolation and self.marker != ARMED_BY:
            meta["annotations"] = {**self.annotations, self.marker: step.action_id}
        return {"metadata": meta, **({"spec": self.spec} if self.spec else {})}

    def verified(self, step: StepRun, read: ApiObject | None, *, bare: bool = False) -> Result:
        """What a read after the write says of it. Raises ApiError `not_verified` where it was changed back."""
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost or target_gone()
        if not self._holds(step, read, bare=bare):
            raise ApiError(NOT_VERIFIED, "the object was changed back right after the request", status=409)
        return done(Reason.ARMED if self.marker == ARMED_BY else Reason.PATCHED)

    @property
    def _is_isolation(self) -> bool:
        """Whether it sets the label that a NetworkPolicy selects, and no other: its value says whose work it is."""
        return bool(self.labels) and self.labels.keys() <= _ISOLATES

    @property
    def _is_of_one_case(self) -> bool:
        """Whether it sets the label of one case, which no other finding sets: its value needs no annotation."""
        return any(key.startswith(EACH_CASE) for key in self.labels)

    @property
    def _stands(self) -> Reason:
        """What is said where it is as wanted: the label of an isolation, whoever set it, isolates nothing yet."""
        return Reason.ALREADY_LABELED if self._is_isolation else Reason.ALREADY

    @property
    def _is_read_by_next(self) -> bool:
        """Whether the action's next change proves it: a deletion by its version, an isolation by another read."""
        return self._is_isolation or self.marker == ARMED_BY

    def _holds(self, step: StepRun, read: ApiObject, *, bare: bool) -> bool:
        """Whether the object is as it should be right after the write."""
        if read.get("metadata", {}).get("uid") != self.uid:
            return False
        # Another finding on the same object may have put its own action's id there since; only the arming must be ours.
        ours = self.marker == ACTION_ID or self._marked(read) == step.action_id
        return ours and (self._is_wanted(read, bare=bare) or self._is_marked_over(step, read))

    def _is_marked_over(self, step: StepRun, read: ApiObject) -> bool:
        """Whether all keys are there, and another finding on the same object set some of them after us."""
        labels, annotations = marks_of(read, "labels"), marks_of(read, "annotations")
        by_other = annotations.get(ACTION_ID, step.action_id) != step.action_id
        by_other |= any(key.startswith(EACH_CASE) and key not in self.labels for key in labels)
        complete = self.labels.keys() <= labels.keys() and self.annotations.keys() <= annotations.keys()
        return self.marker == ACTION_ID and by_other and complete and not self._is_isolation and self._has_spec(read)

    def _marked(self, read: ApiObject) -> str | None:
        """Whose action's id the object carries."""
        return marks_of(read, "labels" if self.marker == ARMED_BY else "annotations").get(self.marker)

    def _is_wanted(self, read: ApiObject, *, bare: bool = False) -> bool:
        """Whether the object has everything that the change asks for. `bare`: but its annotations."""
        return (
            self.labels.items() <= marks_of(read, "labels").items()
            and (bare or self.annotations.items() <= marks_of(read, "annotations").items())
            and self._has_spec(read)
        )

    def _has_spec(self, read: ApiObject) -> bool:
        spec = read.get("spec", {})
        return all(spec.get(key) == value for key, value in self.spec.items())

    def _refused_pod(self, error: ApiError) -> Result | None:
        """A pod that is as large as the cluster can store can only be deleted, by a person."""
        if error.reason != Reason.OBJECT_FULL:
            return None
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": self.uid}}
        command = (
            f"printf %s {quote(msgspec.json.encode(options).decode())}"
            f" | kubectl delete --raw {quote(api_paths.pod(self.namespace, self.name))} -f -"
        )
        return failed(Reason.OBJECT_FULL, f"to delete this very pod: {command}")


def _refused_node(error: ApiError) -> Result | None:
    """Google's own nodes are not to be changed: no later step depends on that."""
    if error.refused_by != GKE_WARDEN:
        return None
    return Result(status=StepStatus.NOT_POSSIBLE, reason=Reason.NOT_POSSIBLE_AUTOPILOT, detail=str(error))
