"""How far a policy goes at one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.mode import Mode
from scc_responder.policy.decide import decide
from scc_responder.policy.effective_mode import effective_mode
from scc_responder.policy.hours import Day, Hours
from tests.kits.decision_contexts import context
from tests.policy.test_decide import policy_of

MONDAY, SUNDAY = datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
WEEKDAYS = (Day.MON, Day.TUE, Day.WED, Day.THU, Day.FRI)
OFFICE = Hours(start="09:00", end="17:00", days=WEEKDAYS)
NIGHT = Hours(start="22:00", end="06:00")
CASES = [
    pytest.param({}, MONDAY.replace(hour=3), Mode.ENFORCE, id="no-hours"),
    pytest.param({"office_hours": (OFFICE,)}, MONDAY.replace(hour=9), Mode.ENFORCE, id="in-the-office"),
    pytest.param({"office_hours": (OFFICE,)}, MONDAY.replace(hour=17), Mode.DRY_RUN, id="after-work"),
    pytest.param({"office_hours": (OFFICE,)}, SUNDAY.replace(hour=12), Mode.DRY_RUN, id="on-sunday"),
    pytest.param({"office_hours": (OFFICE, NIGHT)}, SUNDAY.replace(hour=23), Mode.ENFORCE, id="in-one-of-two"),
    pytest.param({"quiet_hours": (NIGHT,)}, MONDAY.replace(hour=5), Mode.DRY_RUN, id="at-night"),
    pytest.param({"quiet_hours": (NIGHT,)}, MONDAY.replace(hour=6), Mode.ENFORCE, id="in-the-morning"),
    pytest.param({"quiet_hours": (NIGHT,), "office_hours": (OFFICE,)}, MONDAY.replace(hour=8), Mode.DRY_RUN, id="both"),
    pytest.param({"quiet_hours": (NIGHT,)}, None, Mode.DRY_RUN, id="at-no-known-time"),
    pytest.param(
        {"quiet_hours": (NIGHT,), "out_of_hours": Mode.APPROVE},
        MONDAY.replace(hour=5),
        Mode.APPROVE,
        id="asks-then",
    ),
    pytest.param(
        {"quiet_hours": (NIGHT,), "mode": Mode.DRY_RUN, "out_of_hours": Mode.ENFORCE},
        MONDAY.replace(hour=5),
        Mode.DRY_RUN,
        id="raised-never",
    ),
]


@pytest.mark.parametrize(("fields", "now", "mode"), CASES)
def test_hours_lower_a_mode(fields: dict[str, Any], now: datetime | None, mode: Mode) -> None:
    """Out of hours it goes as far as the policy says for that time, and the reason says so."""
    policy = replace(policy_of(), **{"mode": Mode.ENFORCE, **fields})
    found, reason = effective_mode(policy, context(now=now))
    assert found == mode
    assert reason == ("mode_lowered_by:out_of_hours" if mode != policy.mode else "")
    (decided,) = decide(context(now=now), (policy,)).policies
    assert (decided.mode, decided.mode_reason) == (found, reason)


def test_a_policy_may_be_off_out_of_hours() -> None:
    """Then it does not match at all."""
    policy = replace(policy_of(), mode=Mode.ENFORCE, quiet_hours=(NIGHT,), out_of_hours=Mode.DISABLED)
    (decided,) = decide(context(now=MONDAY), (policy,)).policies
    assert (decided.matched, decided.reason, decided.actions) == (False, "mode_disabled", ())
