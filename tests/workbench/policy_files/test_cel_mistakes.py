"""A wrong condition is told in words for its author."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policy_files.cel_mistakes import FUNCTIONS, MAX_EXPRESSION_BYTES, condition_mistakes

WRONG = [
    (" ", "empty"),
    ("x" * (MAX_EXPRESSION_BYTES + 1), "split it up"),
    ("pod.nam == 'x'", "did you mean 'name'?"),
    ("pd.name == 'x'", "unknown word 'pd'"),
    ("pod.name.lowerASCII() == 'x'", "did you mean 'lowerAscii'?"),
    ("cidr(pod.name)", "one of"),
    ("has(pod.name)", "'has' is not allowed"),
    ("dyn(pod.name) == 'x'", "'dyn' is not allowed"),
    ("namespace.name == 'x'", "write 'namespace_object'"),
    ("pod.name < 'x'", "texts have no order"),
    ("pod == pod", "compare a field of it"),
    ("pod.name == 7", "both sides must be of one type"),
    ("pod.name", "expected true or false, got string"),
    ("pod.name ==", "column"),
    ("pod.name.matches('(')", "is no regular expression of RE2"),
    ("\ud800", "no text that can be read"),
]


@pytest.mark.parametrize(("expression", "told"), WRONG)
def test_a_wrong_expression_says_what_to_write(expression: str, told: str) -> None:
    """In the policy's own terms, and not in those of the library alone."""
    texts = [mistake.text for mistake in condition_mistakes(expression, ("condition",))]
    assert any(told in text for text in texts), texts


@pytest.mark.parametrize("expression", ["size(pod.name) == 1" + "+1" * 40, "(" * 60 + "pod.ready" + ")" * 60])
def test_what_is_too_deep_says_what_to_do(expression: str) -> None:
    """The library's own words for it repeat themselves, and name no way out."""
    (mistake,) = condition_mistakes(expression, ("condition",))
    assert mistake.text == "nested too deeply, or one chain too long: split it up"


def test_a_mistake_marks_its_column() -> None:
    """The line is shown with a caret below the place."""
    mistake = next(condition_mistakes("pod.name == 'a' &&\npod.nam == 'b'", ("condition",)))
    line, caret = mistake.detail.splitlines()
    assert (mistake.row, line, line[caret.index("^")]) == (2, "pod.nam == 'b'", ".")


@pytest.mark.parametrize(
    "expression", ["pod.namespace == 'shop'", "pod.name.matches(r'web-\\d+')", "'x' in pod.labels"]
)
def test_a_right_expression_has_no_mistake(expression: str) -> None:
    """What can be asked is not refused."""
    assert list(condition_mistakes(expression, ("condition",))) == []


@pytest.mark.parametrize(("function", "example"), FUNCTIONS.items())
def test_each_function_is_shown_by_an_example(function: str, example: str) -> None:
    """What the reference lists can be written, and the example calls it."""
    assert list(condition_mistakes(example, ("condition",))) == []
    assert f"{function}(" in example
