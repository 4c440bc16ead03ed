"""The lists of the admission policies, as CEL of the guardrails."""

from __future__ import annotations

import pytest

from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.workbench.admission import BEGINS, ENDS, fits, lists, literal, with_lists

RAILS = Guardrails(protected=Protected(namespaces=("kube-*", "shop"), nodes=()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("shop", '"shop"'),
        ('a"\\b', '"a\\"\\\\b"'),
        ("ä", '"\\u00e4"'),
        ("\U0001f600", '"\\U0001f600"'),
        ("\n", '"\\u000a"'),
    ],
)
def test_a_literal_is_printable_ascii(text: str, expected: str) -> None:
    """YAML takes more characters for line ends than CEL does."""
    assert literal(text) == expected


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ([], "false"),
        (["b", "a", "a"], 'x in ["a", "b"]'),
        (["a.b*"], 'x.matches("^(?:a\\\\.b[^/]*)$")'),
        (["a", "?"], 'x in ["a"] || x.matches("^(?:[^/])$")'),
    ],
)
def test_patterns_become_one_expression(patterns: list[str], expected: str) -> None:
    """Words are listed, and patterns are one regular expression."""
    assert fits(patterns, "x") == expected


def test_every_list_has_its_variable() -> None:
    """Nothing protected is written as false; Google's agents are there whatever the file says."""
    found = dict(lists(RAILS))
    assert found["protectedNode"] == "false"
    assert found["protectedNamespace"].startswith('variables.inNamespace in ["shop"]')
    assert found["allowedLabels"] == "[]"
    assert "container-watcher" in found["googleAgent"]


def test_only_the_lists_are_replaced() -> None:
    """What stands around them stays, and a second time changes nothing."""
    text = f"before\n{BEGINS}old\n{ENDS}after\n"
    made = with_lists(text, RAILS)
    assert made.startswith(f"before\n{BEGINS}    - name: protectedNamespace\n      expression: |-\n")
    assert made.endswith(f"{ENDS}after\n")
    assert "old" not in made
    assert with_lists(made, RAILS) == made


@pytest.mark.parametrize("text", ["", BEGINS, ENDS])
def test_a_text_without_a_place_is_refused(text: str) -> None:
    """The lines between which the lists stand are named."""
    with pytest.raises(ValueError, match="are not there"):
        with_lists(text, RAILS)
