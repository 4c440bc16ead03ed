"""What the changes of one pod or node share that set its labels and annotations, or take them away."""

from __future__ import annotations

from typing import ClassVar

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.labels import ACTION_ID
from scc_responder.domain.ports import ApiObject


class MarkedObject(Change, frozen=True, kw_only=True):
    """One pod or node (`kind`) by its UID, and its labels and annotations. Each kind of change makes its own of it.

    `marker` names what carries the action id: a label or an annotation.
    """

    of_nodes: ClassVar[ChangeKind]
    """What is declared of a node; `declares` is of a pod."""

    kind: str
    name: str
    uid: str
    namespace: str = ""
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    marker: str = ACTION_ID

    @property
    def declared(self) -> ChangeKind:
        """See `Change.declared`."""
        return self.declares if self.kind == "Pod" else self.of_nodes

    @property
    def target(self) -> ChangedObject:
        """The pod or node."""
        return ChangedObject(kind=self.kind, namespace=self.namespace, name=self.name, uid=self.uid)

    @property
    def object_path(self) -> str:
        """Where the API server has it."""
        return api_paths.pod(self.namespace, self.name) if self.kind == "Pod" else api_paths.node(self.name)


def marks_of(read: ApiObject, field: str) -> dict[str, str]:
    """The `labels` or `annotations` of an object as it was read."""
    return read["metadata"].get(field) or {}
