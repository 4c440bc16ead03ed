"""Kind of change: delete the NetworkPolicy by which a case isolated one pod, if it is exactly what we created."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Means, StepRun
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.cluster_session import NOT_VERIFIED, ClusterSession, Tries
from scc_responder.domain.labels import ACTION_ID, POD_LABEL, PREFIX
from scc_responder.domain.permissions import acts, observes
from scc_responder.domain.ports import ApiObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, done, failed, undo_refused
from scc_responder.domain.text import listed

_POLICIES = "networkpolicies.networking.k8s.io"
DELETES_NETWORK_POLICY = ChangeKind(permissions=(*observes(_POLICIES, "get", "list"), *acts(_POLICIES, "delete")))


class DeleteNetworkPolicy(Change, frozen=True, kw_only=True, tag="delete_network_policy"):
    """Delete the policy of this name that belongs to this very pod and selects it by `selector`, and nothing else."""

    declares: ClassVar[ChangeKind] = DELETES_NETWORK_POLICY
    lasting: ClassVar[str] = "a pod that is let out again is isolated by `case resume`"

    namespace: str
    name: str
    pod_name: str
    pod_uid: str
    selector: dict[str, str]

    @property
    def target(self) -> ChangedObject:
        """The pod that was isolated."""
        return ChangedObject(kind="Pod", namespace=self.namespace, name=self.pod_name, uid=self.pod_uid)

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Delete the version that was read, and read that it is gone."""
        path = api_paths.network_policy(self.namespace, self.name)
        return means.in_cluster(lambda session: session.until_settled(partial(self._once, session, path, step), path))

    def _once(self, session: ClusterSession, path: str, step: StepRun, tries: Tries) -> Result:
        read = session.read_anew(path)
        if read is None:
            return done(Reason.UNDONE if tries.sent or step.intended else Reason.ALREADY_UNDONE)
        changed = [*self.changed(read, step.action_id)]
        if changed:
            return undo_refused(f"the NetworkPolicy {self.name} is not as it was created: {listed(changed)}")
        step.intend()
        meta = read["metadata"]
        condition = {"preconditions": {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}}
        tries.send(lambda: session.api.delete(path, condition, dry_run=step.dry_run))
        told = f"NetworkPolicy {self.name}"
        if step.dry_run:
            return Result(status=StepStatus.DRY_RUN, reason=Reason.WOULD_UNDO, detail=told)
        is_gone = session.read_anew(path) is None
        return done(Reason.UNDONE, told) if is_gone else failed(NOT_VERIFIED, f"{told} is still there")

    def changed(self, read: ApiObject, action_id: str) -> Iterator[str]:
        """Which parts of the policy, as it was read, are not what the action of this id created."""
        meta, selectors = read["metadata"], (self.selector, {POD_LABEL: self.pod_uid})
        forms = [{"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress", "Egress"]} for labels in selectors]
        annotations = meta.get("annotations") or {}
        owner = {"apiVersion": "v1", "kind": "Pod", "name": self.pod_name, "uid": self.pod_uid}
        if read.get("spec") not in forms:
            yield "spec"
        if meta.get("labels") not in selectors:
            yield "labels"
        if meta.get("ownerReferences") != [owner]:
            yield "ownerReferences"
        if annotations.get(ACTION_ID) != action_id or not all(key.startswith(PREFIX) for key in annotations):
            yield "annotations"
        if meta.get("finalizers"):
            yield "finalizers"
