"""An account as data: twelve questions, each answered, not known and why, or not asked and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from scc_responder.domain.value import Value
from scc_responder.journal.account.account_links import AccountLink


class Question(StrEnum):
    """What a person asks of a case, in this order."""

    WHAT_RAN = "what_ran"
    WHERE = "where"
    OWNER = "owner"
    SAME_TARGET = "same_target"
    IN_IMAGE = "in_image"
    TALKED_TO = "talked_to"
    IDENTITY = "identity"
    SAME_DIGEST = "same_digest"
    DONE = "done"
    NOT_DONE = "not_done"
    FELT = "felt"
    LEFT_TO_DO = "left_to_do"


QUESTIONS = {
    Question.WHAT_RAN: "What ran",
    Question.WHERE: "Where",
    Question.OWNER: "Who owns it",
    Question.SAME_TARGET: "Is it the same pod or service",
    Question.IN_IMAGE: "Was it in the image",
    Question.TALKED_TO: "What did it talk to",
    Question.IDENTITY: "Which identity it has, and what that did",
    Question.SAME_DIGEST: "Who else runs this image",
    Question.DONE: "What was done, and when",
    Question.NOT_DONE: "What was not done, and why",
    Question.FELT: "What users feel",
    Question.LEFT_TO_DO: "What is left to do, and how to undo it",
}
"""Each question as people read it."""


class Knowledge(StrEnum):
    """How a question is answered."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    """It was asked, and nothing that was read says it."""
    NOT_ASKED = "not_asked"
    """Nobody asked, or it cannot be asked there."""


KNOWLEDGE = {Knowledge.KNOWN: "", Knowledge.UNKNOWN: "not known", Knowledge.NOT_ASKED: "not asked"}
"""How an answer that is none begins."""


class AccountLine(Value, frozen=True, kw_only=True):
    """One fact of an answer: what it is, in our words, and its text, which may be an attacker's."""

    name: str
    text: str


class Answer(Value, frozen=True, kw_only=True):
    """The answer to one question. `why` it is not known, or not asked; empty where it is known.

    `lines` of an answer that is not known say what there is: where evidence has it.
    """

    question: Question
    knowledge: Knowledge = Knowledge.KNOWN
    why: str = ""
    lines: tuple[AccountLine, ...] = ()


class Command(Value, frozen=True, kw_only=True):
    """What a person may type next, and what for. `line` is made of checked parts."""

    line: str
    why: str


class Account(Value, frozen=True, kw_only=True):
    """What is known of one case. `answers` has each question once, in their order."""

    case: str
    category: str
    finding: str
    severity: str
    confidence: str
    state: str
    reason: str
    event_time: datetime
    containment: str = ""
    contained_seconds: float | None = None
    answers: tuple[Answer, ...]
    links: tuple[AccountLink, ...] = ()
    commands: tuple[Command, ...] = ()


def answer_of(question: Question, lines: Iterable[AccountLine], unknown: str) -> Answer:
    """The answer that these lines are; where there are none it is not known, and `unknown` says why."""
    told = tuple(lines)
    if told:
        return Answer(question=question, lines=told)
    return Answer(question=question, knowledge=Knowledge.UNKNOWN, why=unknown)
