"""Entries of Cloud Logging are captured by the means, with or without a pod."""

from __future__ import annotations

from scc_responder.domain.changes.capture_cloud_logs import CAPTURES_CLOUD_LOGS, CaptureCloudLogs
from tests.kits.one_change import one_cluster, step_run


def test_entries_are_captured_of_their_finding() -> None:
    """They are evidence of a kind of its own, which changes nothing."""
    change = CaptureCloudLogs()
    with one_cluster() as (_, means):
        assert change.carry_out(step_run(), means).reason == "captured"
        assert means.captured == [change]
    assert (change.declared, change.declared.observes, change.target) == (CAPTURES_CLOUD_LOGS, True, None)
