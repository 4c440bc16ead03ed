"""Logs are captured by the means, of the pod that was read."""

from __future__ import annotations

from scc_responder.domain.changes.capture_logs import CAPTURES_LOGS, CaptureLogs
from tests.kits.one_change import one_cluster, step_run


def test_logs_are_captured_of_their_pod() -> None:
    """They are evidence of a kind of its own, which changes nothing."""
    change = CaptureLogs(namespace="shop", pod_name="web-1", pod_uid="u")
    with one_cluster() as (_, means):
        assert change.carry_out(step_run(), means).reason == "captured"
        assert means.captured == [change]
    assert (change.declared, change.declared.observes) == (CAPTURES_LOGS, True)
