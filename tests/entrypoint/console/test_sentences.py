"""Each answer and each refusal has a sentence that a person understands."""

from __future__ import annotations

import pytest

from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.persons_answer import Heard, Hearing, Verb
from scc_responder.entrypoint.console.sentences import ASKED, refusal_sentence, verdict_sentence


@pytest.mark.parametrize("verb", list(Verb))
@pytest.mark.parametrize("hearing", list(Hearing))
@pytest.mark.parametrize("reason", ["", "approval_used", "no_word_of_this_version"])
def test_each_verdict_is_a_sentence(verb: Verb, hearing: Hearing, reason: str) -> None:
    """Whatever came of it, and also where the function gives a word that nobody here knows."""
    told = verdict_sentence(verb, Heard(hearing=hearing, reason=reason))
    assert told[0].isupper()
    assert told.endswith(".")
    assert verb in ASKED


def test_a_first_of_two_approvals_is_not_told_as_done() -> None:
    """What is noted is not carried out, and says so."""
    told = verdict_sentence(Verb.APPROVE, Heard(hearing=Hearing.TAKEN, reason=Reason.APPROVAL_NOTED))
    assert "Nothing is done until more people approve" in told
    again = verdict_sentence(Verb.APPROVE, Heard(hearing=Hearing.TAKEN, reason=Reason.ALREADY_APPROVED))
    assert "Another listed person" in again


@pytest.mark.parametrize("reason", list(Reason))
def test_each_refusal_says_that_nothing_was_done(reason: Reason) -> None:
    """And why, whichever word it is."""
    told = refusal_sentence(reason)
    assert told.endswith((".", "!"))
    assert len(told) > 20
