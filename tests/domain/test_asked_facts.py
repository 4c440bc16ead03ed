"""Facts that are read only where a policy asks for them: their names in conditions, and their places in a context."""

from __future__ import annotations

from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.context import Context, LiveLook
from scc_responder.workbench.policy_files import cel_types


def test_each_fact_has_a_place_in_the_context() -> None:
    """Under the name that conditions have for it, and that says why it is missing."""
    for fact in AskedFact:
        kind = LiveLook if fact.startswith("live.") else Context
        assert fact.key in kind.__struct_fields__
        assert fact.partition(".")[0] in cel_types.variables()


def test_what_a_disruption_alone_looks_at_is_no_fact_of_a_condition() -> None:
    """Of the live state a condition has what was asked for, and nothing that takes a whole listing."""
    assert set(cel_types.fields()["LiveLook"]) == {fact.key for fact in AskedFact if fact.startswith("live.")}
