"""Taints that keep a pod away from a node, and tolerations for them."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.collect.taints import is_kept_away, tolerations_of

GPU = {"key": "gpu", "value": "true", "effect": "NoSchedule"}


def tainted(*taints: dict[str, str]) -> dict[str, Any]:
    return {"spec": {"taints": [*taints]}}


TAINTS: list[Any] = [
    ((), (), False),
    ((GPU,), (), True),
    (({**GPU, "effect": "NoExecute"},), (), True),
    (({**GPU, "effect": "PreferNoSchedule"},), (), False),
    ((GPU,), ({"operator": "Exists"},), False),
    ((GPU,), ({"key": "gpu", "operator": "Exists"},), False),
    ((GPU,), ({"key": "gpu", "value": "true"},), False),
    ((GPU,), ({"key": "gpu", "value": "false"},), True),
    ((GPU,), ({"key": "cpu", "operator": "Exists"},), True),
    ((GPU,), ({"key": "gpu", "operator": "Exists", "effect": "NoExecute"},), True),
    ((GPU,), ({"key": "gpu", "value": "true", "operator": "Gt"},), True),
    ((GPU, {**GPU, "key": "team"}), ({"key": "gpu", "operator": "Exists"},), True),
]


@pytest.mark.parametrize(("taints", "tolerations", "away"), TAINTS)
def test_a_taint_needs_a_toleration(taints: Any, tolerations: Any, away: bool) -> None:
    """Each of them one of its own; a toleration of an unknown kind tolerates nothing."""
    assert is_kept_away(tainted(*taints), tolerations) is away


def test_pods_tolerate_their_node() -> None:
    """Where no pod was read, its node's taints count as tolerated; a pod that was read says what it tolerates."""
    assert not is_kept_away(tainted(GPU), tolerations_of(None, tainted(GPU)))
    assert is_kept_away(tainted(GPU), tolerations_of({"spec": {}}, tainted(GPU)))
    assert tolerations_of({"spec": {"tolerations": [GPU]}}, None) == [GPU]
    assert tolerations_of(None, None) == []
