"""On what a timed ceiling holds: its policy, its namespace, its workload, and what could not be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.mode import Mode
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope, holds_for
from tests.kits.decision_contexts import context

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UNREAD_OWNER = {"missing": {"owner": "timeout"}}


def on(scope: TimedScope, name: str) -> TimedCeiling:
    return TimedCeiling(scope=scope, name=name, mode=Mode.DRY_RUN, reason="r", by="b", at=AT, until=AT)


P, N, W = TimedScope.POLICY, TimedScope.NAMESPACE, TimedScope.WORKLOAD
NODE_FINDING = {"pod": False, "finding": {"pods": ()}}
CASES: list[Any] = [
    pytest.param(on(P, "contain"), {}, True, id="the-policy"),
    pytest.param(on(P, "contain-more"), {}, False, id="another-policy"),
    pytest.param(on(N, "shop"), {}, True, id="the-namespace"),
    pytest.param(on(N, "sho"), {}, False, id="another-namespace"),
    pytest.param(on(N, "shop"), {"pod": False}, True, id="the-namespace-of-a-pod-that-is-gone"),
    pytest.param(on(N, "other"), {"pod": False}, False, id="another-namespace-than-that-of-a-pod-that-is-gone"),
    pytest.param(on(N, "shop"), NODE_FINDING, True, id="a-finding-without-a-pod-may-be-of-the-namespace"),
    pytest.param(on(N, "shop"), {**NODE_FINDING, "finding": {"pods": (), "cluster": None}}, False, id="no-cluster"),
    pytest.param(on(W, "shop/Deployment/web"), {}, True, id="the-workload"),
    pytest.param(on(W, "shop/deployment/web"), {}, True, id="the-kind-in-small-letters"),
    pytest.param(on(W, "shop/ReplicaSet/web-6d5f"), {}, True, id="a-nearer-owner"),
    pytest.param(on(W, "shop/Pod/web-1"), {}, True, id="the-pod-itself"),
    pytest.param(on(W, "shop/Deployment/db"), {}, False, id="another-workload"),
    pytest.param(on(W, "other/Deployment/web"), {}, False, id="another-namespaces-workload"),
    pytest.param(on(W, "shop/Deployment/db"), UNREAD_OWNER, True, id="an-unread-owner-may-be-the-workload"),
    pytest.param(on(W, "other/Deployment/db"), UNREAD_OWNER, False, id="an-unread-owner-in-another-namespace"),
    pytest.param(on(W, "shop/Deployment/db"), {"missing": {"owner": "not_found"}}, False, id="an-owner-that-is-gone"),
    pytest.param(on(W, "shop/Deployment/web"), {"pod": False}, True, id="a-pod-that-is-gone"),
]


@pytest.mark.parametrize(("ceiling", "facts", "expected"), CASES)
def test_a_ceiling_holds_where_it_is_meant(ceiling: TimedCeiling, facts: dict[str, Any], expected: bool) -> None:
    """It holds for what it names, and for what may be that as far as anybody knows."""
    assert holds_for(ceiling, "contain", context(**facts)) is expected
