"""When a policy's error budget is spent: by one wrong act that is final, or wrong cuts in two namespaces."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from scc_responder.guard.trust.error_budget import (
    LAST_VERDICTS,
    ErrorBudget,
    Verdict,
    budget_key,
    overspent,
    with_verdict,
)

START = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
NEW = ErrorBudget(place="projects/p", policy="contain")


def verdict(case: str, *, wrong: bool = True, final: bool = False, namespace: str = "", minutes: int = 0) -> Verdict:
    """What a person said of a case that cut a workload of this namespace off, or did what is final."""
    return Verdict(
        case=case,
        is_wrong=wrong,
        at=START + timedelta(minutes=minutes),
        by="oncall@example.com",
        is_final=final,
        workload=f"Deployment/{case}" if namespace else "",
        namespace=namespace,
    )


def budget(*verdicts: Verdict) -> ErrorBudget:
    made = NEW
    for each in verdicts:
        made = with_verdict(made, each)
    return made


CASES = [
    pytest.param([verdict("a", final=True)], "a wrong act that cannot be undone, in case a", id="one-that-is-final"),
    pytest.param([verdict("a", final=True, wrong=False)], "", id="a-right-one"),
    pytest.param([verdict("a", namespace="shop")], "", id="one-cut"),
    pytest.param([verdict("a", namespace="shop"), verdict("b", namespace="shop")], "", id="two-in-one-namespace"),
    pytest.param(
        [verdict("a", namespace="shop"), verdict("b", namespace="bank")],
        "wrong cuts of two",
        id="in-two-namespaces",
    ),
    pytest.param(
        [verdict("a", namespace="shop"), verdict("b", namespace="bank", wrong=False)], "", id="one-of-two-was-right"
    ),
    pytest.param(
        [verdict("a", namespace="shop"), verdict("b", namespace="bank"), verdict("b", namespace="bank", wrong=False)],
        "",
        id="a-changed-mind",
    ),
    pytest.param([verdict("a"), verdict("b")], "", id="nothing-was-done"),
]


@pytest.mark.parametrize(("verdicts", "why"), CASES)
def test_what_spends_a_budget(verdicts: list[Verdict], why: str) -> None:
    """Only what was wrong and did harm counts, each case by the last word on it."""
    found = overspent(budget(*verdicts))
    assert found.startswith(why)
    assert bool(found) == bool(why)


def test_only_the_last_verdicts_count() -> None:
    """Two hundred later ones push a wrong one out."""
    right = [verdict(f"case-{number}", wrong=False) for number in range(LAST_VERDICTS)]
    assert overspent(budget(verdict("a", final=True), *right[1:]))
    assert overspent(budget(verdict("a", final=True), *right)) == ""


def test_what_was_spent_begins_anew() -> None:
    """A policy that was raised again is not lowered by what lowered it, but by what comes later."""
    raised = replace(budget(verdict("a", final=True)), spent_at=START)
    assert overspent(raised) == ""
    assert overspent(with_verdict(raised, verdict("b", final=True, minutes=1)))


def test_the_same_word_twice_is_one() -> None:
    """It is not even written again; another place or policy has another document."""
    once = budget(verdict("a", final=True))
    assert with_verdict(once, verdict("a", final=True, minutes=9)) is once
    assert len({budget_key("projects/p", "a"), budget_key("projects/p", "b"), budget_key("projects/q", "a")}) == 3
