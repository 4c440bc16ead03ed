"""The shapes in which a finding travels are told apart, and each gives up the same parts."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.errors import RejectedMessage
from scc_responder.intake.shapes import take_apart

V1 = {"name": "organizations/1/sources/2/findings/f", "category": "Reverse Shell", "sourceProperties": {"a": 1}}
V2 = {**V1, "name": "organizations/1/sources/2/locations/global/findings/f"}
RESOURCE = {"name": "//container.googleapis.com/projects/p"}

SHAPES: list[Any] = [
    pytest.param({"notificationConfigName": "n", "finding": V1, "resource": RESOURCE}, "v1", id="notification"),
    pytest.param({"notification_config_name": "n", "finding": V2, "resource": RESOURCE}, "v2", id="proto-names"),
    pytest.param({"finding": V1, "resource": {**RESOURCE, "gcpMetadata": {"a": 1}}}, "v2_list_item", id="list-item"),
    pytest.param({"listFindingsResults": [{"finding": V1, "resource": RESOURCE}]}, "v1_list_item", id="list-response"),
    pytest.param({"findings": V1, "resource": RESOURCE}, "v1_console", id="console"),
    pytest.param({"findings": [V2], "resource": RESOURCE}, "v2_console", id="console-list"),
    pytest.param({**V1, "resource": RESOURCE}, "v1_bare", id="bare"),
    pytest.param(
        {
            "findings": {k: v for k, v in V1.items() if k != "sourceProperties"},
            "sourceProperties": {"a": 1},
            "resource": RESOURCE,
        },
        "v1_console",
        id="properties-outside",
    ),
]


@pytest.mark.parametrize(("document", "shape"), SHAPES)
def test_each_shape_gives_the_same_parts(document: dict[str, Any], shape: str) -> None:
    """Finding, resource and properties are cut out of each, and the shape is named."""
    parts = take_apart(document)
    assert parts.finding["category"] == "Reverse Shell"
    assert parts.resource["name"] == RESOURCE["name"]
    assert (parts.source, parts.shape) == ({"a": 1}, shape)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({}, "not_a_finding"),
        ({"logName": "l", "jsonPayload": {}}, "log_entry"),
        ({"findings": [V1, V1]}, "several_findings"),
        ({"findings": []}, "not_a_finding"),
        ({"findings": "text"}, "not_a_finding"),
        ({"listFindingsResults": [{"finding": V1}, {"finding": V1}]}, "several_findings"),
        ({"listFindingsResults": []}, "not_a_finding"),
        ({"listFindingsResults": [{"finding": None}]}, "not_a_finding"),
        ({"category": "x", "name": "organizations/1"}, "not_a_finding"),
    ],
)
def test_anything_else_is_rejected_by_name(document: dict[str, Any], reason: str) -> None:
    """What carries no finding, or several, is refused."""
    with pytest.raises(RejectedMessage) as caught:
        take_apart(document)
    assert caught.value.reason == reason
