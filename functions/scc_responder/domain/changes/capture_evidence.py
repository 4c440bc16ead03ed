"""Kind of change: store what was read, before it is gone. Nothing of the target is changed."""

from __future__ import annotations

from typing import ClassVar

from scc_responder.domain.changes import Change, ChangedObject, ChangeKind, Means, StepRun
from scc_responder.domain.permissions import iam
from scc_responder.domain.status import Result

CAPTURES_EVIDENCE = ChangeKind(permissions=iam("storage.objects.create"), observes=True)
"""What each evidence source reads, it declares itself: see `execute/evidence`."""


class CaptureEvidence(Change, frozen=True, kw_only=True, tag="capture_evidence"):
    """Store what was read, and the pod's events, as create-only objects with a SHA-256 manifest."""

    declares: ClassVar[ChangeKind] = CAPTURES_EVIDENCE

    namespace: str = ""
    pod_name: str = ""
    pod_uid: str = ""

    @property
    def target(self) -> ChangedObject | None:
        """The pod that the evidence is of, where one was read."""
        if not self.pod_uid:
            return None
        return ChangedObject(kind="Pod", namespace=self.namespace, name=self.pod_name, uid=self.pod_uid)

    def carry_out(self, step: StepRun, means: Means) -> Result:
        """Store it."""
        return means.capture_evidence(self, step)
