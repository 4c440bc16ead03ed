"""`capture_logs`: of the pod that was read, where there is one."""

from __future__ import annotations

from scc_responder.actions import Skip
from scc_responder.domain.changes.capture_logs import CaptureLogs
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import POD, plan


def test_logs_name_the_pod_read() -> None:
    """The logs are those of the very pod that was read."""
    assert plan("capture_logs") == [CaptureLogs(namespace="shop", pod_name="web-1", pod_uid=POD.uid)]


def test_a_pod_that_is_gone_has_no_logs() -> None:
    """There is nothing to ask for."""
    assert plan("capture_logs", pod=False) == Skip(reason=Reason.TARGET_ABSENT)
