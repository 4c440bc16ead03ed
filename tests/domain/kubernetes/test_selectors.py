"""Label selectors, as Kubernetes defines them."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.kubernetes.selectors import selects

LABELS = {"app": "web", "tier": "front"}


def expression(operator: str, key: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": {"app": "web"}}, True),
        ({"matchLabels": {"app": "db"}}, False),
        ({"matchLabels": None, "matchExpressions": None}, True),
        (expression("In", "app", "web", "db"), True),
        (expression("In", "app", "db"), False),
        (expression("NotIn", "app", "db"), True),
        (expression("NotIn", "absent", "db"), True),
        (expression("Exists", "app"), True),
        (expression("Exists", "absent"), False),
        (expression("DoesNotExist", "absent"), True),
        (expression("DoesNotExist", "app"), False),
        (expression("Newer", "app"), True),
        ({"matchLabels": {"app": "web"}, **expression("In", "tier", "back")}, False),
    ],
)
def test_a_selector_selects_as_defined(selector: Any, selected: bool) -> None:
    """An operator that is not known might match."""
    assert selects(selector, LABELS) is selected
