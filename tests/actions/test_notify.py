"""`notify`: one message, whatever the finding is about."""

from __future__ import annotations

import pytest

from scc_responder.domain.changes.publish_decision import PublishDecision
from tests.kits.decision_contexts import plan


@pytest.mark.parametrize("pod", [None, False], ids=["pod", "no-pod"])
def test_a_decision_is_published_without_a_pod(pod: object) -> None:
    """It needs no pod."""
    assert plan("notify", pod=pod) == [PublishDecision()]
