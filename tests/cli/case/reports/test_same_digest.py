"""Who else runs the image of a case: what the other cases of its store say."""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.cli.case.reports.same_digest import with_same_digest
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import Answer, Knowledge, Question
from scc_responder.journal.account.case_facts import CaseFacts, NamedContainer
from scc_responder.journal.case import CaseRecord
from tests.journal.account.test_about_target import DIGEST, record


def answer(made: CaseRecord, others: list[CaseRecord]) -> Answer:
    account = with_same_digest(account_of(made), made, others)
    return next(each for each in account.answers if each.question is Question.SAME_DIGEST)


def texts(made: CaseRecord, others: list[CaseRecord]) -> list[str]:
    return [f"{line.name}: {line.text}" for line in answer(made, others).lines]


def test_other_cases_of_the_same_image_are_named() -> None:
    """By its digest, twenty at most; without a digest nobody can tell."""
    made = record(CaseFacts(containers=(NamedContainer(name="app", digest=DIGEST),)))
    pod = {"namespace": "blog", "name": "web-2"}
    other = replace(record(None, images=[DIGEST], pod=pod), finding_key="bb" * 32, category="Reverse Shell")
    assert texts(made, []) == ["answer: no other case of the store names this digest"]
    assert texts(made, [other, record()]) == ["case bbbbbbbbbbbb: Reverse Shell: blog/web-2 in ; open"]
    many = [replace(other, finding_key=f"{number:064x}") for number in range(25)]
    assert texts(made, many)[-1] == "left out: 5 more cases"
    assert answer(record(CaseFacts(node="n")), []).knowledge is Knowledge.UNKNOWN
