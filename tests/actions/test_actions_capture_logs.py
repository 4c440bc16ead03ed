"""`capture_logs`: of the pod that was read, where there is one."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.actions import Skip, actions
from scc_responder.domain.changes.capture_logs import CaptureLogs
from scc_responder.domain.reasons import Reason
from tests.kits.decision_contexts import POD, context, plan


def test_logs_name_the_pod_read() -> None:
    """The logs are those of the very pod that was read."""
    assert plan("capture_logs") == [CaptureLogs(namespace="shop", pod_name="web-1", pod_uid=POD.uid)]


@pytest.mark.parametrize("reason", [Reason.TARGET_ABSENT, Reason.POD_NOT_NAMED, Reason.POD_UNREADABLE])
def test_without_a_pod_there_are_no_logs(reason: Reason) -> None:
    """There is nothing to ask for: that holds nothing, and is never held."""
    action, without = actions()["capture_logs"], replace(context(), pod=None, missing={"pod": reason})
    assert action.plan(without, action.params()) == Skip(reason=reason)
