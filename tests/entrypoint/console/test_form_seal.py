"""The token of a form: good for one person, browser, answer and case as shown, for 15 minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.entrypoint.console.form_seal import GOOD_FOR, FormSeal, made_at, stand_of
from scc_responder.entrypoint.console.persons_answer import Person, Verb
from scc_responder.journal.case import CaseRecord, PersonsMark
from scc_responder.journal.plan import Approval, Plan, PlanState
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START

SEAL = FormSeal(b"k" * 32)
ANNA = Person(name="anna@example.com", session="one")
PLAN = Plan(digest="ab" * 32, policy_digest="", steps=(), created_at=START, expires_at=START + timedelta(hours=1))
RECORD = CaseRecord(
    finding_key="0a" * 32, finding_name="f", event_time=START, digest="d", state=CaseState.WAITING, plan=PLAN
)
STEP = Step(action_id="1", action="isolate_pod", status=StepStatus.DONE)


@pytest.mark.parametrize("verb", list(Verb))
def test_a_form_is_good_until_its_time_is_over(verb: Verb) -> None:
    """From the moment it is made, for a quarter of an hour."""
    token = SEAL.token(ANNA, verb, RECORD, START)
    assert made_at(token) == START
    assert SEAL.refused(token, ANNA, verb, RECORD, START) is None
    assert SEAL.refused(token, ANNA, verb, RECORD, START + GOOD_FOR - timedelta(seconds=2)) is None
    assert SEAL.refused(token, ANNA, verb, RECORD, START + GOOD_FOR + timedelta(seconds=1)) is Reason.FORM_TOO_OLD
    assert SEAL.refused(token, ANNA, verb, RECORD, START - timedelta(minutes=1)) is Reason.FORM_TOO_OLD


@pytest.mark.parametrize("verb", list(Verb))
def test_a_form_is_good_for_what_it_was_made_for_alone(verb: Verb) -> None:
    """Another person's, another browser's, another answer's, another case's, another console's: forged."""
    token, other = SEAL.token(ANNA, verb, RECORD, START), next(one for one in Verb if one is not verb)
    for person in (replace(ANNA, name="ben@example.com"), replace(ANNA, session="two")):
        assert SEAL.refused(token, person, verb, RECORD, START) is Reason.FORM_FORGED
    assert SEAL.refused(token, ANNA, other, RECORD, START) is Reason.FORM_FORGED
    assert SEAL.refused(token, ANNA, verb, replace(RECORD, finding_key="0b" * 32), START) is Reason.FORM_FORGED
    assert FormSeal(b"j" * 32).refused(token, ANNA, verb, RECORD, START) is Reason.FORM_FORGED


@pytest.mark.parametrize(
    ("verb", "after"),
    [
        (Verb.APPROVE, replace(RECORD, plan=replace(PLAN, state=PlanState.USED))),
        (Verb.APPROVE, replace(RECORD, plan=replace(PLAN, digest="cd" * 32))),
        (Verb.APPROVE, replace(RECORD, plan=replace(PLAN, approvals=(Approval(by="ben@example.com", at=START),)))),
        (Verb.REJECT, replace(RECORD, plan=None)),
        (Verb.UNDO, replace(RECORD, steps=(STEP,))),
        (Verb.REHEARSE_UNDO, replace(RECORD, steps=(STEP,))),
        (Verb.RESUME, replace(RECORD, state=CaseState.OPEN)),
        (Verb.RESUME, replace(RECORD, epoch=2)),
        (Verb.MARK_WRONG, replace(RECORD, mark=PersonsMark(is_wrong=True, by="ben@example.com", at=START))),
        (Verb.MARK_RIGHT, replace(RECORD, epoch=2)),
    ],
)
def test_a_form_is_stale_once_the_case_is_another(verb: Verb, after: CaseRecord) -> None:
    """Also a form that was taken: its answer has changed the case, so that it is not taken twice."""
    token = SEAL.token(ANNA, verb, RECORD, START)
    assert SEAL.refused(token, ANNA, verb, after, START) is Reason.FORM_STALE
    assert stand_of(RECORD, verb) != stand_of(after, verb)


@given(st.one_of(st.text(max_size=130), st.from_regex(r"[0-9]{1,12}\.[0-9a-f]{32}\.[0-9a-f]{64}", fullmatch=True)))
def test_no_text_is_a_token_by_chance(token: str) -> None:
    """Whatever somebody types, it is refused, and nothing raises."""
    assert SEAL.refused(token, ANNA, Verb.APPROVE, RECORD, START) is Reason.FORM_FORGED


@given(st.integers(0, 110), st.sampled_from("0123456789abcdef."))
def test_a_changed_token_is_forged(place: int, letter: str) -> None:
    """One digit of the time, of what it is about or of the seal is enough."""
    token = SEAL.token(ANNA, Verb.APPROVE, RECORD, START)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    expected = None if changed == token else Reason.FORM_FORGED
    assert SEAL.refused(changed, ANNA, Verb.APPROVE, RECORD, START) is expected
