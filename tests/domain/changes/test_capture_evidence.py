"""Evidence is captured by the means, of the pod that was read."""

from __future__ import annotations

from scc_responder.domain.changes import ChangedObject
from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from tests.kits.one_change import one_cluster, step_run


def test_evidence_is_captured_of_its_pod() -> None:
    """The change itself asks no cluster."""
    change = CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid="u")
    with one_cluster() as (_, means):
        assert change.carry_out(step_run(), means).reason == "captured"
        assert means.captured == [change]
    assert change.target == ChangedObject(kind="Pod", namespace="shop", name="web-1", uid="u")
    assert CaptureEvidence().target is None
