"""The account of a case: twelve questions, each once, from the stored record alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.answers import Knowledge, Question
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decode, encode
from tests.kits.account_cases import CASES, GOLDEN, contained_case, golden_account
from tests.kits.journal_worlds import START

BARE = CaseRecord(finding_key="0a" * 32, finding_name="f", event_time=START, digest="d")


@pytest.mark.parametrize("name", sorted(CASES))
def test_accounts_of_the_real_pipeline_are_as_they_were_read(name: str, tmp_path: Path) -> None:
    """Contained, waiting and held; `python -m tests.kits.account_cases` writes them anew."""
    with CASES[name](tmp_path) as case:
        assert golden_account(case) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8")


def test_the_stored_record_is_enough(tmp_path: Path) -> None:
    """What is read back from the store has the same account."""
    with contained_case(tmp_path) as case:
        assert account_of(decode(encode(case.record))) == account_of(case.record)


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ({}, "nothing is decided yet"),
        ({"left_out": "too_large"}, "the record was too large to keep it"),
        ({"policy_digest": "p"}, "an earlier version kept the case, without it"),
    ],
    ids=["open", "too-large", "earlier-version"],
)
def test_a_record_without_facts_says_why(decision: dict[str, str], why: str) -> None:
    """All twelve are answered all the same; what ran is not known, and the reason is named."""
    account = account_of(replace(BARE, decision=decision))
    assert [answer.question for answer in account.answers] == list(Question)
    ran = account.answers[0]
    assert (ran.knowledge, ran.why) == (Knowledge.UNKNOWN, why)
    assert all(answer.why for answer in account.answers if answer.knowledge is not Knowledge.KNOWN)
    assert all(answer.lines for answer in account.answers if answer.knowledge is Knowledge.KNOWN)
