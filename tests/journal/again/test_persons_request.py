"""What a person asks of a case at a desk, and the case as that makes it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec.structs import replace

from scc_responder.domain.status import CaseState
from scc_responder.journal.again.persons_request import as_requested, asked_of, open_for_sweep
from scc_responder.journal.again.reopening import gone_on_with
from scc_responder.journal.case import WordKind
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import PlanState, RequestKind
from tests.journal.again.test_reopening import HELD, LABEL, PLAN, closed
from tests.kits.journal_worlds import START

LATER = START + timedelta(hours=1)


def test_a_case_is_opened_as_it_had_ended() -> None:
    """By the sweep that takes it: as if the person had opened it there. No earlier word counts, nor what was undone."""
    record = with_word(closed(LABEL, HELD, undone=(START, START)), WordKind.REJECTED, "a@example.com", START)
    asked = open_for_sweep(asked_of(record, RequestKind.TRY, LATER))
    assert (asked.steps, asked.word, asked.undone) == (record.steps, record.word, record.undone)
    taken = as_requested(decode(encode(asked)), LATER)
    opened = gone_on_with(record, LATER, by_person=True)
    assert taken == replace(
        opened, state=CaseState.OPEN, reason="resumed_by_person", closed_at=None, undone=(), schema=taken.schema
    )
    assert (taken.word, taken.request, as_requested(taken, LATER)) == (None, None, taken)


def test_what_a_person_says_since_counts() -> None:
    """A case that was opened, and then exempted before a sweep took it, keeps that word."""
    asked = open_for_sweep(asked_of(closed(HELD), RequestKind.TRY, START))
    said = with_word(asked, WordKind.EXEMPTED, "a@example.com", LATER)
    both = asked_of(said, RequestKind.EXEMPTION, LATER)
    assert both.request == asked.request
    assert as_requested(both, LATER).word == said.word


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
    asked = asked_of(closed(HELD, plan=replace(PLAN, state=before)), RequestKind.REVISION, LATER)
    plan = as_requested(asked, LATER).plan
    assert plan is not None
    assert (plan.state, plan.reason) == (state, reason)


def test_a_step_that_is_asked_for_ends_the_plan_before() -> None:
    """It was made for something else."""
    asked = asked_of(closed(HELD, plan=replace(PLAN, state=PlanState.USED)), RequestKind.STEP, LATER)
    plan = as_requested(asked, LATER).plan
    assert plan is not None
    assert (plan.state, plan.reason) == (PlanState.VOID, "approval_void_step_asked")


@pytest.mark.parametrize("state", [CaseState.WAITING, CaseState.OPEN, CaseState.HELD])
def test_an_exempted_case_has_no_plan_that_waits(state: CaseState) -> None:
    """One that is open, or at its end, stays so."""
    waits = with_word(closed(LABEL, plan=PLAN, state=state), WordKind.EXEMPTED, "a@example.com", LATER, "a test")
    ended = as_requested(asked_of(waits, RequestKind.EXEMPTION, LATER), LATER)
    assert ended.plan is not None
    assert (ended.plan.state, ended.plan.by, ended.plan.said) == (PlanState.REJECTED, "a@example.com", "a test")
    assert ended.plan.reason.startswith("exempt:")
    assert ended.state == (CaseState.DONE if state is CaseState.WAITING else state)
