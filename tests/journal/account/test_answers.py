"""An answer without a line is never one that is known."""

from __future__ import annotations

from scc_responder.journal.account.answers import QUESTIONS, AccountLine, Knowledge, Question, answer_of


def test_an_answer_is_known_by_its_lines() -> None:
    """Without any, it says why not."""
    line = AccountLine(name="answer", text="yes")
    assert answer_of(Question.WHERE, [line], "unread").knowledge is Knowledge.KNOWN
    nothing = answer_of(Question.WHERE, [], "unread")
    assert (nothing.knowledge, nothing.why) == (Knowledge.UNKNOWN, "unread")


def test_people_read_each_question_once() -> None:
    """In the order in which they are answered."""
    assert list(QUESTIONS) == list(Question)
    assert len(set(QUESTIONS.values())) == len(QUESTIONS) == 12
