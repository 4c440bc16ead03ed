"""What the guardrails say where nobody wrote anything."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from scc_responder.domain.mode import Mode
from scc_responder.policy.guardrails import Guardrails, MaxFindingAge, Protected, QuietHours
from scc_responder.policy.hours import Day
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN


@pytest.mark.parametrize(("reversible", "limit"), [(True, timedelta(hours=24)), (False, timedelta(minutes=30))])
def test_what_cannot_be_undone_ages_sooner(reversible: bool, limit: timedelta) -> None:
    """The shorter limit is that of an action that cannot be undone."""
    assert MaxFindingAge().limit(reversible=reversible) == limit


def test_no_guardrails_enforce_nothing() -> None:
    """Without a file every namespace is protected, and nothing goes further than a dry run."""
    assert (NONE_GIVEN.protected.namespaces, NONE_GIVEN.max_mode) == (("*",), Mode.DRY_RUN)


def test_the_defaults_limit_by_themselves() -> None:
    """Approvals, limits and the breaker need not be written to hold."""
    rails = Guardrails(protected=Protected())
    assert (rails.approval.approvers, rails.approval.needed, rails.storm_breaker.targets) == ((), 1, 10)
    assert rails.limits.namespace[0].most == 3


def test_quiet_hours_are_written_from_and_to() -> None:
    """The file's own words stand for the fields."""
    written = {"name": "night", "from": "22:00", "to": "06:00", "days": ["fri"], "max_mode": "approve"}
    hours = msgspec.convert(written, QuietHours)
    assert (hours.start, hours.end, hours.days) == ("22:00", "06:00", (Day.FRI,))
