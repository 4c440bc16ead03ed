"""What a timed exemption holds: one threat on one workload."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.guard.timed.timed_exemptions import TimedExemption, exemption_reason
from tests.kits.decision_contexts import POD, THREAT, context

AT = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DEPLOYMENT = POD.owners[-1].uid
UNREAD_OWNER = {"missing": {"owner": "timeout"}}


def exemption(**fields: str) -> TimedExemption:
    values = {"threat": THREAT.name, "uid": DEPLOYMENT, "case": "0123456789ab", "name": "shop/Deployment/web"}
    return TimedExemption(**{**values, **fields}, reason="r", by="b", at=AT, until=AT)


CASES: list[Any] = [
    pytest.param({}, {}, True, id="the-workload"),
    pytest.param({"uid": POD.uid}, {}, True, id="the-pod"),
    pytest.param({"threat": "another"}, {}, False, id="another-threat"),
    pytest.param({"uid": "another"}, {}, False, id="another-workload"),
    pytest.param({"uid": "another"}, UNREAD_OWNER, True, id="an-unread-owner-may-be-the-workload"),
    pytest.param({"uid": "another", "name": "db/Deployment/web"}, UNREAD_OWNER, False, id="in-another-namespace"),
    pytest.param({}, {"pod": False}, False, id="no-pod"),
]


@pytest.mark.parametrize(("fields", "facts", "holds"), CASES)
def test_an_exemption_is_of_one_threat_and_workload(fields: Any, facts: dict[str, Any], holds: bool) -> None:
    """Another threat, and another workload, are none of its business; the reason names the case that made it."""
    expected = "exempt:0123456789ab" if holds else None
    assert exemption_reason([exemption(**fields)], context(**facts)) == expected
