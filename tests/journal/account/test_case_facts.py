"""What a case keeps of its target is read from its decision as it was written."""

from __future__ import annotations

import msgspec
import pytest

from scc_responder.journal.account.case_facts import CaseFacts, NamedContainer, facts_in


@pytest.mark.parametrize("decision", [{}, {"policy_digest": "p"}, {"facts": {}}])
def test_a_decision_without_facts_has_none(decision: dict[str, object]) -> None:
    """That an earlier version kept, or that is not made yet."""
    assert facts_in(decision) is None


def test_facts_are_read_as_they_were_written() -> None:
    """Fields of a later version are passed over."""
    facts = CaseFacts(pods=("shop/web-1",), containers=(NamedContainer(name="app"),))
    kept = msgspec.to_builtins(facts) | {"newer": 1}
    assert facts_in({"facts": kept}) == facts
