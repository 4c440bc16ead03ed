"""An account as plain text: nothing that an attacker wrote is active in it, and nothing is hidden."""

from __future__ import annotations

from hypothesis import given

from scc_responder.entrypoint.console.account_text import account_text
from scc_responder.journal.account.answers import QUESTIONS
from scc_responder.journal.case import CaseRecord
from tests.kits.hostile_accounts import (
    HOSTILE_CASES,
    THOUSAND,
    account_and_texts,
    addresses,
    hidden_in,
    hostile_records,
    links_in,
    mentions_in,
    missing_from,
)

SHOWN = HOSTILE_CASES  # the end of the run says how many


@THOUSAND
@given(hostile_records())
def test_a_thousand_hostile_cases_are_inert_as_text(made: tuple[CaseRecord, list[str]]) -> None:
    """The only links are the account's own, nobody is mentioned, and each text is there."""
    account, texts = account_and_texts(made)
    text = "\n".join(account_text(account))
    assert links_in(text) <= addresses(account)
    assert mentions_in(text) == []
    assert hidden_in(text) == []
    assert missing_from(text, texts) == []
    assert [title for title in QUESTIONS.values() if f"\n{title}" not in text] == []
