"""A person asks for a step: which ones may be asked for, and how the case stands then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.persons_request import as_requested
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import AskedStep, Plan, PlanState
from scc_responder.journal.step import Step
from scc_responder.workbench.request_for_step import ask_for

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ASKED = AskedStep(policy="contain", action="delete_pod", reason="limit_owner", by="me", said="real", at=NOW)


def record(
    reason: str = "limit_owner", *, status: StepStatus = StepStatus.HELD, mode: str = "enforce", **fields: Any
) -> CaseRecord:
    """A case whose deletion ended so, by a policy in this mode."""
    values = {"finding_key": "k", "finding_name": "n", "event_time": NOW, "digest": "d", "state": CaseState.HELD}
    step = Step(action_id="a", policy="contain", action="delete_pod", status=status, reason=reason, epoch=1)
    answers = {"policies": [{"name": "contain", "matched": True, "mode": mode}]}
    return CaseRecord(**{**values, "steps": (step,), "decision": answers, **fields})


def plan(state: PlanState) -> Plan:
    return Plan(digest="d", policy_digest="p", steps=(), created_at=NOW, expires_at=NOW + timedelta(1), state=state)


TAKEN = {
    "a limit": record("limit_namespace"),
    "a breaker": record("storm_breaker"),
    "its age": record("finding_too_old"),
    "in a part of a case": record(state=CaseState.PARTIAL),
    "a policy that asks": record(mode="approve"),
    "after an answered plan": record(plan=plan(PlanState.USED)),
    "again, once its plan expired": record("approval_expired", asked=ASKED, plan=plan(PlanState.EXPIRED)),
}


@pytest.mark.parametrize("case", TAKEN.values(), ids=TAKEN)
def test_what_number_or_age_held_may_be_asked_for(case: CaseRecord) -> None:
    """The case is open for a sweep, knows who asks for what; an earlier plan counts no more once it is taken."""
    came = ask_for(case, False, action="delete_pod", by="me", said="real", now=NOW)
    assert (came.reason, came.status, came.starts) == ("asked_by_person", 204, False)
    opened = came.record
    assert opened is not None
    assert opened.asked is not None
    assert (opened.state, opened.reason, opened.asked.policy) == (CaseState.OPEN, "resumed_by_person", "contain")
    assert (opened.plan, opened.steps) == (case.plan, case.steps)
    taken = as_requested(opened, NOW)
    assert taken.plan is None or taken.plan.state is PlanState.VOID


REFUSED = {
    "protection": (record("namespace_protected"), "no_step_to_ask_for"),
    "identity": (record("pod_replaced"), "no_step_to_ask_for"),
    "the switch": (record("mode_lowered_by:control"), "no_step_to_ask_for"),
    "an exemption": (record("exempt:0123456789ab"), "no_step_to_ask_for"),
    "an expired plan that nobody asked for": (record("approval_expired"), "no_step_to_ask_for"),
    "a step that is done": (record(status=StepStatus.DONE), "no_step_to_ask_for"),
    "another step": (record(steps=()), "no_step_to_ask_for"),
    "a policy that only rehearses": (record(mode="dry_run"), "no_step_to_ask_for"),
    "a plan that waits": (record(state=CaseState.WAITING, plan=plan(PlanState.WAITING)), "plan_waits"),
    "an open case": (record(state=CaseState.OPEN), "still_open"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_a_rule_holds_is_not_asked_for(case: CaseRecord, reason: str) -> None:
    """Neither is what is done, or what is being worked on; nothing is stored then."""
    came = ask_for(case, False, action="delete_pod", by="me", said="real", now=NOW)
    assert (came.reason, came.status, came.record) == (reason, 409, None)


def test_a_case_that_is_worked_on_is_refused() -> None:
    """Its holder would lose it."""
    assert ask_for(record(), True, action="delete_pod", by="me", said="real", now=NOW).reason == "case_in_progress"
