"""What a reset closes, and what it forgets."""

from __future__ import annotations

import msgspec

from scc_responder.guard.limits.breaker_reset import reset
from scc_responder.guard.limits.ledger_document import State
from scc_responder.policy.guardrails import StormBreaker
from scc_responder.policy.limits import Limit
from tests.guard.limits.test_storm import STORMY
from tests.guard.test_ledger import NOW, apart, asked, breakers, pod, rails, steps, timedelta


def test_a_reset_keeps_the_reservations() -> None:
    """A reset closes the breaker and keeps what was reserved, who did it and why; the next storm trips it again."""
    tripped, _ = steps([apart(number) for number in range(4)], rails(STORMY))[-1]
    later = NOW + timedelta(minutes=1)
    closed = reset(tripped.cluster, "secops@example.com", "a bad rule, withdrawn", later)
    assert closed.breaker is None
    assert [entry.target for entry in closed.entries if entry.reserved_at] == ["pod-0", "pod-1", "pod-2"]
    assert [(item.by, item.reason, item.at) for item in closed.resets] == [
        ("secops@example.com", "a bad rule, withdrawn", later)
    ]
    state = msgspec.structs.replace(tripped, cluster=closed)
    assert asked([apart(number) for number in range(10, 14)], rails(STORMY), state) == ["ok"] * 3 + ["storm_breaker"]


def test_a_reset_of_one_scope_leaves_the_others() -> None:
    """Only what is named is closed, and only what counted there is forgotten."""
    storm = StormBreaker(targets=1000, denials=1)
    limits = rails(storm, namespace=(Limit(most=0, within="10m"),))
    both = [apart(number, scopes={"namespace": name}) for number, name in enumerate("aabb")]
    state, _ = steps(both, limits)[-1]
    assert breakers(state) == [("namespace=a", "disruption"), ("namespace=b", "disruption")]
    closed = reset(state.cluster, "secops@example.com", "withdrawn", NOW, "namespace=a")
    assert [breaker.scope for breaker in closed.breakers] == ["namespace=b"]
    assert [(item.scope, item.by) for item in closed.resets] == [("namespace=a", "secops@example.com")]
    assert asked([both[0], both[2]], limits, State(cluster=closed)) == ["limit_namespace", "storm_breaker"]


def test_reset_of_nothing() -> None:
    """A breaker that has not tripped is left as it is."""
    state, _ = steps([pod(1)], rails())[-1]
    assert reset(state.cluster, "secops@example.com", "why not", NOW) is state.cluster
