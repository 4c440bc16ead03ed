"""`capture_cloud_logs`: of the finding, with or without a pod."""

from __future__ import annotations

from scc_responder.domain.changes.capture_cloud_logs import CaptureCloudLogs
from tests.kits.decision_contexts import POD, plan


def test_entries_name_the_pod_read() -> None:
    """Where there is one."""
    assert plan("capture_cloud_logs") == [CaptureCloudLogs(namespace="shop", pod_name="web-1", pod_uid=POD.uid)]
    assert plan("capture_cloud_logs", pod=False) == [CaptureCloudLogs()]
