"""Hours of a policy that are none, or that change nothing, are named."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.hours_mistakes import WEEK, policy_hours_mistakes

POLICY: dict[str, Any] = {
    "name": "p",
    "description": "d",
    "owner": "o",
    "mode": "enforce",
    "when": {"threat": "*"},
    "then": [],
}
NIGHT = {"from": "22:00", "to": "06:00"}
DAY = {"from": "06:00", "to": "22:00"}
WRONG = [
    pytest.param({"quiet_hours": [{**NIGHT, "from": 1320}]}, "quiet_hours.0.from", 'write "22:00"', id="a-number"),
    pytest.param({"office_hours": [DAY, {**DAY, "to": "6pm"}]}, "office_hours.1.to", "is no time of day", id="no-time"),
    pytest.param({"office_hours": [{"from": "09:00", "to": "09:00"}]}, "office_hours.0.to", "same as from", id="same"),
    pytest.param(
        {"office_hours": [{**DAY, "timezone": "Europe/Berln"}]},
        "office_hours.0.timezone",
        "did you mean 'Europe/Berlin'?",
        id="no-zone",
    ),
    pytest.param({"quiet_hours": [NIGHT, DAY]}, "quiet_hours", "always out of hours", id="no-time-is-left"),
    pytest.param(
        {"quiet_hours": [NIGHT], "office_hours": [NIGHT]}, "quiet_hours", "always out of hours", id="they-contradict"
    ),
    pytest.param({"office_hours": [NIGHT, DAY]}, "office_hours", "no time of the week", id="all-time-is-left"),
]


@pytest.mark.parametrize(("fields", "place", "text"), WRONG)
def test_wrong_hours_are_named(fields: dict[str, Any], place: str, text: str) -> None:
    """With their place, and what to write instead."""
    (mistake,) = policy_hours_mistakes(msgspec.convert(POLICY | fields, Policy))
    assert ".".join(map(str, mistake.path)) == place
    assert text in mistake.text


def test_hours_that_leave_some_time_are_right() -> None:
    """As is a policy without any."""
    for fields in ({}, {"quiet_hours": [NIGHT]}, {"office_hours": [DAY], "quiet_hours": [NIGHT]}):
        assert list(policy_hours_mistakes(msgspec.convert(POLICY | fields, Policy))) == []
    assert len(WEEK) == 7 * 24 * 60
