"""A case that was held is opened again, by a person alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.guard.resumed_case import opened_by_person, resume
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START


def at_rest(state: CaseState, plan: PlanState | None = None) -> CaseRecord:
    """A case of which a step is held for a choice, with a plan in this state."""
    now = utc_now()
    return CaseRecord(
        finding_key="k",
        finding_name="n",
        event_time=now,
        digest="d",
        state=state,
        reason="held",
        steps=(Step(action_id="a", status=StepStatus.HELD, reason=Reason.SEVERAL_REVISIONS, epoch=1),),
        plan=plan
        and Plan(
            digest="f" * 64,
            policy_digest="p",
            steps=(),
            created_at=now,
            expires_at=now + timedelta(hours=1),
            state=plan,
            reason="approval_rejected" if plan is PlanState.REJECTED else "",
        ),
    )


def test_a_person_opens_a_case_whatever_was_said_before() -> None:
    """No earlier word counts, and what others undid is put back at once."""
    record = replace(at_rest(CaseState.HELD, PlanState.REJECTED), undone=(START, START))
    said = with_word(record, WordKind.UNDONE, "a@example.com", START)
    opened = opened_by_person(said, START + timedelta(hours=1))
    assert (opened.state, opened.reason, opened.word, opened.undone) == ("open", "resumed_by_person", None, ())
    assert opened.plan is None


@pytest.mark.parametrize(
    ("state", "is_held", "revision", "reason"),
    [
        (CaseState.HELD, False, "checkout-2", "resumed_by_person"),
        (CaseState.WAITING, False, "checkout-2", "resumed_by_person"),
        (CaseState.PARTIAL, False, "checkout-2", "resumed_by_person"),
        (CaseState.HELD, True, "checkout-2", "case_in_progress"),
        (CaseState.DONE, False, "checkout-2", "no_choice_awaited"),
        (CaseState.HELD, False, "checkout-2; rm", "invalid_revision"),
        (CaseState.HELD, False, "", "resumed_by_person"),
        (CaseState.REHEARSED, False, "", "resumed_by_person"),
        (CaseState.REJECTED, False, "", "resumed_by_person"),
        (CaseState.HELD, True, "", "case_in_progress"),
        (CaseState.OPEN, False, "", "still_open"),
        (CaseState.WAITING, False, "", "waiting_for_approval"),
        (CaseState.DONE, False, "", "nothing_left"),
    ],
)
def test_a_person_chooses_the_revision(state: CaseState, is_held: bool, revision: str, reason: str) -> None:
    """Of several that may be meant: the case keeps the choice, and is planned anew for that one."""
    came = resume(at_rest(state), is_held, revision, now=utc_now())
    assert (came.reason, came.status) == (reason, 204 if came.record else 409)
    if came.record:
        assert (came.record.state, came.record.revision) == (CaseState.OPEN, revision)


@pytest.mark.parametrize(
    ("before", "state", "reason"),
    [
        (PlanState.USED, PlanState.VOID, "approval_void_revision_chosen"),
        (PlanState.REJECTED, PlanState.VOID, "approval_void_revision_chosen"),
        (PlanState.EXPIRED, PlanState.VOID, "approval_void_revision_chosen"),
        (PlanState.WAITING, PlanState.WAITING, ""),
        (PlanState.VOID, PlanState.VOID, ""),
    ],
)
def test_a_choice_asks_people_anew(before: PlanState, state: PlanState, reason: str) -> None:
    """Whatever they answered to the plan before: it was made without the choice. One that waits is judged later."""
    record = resume(at_rest(CaseState.PARTIAL, before), is_held=False, revision="checkout-2", now=utc_now()).record
    assert record is not None
    assert record.plan is not None
    assert (record.plan.state, record.plan.reason) == (state, reason)
