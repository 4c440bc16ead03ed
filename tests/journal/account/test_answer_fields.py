"""A message has the twelve answers: those of the case's account, short, and nothing in them is active."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from msgspec.structs import replace

from scc_responder.domain.text import ascii_json
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answer_fields import ANSWER_BYTES, ANSWER_LINES, answer_fields
from scc_responder.journal.account.answers import Knowledge, Question
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.watch.watch import Look, Watch
from tests.journal.account.test_known_fields import strings
from tests.kits.account_cases import CASES, contained_case
from tests.kits.hostile_accounts import THOUSAND, hidden_in, hostile_records, links_in, mentions_in
from tests.kits.journal_worlds import START


@THOUSAND
@given(hostile_records())
def test_a_thousand_hostile_cases_have_inert_answers(made: tuple[CaseRecord, list[str]]) -> None:
    """No text makes a link, mentions anybody or hides, and a message grows by a bounded size."""
    line = ascii_json(answer_fields(made[0]))
    told = strings(json.loads(line))
    assert [text for text in told if links_in(text) or mentions_in(text) or hidden_in(text)] == []
    assert len(line) < 12 * (ANSWER_LINES + 1) * (2 * ANSWER_BYTES * 6 + 100)


@pytest.mark.parametrize("name", CASES)
def test_the_last_message_answers_as_the_account_does(name: str, tmp_path: Path) -> None:
    """What the record says once the case is closed, the message said in the same words before."""
    with CASES[name](tmp_path) as case:
        message = case.deployment.published.messages[-1]
        account = account_of(case.record)
    answers = {each["question"]: each for each in message["answers"]}
    assert [*answers] == [str(question) for question in Question]
    for answer in account.answers[:8]:
        told = answers[answer.question]
        assert (told["knowledge"], told["title"]) == (answer.knowledge, told["title"])
        assert sorted(line["name"] for line in told["lines"]) == sorted(line.name for line in answer.lines)
        assert ("why" in told) == (answer.knowledge is not Knowledge.KNOWN)


def test_the_message_says_what_was_done(tmp_path: Path) -> None:
    """Up to the step that tells it."""
    with contained_case(tmp_path) as case:
        (message,) = case.deployment.published.messages
    answers: dict[str, Any] = {each["question"]: each for each in message["answers"]}
    done = [line["name"] for line in answers["done"]["lines"]]
    assert {"isolate_pod", "capture_evidence", "containment"} <= {*done}
    assert any("/tmp/kworkerd --config=/tmp/.c" in line["text"] for line in answers["what_ran"]["lines"])


def test_many_lines_are_counted(tmp_path: Path) -> None:
    """A message has the first ones, and says how many more the case has."""
    with contained_case(tmp_path) as case:
        record = replace(case.record, watch=Watch(since=START, looks=(Look(at=START),) * 20))
    (done,) = [each for each in answer_fields(record)["answers"] if each["question"] == "done"]
    (whole,) = [each for each in account_of(record).answers if each.question == "done"]
    assert len(done["lines"]) == ANSWER_LINES
    assert done["more"] == len(whole.lines) - ANSWER_LINES > 0
