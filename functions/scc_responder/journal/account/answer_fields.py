"""The twelve answers as a field of a message: short, and nothing in them is active. Pure."""

from __future__ import annotations

from typing import Any

from scc_responder.journal.account.about_acts import about_acts
from scc_responder.journal.account.about_target import about_target
from scc_responder.journal.account.answers import QUESTIONS, Answer, Knowledge
from scc_responder.journal.account.inert_text import inert
from scc_responder.journal.case import CaseRecord

ANSWER_LINES = 12
ANSWER_BYTES = 400
"""Of a line. With the lines above a message grows by less than 70 KB: a topic takes 10 MB, a chat needs few of them."""


def answer_fields(record: CaseRecord) -> dict[str, Any]:
    """`answers`: each question with `lines`, or with `why` it is not known; `more` lines are in `case show`."""
    return {"answers": [_field(answer) for answer in (*about_target(record), *about_acts(record))]}


def _field(answer: Answer) -> dict[str, Any]:
    known = answer.knowledge is Knowledge.KNOWN
    more = len(answer.lines) - ANSWER_LINES
    return {
        "question": answer.question,
        "title": QUESTIONS[answer.question],
        "knowledge": answer.knowledge,
        **({} if known else {"why": inert(answer.why, ANSWER_BYTES)}),
        "lines": [
            {"name": inert(line.name, ANSWER_BYTES), "text": inert(line.text, ANSWER_BYTES)}
            for line in answer.lines[:ANSWER_LINES]
        ],
        **({"more": more} if more > 0 else {}),
    }
