"""Conditions are compared by the parts that must all hold, and as a whole where that is not clear."""

from __future__ import annotations

import pytest

from scc_responder.workbench.simulation.edits.condition_parts import condition_parts, holds_less_often


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("a", ["a"]),
        ("a &&\n  b", ["a", "b"]),
        ("a  ==  b && c", ["a == b", "c"]),
        ("(a && b) && c", ["(a && b)", "c"]),
        ("x.exists(p, p.a && p.b) && c", ["c", "x.exists(p, p.a && p.b)"]),
        ('a == "b && c" && d', ['a == "b && c"', "d"]),
        (r'a == "\" && " && d', [r'a == "\" && "', "d"]),
        (r"a.matches(r'\') && d", [r"a.matches(r'\')", "d"]),
        ("a && b || c", ["a && b || c"]),
        ("a && b ? c : d", ["a && b ? c : d"]),
        ("a // b && c", ["a // b && c"]),
        ('a == """b""" && c', ['a == """b""" && c']),
    ],
)
def test_what_the_outermost_and_joins(expression: str, parts: list[str]) -> None:
    """Texts and brackets are never taken apart."""
    assert sorted(condition_parts(expression)) == parts


@pytest.mark.parametrize(
    ("before", "after", "less"),
    [
        ("", "a", True),
        ("a", "", False),
        ("", "", True),
        ("a", "a && b", True),
        ("a", "b && a", True),
        ("a && b", "a", False),
        ("a", "a || b", False),
        ("a || b", "a", False),
        ("a || b", "(a || b) && c", False),
        ("a", "a && b || c", False),
        ("a && b", "b  &&  a", True),
    ],
)
def test_what_holds_less_often(before: str, after: str, less: bool) -> None:
    """A part more holds less often; for anything else that is not known."""
    assert holds_less_often(before, after) is less
