"""Kind of change: take our marks away from one pod or node, and uncordon a node that we cordoned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

from scc_responder.domain.changes import ChangeKind, Disruption, Means, StepRun
from scc_responder.domain.changes.marked_object import MarkedObject, marks_of
from scc_responder.domain.kubernetes.cluster_session import NOT_VERIFIED, ClusterSession, Tries
from scc_responder.domain.labels import ACTION_ID, PREFIX, PRIOR_UNSCHEDULABLE
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, not_the_target, target_gone, undo_refused
from scc_responder.domain.text import listed

RELEASES_POD = ChangeKind(permissions=(*observes("pods", "get"), *acts("pods", "patch")))
UNCORDONS_NODE = ChangeKind(permissions=(*observes("nodes", "get"), *acts("nodes", "patch")), disrupts=Disruption.NODES)


class ReleaseObject(MarkedObject, frozen=True, kw_only=True, tag="release_object"):
    """Take these labels and annotations away from the object with this UID, as far as they have our values still.

    `marker` names what carries the id of the action that is taken back (`StepRun.action_id`). `kept` are keys that
    another case needs. `uncordons`: the node takes pods again. Only keys that begin with `scc-responder/` are taken
    away; what a policy set besides is named in the detail.
    """

    declares: ClassVar[ChangeKind] = RELEASES_POD
    of_nodes: ClassVar[ChangeKind] = UNCORDONS_NODE
    lasting: ClassVar[str] = "what was taken back is done again by `case resume`"

    kept: tuple[str, ...] = ()
    uncordons: bool = False

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Take them away, on condition of the version that was read, and read the object again."""
        path = self.object_path
        return means.in_cluster(lambda session: session.until_settled(partial(self._once, session, path, step), path))

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        read = session.read_anew(path)
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost or target_gone()
        refused = self._refused(step, read)
        if refused:
            return undo_refused(refused)
        body, left = self.body(step, read), "; ".join(self._left(read))
        if not body["metadata"].keys() & {"labels", "annotations"} and "spec" not in body:
            return done(Reason.UNDONE if tries.sent or step.intended else Reason.ALREADY_UNDONE, left)
        told = "; ".join(filter(None, (self._taken(body), left)))
        step.intend()
        tries.send(lambda: session.api.patch(path, body, dry_run=step.dry_run))
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_UNDO, detail=told)
        read = session.read_anew(path)
        lost = not_the_target(read, self.uid)
        if lost or read is None:
            return lost or target_gone()
        stands = self.body(step, read)
        is_taken = not stands["metadata"].keys() & {"labels", "annotations"} and "spec" not in stands
        return done(Reason.UNDONE, told) if is_taken else failed(NOT_VERIFIED, "it was set again right after")

    def body(self, step: StepRun, read: ApiObject) -> ApiObject:
        """The JSON merge patch that takes away what is ours and stands; it names nothing where nothing does."""
        meta: ApiObject = {"uid": self.uid, "resourceVersion": read["metadata"]["resourceVersion"]}
        for field, wanted in (("labels", self.labels), ("annotations", self.annotations)):
            marked = {**wanted, self.marker: step.action_id}
            gone = [key for key, value in marks_of(read, field).items() if self._is_ours(key, value, marked)]
            meta |= {field: dict.fromkeys(gone)} if gone else {}
        is_cordoned = self.uncordons and read.get("spec", {}).get("unschedulable")
        return {"metadata": meta, **({"spec": {"unschedulable": None}} if is_cordoned else {})}

    def _is_ours(self, key: str, value: str, wanted: Mapping[str, str]) -> bool:
        return key.startswith(PREFIX) and key not in self.kept and wanted.get(key) == value

    def _refused(self, step: StepRun, read: ApiObject) -> str:
        """Why a node is not uncordoned: nothing shows any more that the case cordoned it. Empty where it may be."""
        if not self.uncordons or not read.get("spec", {}).get("unschedulable"):
            return ""
        marks = marks_of(read, "annotations")
        if marks.get(PRIOR_UNSCHEDULABLE) == "false" and marks.get(ACTION_ID) == step.action_id:
            return ""
        return f"the node's annotations {PRIOR_UNSCHEDULABLE} and {ACTION_ID} do not say that this case cordoned it"

    def _taken(self, body: ApiObject) -> str:
        meta = body["metadata"]
        keys = [*meta.get("labels", {}), *meta.get("annotations", {})]
        return "; ".join(filter(None, ("uncordoned" if "spec" in body else "", listed(keys) if keys else "")))

    def _left(self, read: ApiObject) -> Iterator[str]:
        """What of the change stays on the object, and why."""
        for field, wanted in (("labels", self.labels), ("annotations", self.annotations)):
            standing = marks_of(read, field)
            for key in sorted(wanted.keys() & standing.keys()):
                if key in self.kept:
                    yield f"{key} stays: another case has it too"
                elif standing[key] != wanted[key]:
                    yield f"{key} stays: it has another value since"
                elif not key.startswith(PREFIX):
                    yield f"{key} stays: it is no key of the responder's own; take it away by hand"
