"""A case that was held is opened again, by a person alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.guard.resumed_case import resume
from scc_responder.journal.again.persons_request import asked_of
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import PersonsRequest, Plan, PlanState, RequestKind
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


def test_a_case_is_only_asked_to_be_tried_again() -> None:
    """Its steps, its plan and the word that was said before are as they were: the next sweep opens it."""
    record = with_word(at_rest(CaseState.HELD, PlanState.REJECTED), WordKind.UNDONE, "a@example.com", START)
    asked = resume(record, False, now=START).record
    assert asked is not None
    assert (asked.state, asked.reason, asked.steps, asked.plan) == (
        "open",
        "resumed_by_person",
        record.steps,
        record.plan,
    )
    assert asked.request == PersonsRequest(kind=RequestKind.TRY, at=START, state=CaseState.HELD, reason="held")


def test_what_is_asked_for_is_done_before_more_is() -> None:
    """An exempted case ends first."""
    record = asked_of(at_rest(CaseState.HELD), RequestKind.EXEMPTION, START)
    assert resume(record, False, now=START).reason == "case_in_progress"
    assert resume(replace(record, state=CaseState.OPEN), False, now=START).reason == "still_open"


@pytest.mark.parametrize(
    ("state", "is_held", "reason"),
    [
        (CaseState.HELD, False, "resumed_by_person"),
        (CaseState.REHEARSED, False, "resumed_by_person"),
        (CaseState.REJECTED, False, "resumed_by_person"),
        (CaseState.HELD, True, "case_in_progress"),
        (CaseState.OPEN, False, "still_open"),
        (CaseState.WAITING, False, "waiting_for_approval"),
        (CaseState.DONE, False, "nothing_left"),
    ],
)
def test_a_person_has_a_case_tried_again(state: CaseState, is_held: bool, reason: str) -> None:
    """Whatever end it came to but `done`, and while nobody works on it."""
    came = resume(at_rest(state), is_held, now=utc_now())
    assert (came.reason, came.status) == (reason, 204 if came.record else 409)
    if came.record:
        assert came.record.state is CaseState.OPEN
