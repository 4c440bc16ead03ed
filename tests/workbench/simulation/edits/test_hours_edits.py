"""Edits of a policy's hours: whatever lets it go further at some minute of the week is said to widen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.simulation.edits.hours_edits import hours_edits
from tests.workbench.policy_files.test_hours_mistakes import DAY, NIGHT, POLICY

LONGER = {"from": "21:00", "to": "06:00"}
IN_BERLIN = {**NIGHT, "timezone": "Europe/Berlin"}
TABLE: list[tuple[dict[str, Any], dict[str, Any], list[tuple[str, bool]]]] = [
    ({}, {}, []),
    ({}, {"quiet_hours": [NIGHT]}, [("quiet_hours", False)]),
    ({"quiet_hours": [NIGHT]}, {}, [("quiet_hours", True)]),
    ({"quiet_hours": [NIGHT]}, {"quiet_hours": [LONGER]}, [("quiet_hours", False)]),
    ({"quiet_hours": [LONGER]}, {"quiet_hours": [NIGHT]}, [("quiet_hours", True)]),
    ({"quiet_hours": [NIGHT]}, {"quiet_hours": [IN_BERLIN]}, [("quiet_hours", True)]),
    ({}, {"quiet_hours": [NIGHT, IN_BERLIN]}, [("quiet_hours", False)]),
    ({"quiet_hours": [NIGHT]}, {"office_hours": [DAY]}, [("quiet_hours", False), ("office_hours", False)]),
    ({"office_hours": [DAY]}, {"office_hours": [DAY, LONGER]}, [("office_hours", True)]),
    ({"out_of_hours": "dry_run"}, {"out_of_hours": "approve"}, [("out_of_hours", False)]),
    (
        {"quiet_hours": [NIGHT], "out_of_hours": "dry_run"},
        {"quiet_hours": [NIGHT], "out_of_hours": "approve"},
        [("out_of_hours", True)],
    ),
    (
        {"quiet_hours": [NIGHT], "out_of_hours": "approve"},
        {"quiet_hours": [NIGHT], "out_of_hours": "disabled"},
        [("out_of_hours", False)],
    ),
]


@pytest.mark.parametrize(("before", "after", "expected"), TABLE)
def test_each_edit_says_whether_it_widens(
    before: dict[str, Any], after: dict[str, Any], expected: list[tuple[str, bool]]
) -> None:
    """By what is out of hours before and is not any more."""
    was, now = (msgspec.convert(POLICY | fields, Policy) for fields in (before, after))
    assert [(edit.field, edit.widens) for edit in hours_edits(was, now)] == expected
