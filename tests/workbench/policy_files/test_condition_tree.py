"""A condition as a tree: what the checker understood, part by part."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policy_files.condition_tree import condition_tree, fails_alone, fails_always, holds_always


def test_a_comparison_names_the_fact_and_its_type() -> None:
    """The field, the type that it is of, and the constant beside it."""
    tree = condition_tree('threat.tactic == "TA0006"')
    fact, value = tree.parts
    assert (tree.kind, tree.name) == ("call", "_==_")
    assert (fact.kind, fact.name, fact.of, fact.parts[0].name) == ("select", "tactic", "Threat", "threat")
    assert (value.kind, value.constant, value.at) == ("const", "TA0006", 17)


def test_a_walk_over_a_list() -> None:
    """The list, and what is asked of each item, with the item's type."""
    tree = condition_tree("finding.processes.exists(p, p.pid == 1)")
    selects = [(part.of, part.name) for part in tree.walk() if part.kind == "select"]
    assert (tree.kind, tree.name) == ("comprehension", "p")
    assert selects == [("Finding", "processes"), ("Process", "pid")]


def test_lists_and_numbers() -> None:
    """Constants of every kind keep their type."""
    tree = condition_tree('finding.severity in ["LOW"] && 1.5 < 2.5 && true && finding.connections[0].source_port > 1')
    assert {part.constant for part in tree.walk() if part.constant is not None} >= {"LOW", 1.5, 2.5, True, 0}


@pytest.mark.parametrize(
    ("expression", "constant", "fails", "holds"),
    [
        ("1 / 0 == 1", True, True, None),
        ('duration("1d") < duration("1h")', True, True, None),
        ('duration("24h") > duration("1h")', True, False, True),
        ("1 == 2", True, False, False),
        ("finding.processes.size() > 1", False, True, None),
    ],
)
def test_what_no_fact_is_in(expression: str, constant: bool, fails: bool, holds: bool | None) -> None:
    """It is computed once and for all; what asks for a fact is not constant."""
    tree = condition_tree(expression)
    assert (tree.is_constant, fails_always(expression, tree), holds_always(expression, tree)) == (
        constant,
        fails,
        holds,
    )


def test_no_tree_of_what_is_no_expression() -> None:
    """CEL says what is wrong."""
    with pytest.raises(RuntimeError):
        condition_tree("threat.nam ==")


@pytest.mark.parametrize(("expression", "fails"), [("1 / 0 == 1", True), ("1 +", True), ("1 == 1", False)])
def test_what_fails_alone(expression: str, fails: bool) -> None:
    """What CEL does not take, and what it cannot compute."""
    assert fails_alone(expression) == fails
