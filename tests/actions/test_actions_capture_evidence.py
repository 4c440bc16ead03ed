"""`capture_evidence`: kept of every finding, with or without a pod."""

from __future__ import annotations

from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from tests.kits.decision_contexts import POD, plan


def test_evidence_names_the_pod_read() -> None:
    """The evidence is of the very pod that was read."""
    assert plan("capture_evidence") == [CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid=POD.uid)]


def test_evidence_needs_no_pod() -> None:
    """Evidence is kept even where there is no pod."""
    assert plan("capture_evidence", pod=False) == [CaptureEvidence()]
