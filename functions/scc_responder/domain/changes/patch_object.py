"""Kind of change: merge labels, annotations or fields into one pod or node."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.errors import GKE_WARDEN, ApiError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import NOT_VERIFIED, ClusterSession, Tries
from scc_responder.domain.labels import ACTION_ID, ARMED_BY
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, not_the_target, target_gone

PATCHES_POD = ChangeKind(permissions=(*observes("pods", "get"), *acts("pods", "patch")))
CORDONS_NODE = ChangeKind(
    permissions=(*observes("nodes", "get", "list"), *acts("nodes", "patch")), disrupts=Disruption.NODES
)
"""What a node's pool has left is looked at before, hence `list`."""


class PatchObject(Change, frozen=True, kw_only=True, tag="patch"):
    """Merge labels, annotations or `spec` fields into one object, on condition of its UID.

    `kind` is Pod or Node. `marker` names the annotation that carries the action id. `versioned` adds the resource
    version that was read to the condition.
    """

    declares: ClassVar[ChangeKind] = PATCHES_POD

    kind: str
    name: str
    uid: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    spec: dict[str, Any] = {}
    marker: str = ACTION_ID
    versioned: bool = False

    @property
    def declared(self) -> ChangeKind:
        """A node is patched to cordon it."""
        return PATCHES_POD if self.kind == "Pod" else CORDONS_NODE

    @property
    def target(self) -> ChangedObject:
        """The object that is patched."""
        return ChangedObject(kind=self.kind, namespace=self.namespace, name=self.name, uid=self.uid)

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Merge the change into the object with this UID."""
        path = api_paths.pod(self.namespace, self.name) if self.kind == "Pod" else api_paths.node(self.name)
        refused = _refused_node if self.kind == "Node" else lambda _: None
        return means.in_cluster(
            lambda session: session.until_settled(partial(self._once, session, path, step), path, refused)
        )

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        read = session.read(path)
        settled = self.probe(step, read, sent=tries.sent)
        if settled:
            return settled
        step.intend()
        body = self.body(step, read)
        tries.send(lambda: session.api.patch(path, body, dry_run=step.dry_run))
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_PATCH)
        return self.verified(step, session.read_anew(path))

    def probe(self, step: StepRun, read: ApiObject | None, *, sent: bool) -> Result | None:
        """The outcome, if the object is gone, another one, or already as wanted. `sent`: a request of ours went out."""
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost
        ours = self._marked(read) == step.action_id
        if ours and self._is_wanted(read):
            return done(Reason.DONE_BEFORE if step.intended or sent else Reason.ALREADY)
        if self.marker == ACTION_ID and self._is_wanted(read):
            return done(Reason.ALREADY)
        if ours and step.intended:
            return Result(
                status=StepStatus.OVERRIDDEN, reason=Reason.OVERRIDDEN, detail="done before, and undone by another"
            )
        if self.spec and self._has_spec(read):
            # Another was first; what it was before is not ours to remember.
            return done(Reason.ALREADY)
        return None

    def body(self, step: StepRun, read: ApiObject | None) -> ApiObject:
        """The JSON merge patch, with its conditions and its marker."""
        meta: ApiObject = {"uid": self.uid, "annotations": {**self.annotations, self.marker: step.action_id}}
        if self.versioned and read is not None and not step.dry_run:
            meta["resourceVersion"] = read["metadata"]["resourceVersion"]
        if self.labels:
            meta["labels"] = self.labels
        return {"metadata": meta, **({"spec": self.spec} if self.spec else {})}

    def verified(self, step: StepRun, read: ApiObject | None) -> Result:
        """What a read after the write says of it. Raises ApiError `not_verified` where it was changed back."""
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost or target_gone()
        # Another finding on the same object may have put its own action's id there since; only the arming must be ours.
        ours = self.marker == ACTION_ID or self._marked(read) == step.action_id
        if not ours or not self._is_wanted(read):
            raise ApiError(NOT_VERIFIED, "the object was changed back right after the request", status=409)
        return done(Reason.ARMED if self.marker == ARMED_BY else Reason.PATCHED)

    def _marked(self, read: ApiObject) -> str | None:
        """Whose action's id the object carries."""
        return read["metadata"].get("annotations", {}).get(self.marker)  # type: ignore[no-any-return]

    def _is_wanted(self, read: ApiObject) -> bool:
        """Whether the object has everything that the change asks for."""
        meta = read["metadata"]
        return (
            self.labels.items() <= meta.get("labels", {}).items()
            and self.annotations.items() <= meta.get("annotations", {}).items()
            and self._has_spec(read)
        )

    def _has_spec(self, read: ApiObject) -> bool:
        spec = read.get("spec", {})
        return all(spec.get(key) == value for key, value in self.spec.items())


def _refused_node(error: ApiError) -> Result | None:
    """Google's own nodes are not to be changed: no later step depends on that."""
    if error.refused_by != GKE_WARDEN:
        return None
    return Result(status=StepStatus.NOT_POSSIBLE, reason=Reason.NOT_POSSIBLE_AUTOPILOT, detail=str(error))
