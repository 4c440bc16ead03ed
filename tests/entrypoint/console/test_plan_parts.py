"""A plan on a page: exact, inert, and with what people feel of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import CaseState
from scc_responder.entrypoint.console.plan_parts import ago, has_approved, shown_plan, standing_lines
from scc_responder.journal.plan import Approval, Plan, PlanState, PlanStep
from tests.journal.account.test_about_acts import BARE, step
from tests.kits.account_cases import waiting_case
from tests.kits.hostile_accounts import MARKUP, hidden_in, links_in
from tests.kits.journal_worlds import START

PLAN = Plan(
    digest="ab" * 32,
    policy_digest="",
    steps=(PlanStep(policy="contain", action="cut_ingress"),),
    created_at=START,
    expires_at=START + timedelta(hours=1),
    needed=2,
)


def test_a_plan_says_who_approved_and_how_many_are_missing() -> None:
    """Two are needed: after the first, one more, from somebody else."""
    assert (shown_plan(PLAN, START).missing, shown_plan(PLAN, START).minutes_left) == (2, 60)
    once = replace(PLAN, approvals=(Approval(by="anna@example.com", at=START),))
    assert shown_plan(once, START).missing == 1
    assert "anna[@]example[.]com at" in shown_plan(once, START).given[0]
    assert has_approved(once, "Anna@example.com")
    assert not has_approved(once, "ben@example.com")


def test_a_plan_that_ended_says_how() -> None:
    """Expired by the clock, also before a sweep has said so; rejected, by whom and why."""
    assert shown_plan(PLAN, START).ended == ""
    assert shown_plan(PLAN, START + timedelta(hours=1)).ended == "nobody answered in time"
    rejected = replace(PLAN, state=PlanState.REJECTED, by="anna@example.com", said="a test")
    assert shown_plan(rejected, START).ended == "it is rejected, by anna[@]example[.]com: a test"


@pytest.mark.parametrize("text", MARKUP)
def test_what_an_attacker_writes_into_a_plan_is_inert(text: str) -> None:
    """Names and values of a change, and the names of policy and action."""
    step = PlanStep(policy=text, action=text, changes=({"change": text, text: text, "labels": {text: text}},))
    shown = shown_plan(replace(PLAN, steps=(step,), after=text), START)
    lines = [f"{line.name} {line.text}" for change in shown.steps[0].changes for line in change]
    for told in (shown.after, shown.steps[0].action, shown.steps[0].policy, *lines):
        assert links_in(told) == set()
        assert hidden_in(told) == []


def test_a_real_plan_says_what_users_feel(tmp_path: Path) -> None:
    """A roll-back of Cloud Run: which revision serves then, and that it can be taken back."""
    with waiting_case(tmp_path) as case:
        plan = case.record.plan
    assert plan is not None
    shown = shown_plan(plan, plan.created_at)
    assert [step.action for step in shown.steps] == ["roll_back_service", "cut_ingress"]
    assert "requests go to checkout-00001-abc" in shown.steps[0].felt
    assert all(step.can_be_undone for step in shown.steps)
    assert shown.steps[1].meaning == "Let the service be reached from its own networks alone."


def test_what_stands_is_told_once() -> None:
    """Each act with its target and what is felt of it; what only observes does not stand."""
    isolated = step("create_network_policy", "isolate_pod")
    made = replace(BARE, steps=(step("capture_evidence", "capture_evidence"), isolated, isolated), state=CaseState.DONE)
    (line,) = standing_lines(made)
    assert line.startswith("isolate_pod: create network policy")
    assert line.endswith("; users feel: whoever calls the pod gets no answer, nor does the pod from others")


def test_a_moment_is_told_by_its_distance() -> None:
    """Seconds, then minutes, then the moment itself; never a negative one."""
    assert ago(START, START - timedelta(seconds=9)) == "0 s ago"
    assert ago(START, START + timedelta(seconds=119)) == "119 s ago"
    assert ago(START, START + timedelta(seconds=120)) == "2 min ago"
    assert ago(START, START + timedelta(hours=3)) == f"{START:%Y-%m-%d %H:%M} UTC"
