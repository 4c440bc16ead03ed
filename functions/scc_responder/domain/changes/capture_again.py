"""Kind of change: store what a service or job of Cloud Run is after a change. Nothing of the target is changed."""

from __future__ import annotations

from typing import ClassVar

from scc_responder.domain.changes import ChangeKind
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.permissions import iam
from scc_responder.domain.value import AwareDatetime

CAPTURES_AGAIN = ChangeKind(permissions=iam("storage.objects.create"), observes=True)
"""It reads the sources that are of Cloud Run alone."""


class CaptureAgain(CaptureEvidence, frozen=True, kw_only=True, tag="capture_again"):
    """Read the service or job anew, and store it beside what was stored before the change at `changed_at`."""

    declares: ClassVar[ChangeKind] = CAPTURES_AGAIN

    changed_at: AwareDatetime | None = None
