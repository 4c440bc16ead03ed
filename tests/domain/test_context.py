"""What was read to decide: the facts that follow from others."""

from __future__ import annotations

from scc_responder.domain.context import NodePool, Zone
from tests.kits.decision_contexts import POD, context


def test_the_topmost_owner_is_the_workload() -> None:
    """What a person would call it; a standalone pod has none."""
    known = context().pod
    assert known is not None
    assert known.workload == POD.owners[-1]
    standalone = context(pod={"owners": ()}).pod
    assert standalone is not None
    assert standalone.workload is None


def test_a_pool_counts_the_nodes_of_its_zones() -> None:
    """All of them, and those that take new pods."""
    pool = NodePool(name="p", zones={"a": Zone(nodes=3, schedulable=2), "b": Zone(nodes=1, schedulable=0)})
    assert (pool.nodes, pool.schedulable) == (4, 2)


def test_a_missing_pod_has_a_reason() -> None:
    """Where nothing says why, none was named."""
    assert context(pod=False).pod_missing == "target_absent"
    assert context(missing={}).pod_missing == "pod_not_named"
