"""Whether a disruption takes the last pod of a workload that serves."""

from __future__ import annotations

import pytest

from scc_responder.domain.context import LiveLook, Workload
from scc_responder.guard.limits.last_serving import is_last_serving, keeps_serving
from scc_responder.policy.guardrails import Guardrails, Protected
from tests.kits.decision_contexts import context

ROWS = [
    pytest.param(4, True, 0, False, id="others-are-ready"),
    pytest.param(4, True, 3, True, id="the-others-are-cut-off"),
    pytest.param(1, True, 0, True, id="it-is-alone"),
    pytest.param(1, False, 0, False, id="it-does-not-serve"),
    pytest.param(None, True, 0, None, id="nobody-counts"),
]


@pytest.mark.parametrize(("ready", "serves", "cut", "expected"), ROWS)
def test_ready_and_not_cut_off_serves(ready: int | None, cut: int, *, serves: bool, expected: bool | None) -> None:
    """What is ready and was not isolated a short time ago serves."""
    live = LiveLook(workload=Workload(kind="Deployment", name="web", replicas=4, ready=ready))
    assert is_last_serving(context(pod={"ready": serves}, live=live), cut) is expected


def test_workloads_are_named_by_patterns() -> None:
    """As in `protected`; without a pattern no workload has to serve."""
    for patterns, expected in (((), False), (("*/*/*",), True), (("nowhere/Deployment/x",), False)):
        assert keeps_serving(context(), Guardrails(protected=Protected(), keep_serving=patterns)) is expected
