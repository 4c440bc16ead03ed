"""Kind of change: store what Cloud Logging has of a finding. Nothing of the target is changed."""

from __future__ import annotations

from typing import ClassVar

from scc_responder.domain.changes import ChangeKind
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.permissions import iam

CAPTURES_CLOUD_LOGS = ChangeKind(permissions=iam("storage.objects.create"), observes=True)
"""What its evidence source reads, that declares itself."""


class CaptureCloudLogs(CaptureEvidence, frozen=True, kw_only=True, tag="capture_cloud_logs"):
    """Store entries of Cloud Logging as create-only objects with a SHA-256 manifest."""

    declares: ClassVar[ChangeKind] = CAPTURES_CLOUD_LOGS
