"""Nothing is read out of the text of a reason or a message: reasons are words of one module, and errors carry facts."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.shape.mirror import PACKAGE

TEXTS = frozenset({"error", "message", "mode_reason", "reason", "reasons", "refusal", "why"})
"""What an expression that is such a text is called."""

TAKING_APART = frozenset(
    {"endswith", "partition", "removeprefix", "removesuffix", "rpartition", "rsplit", "split", "startswith"}
)
PATTERNS = frozenset({"findall", "finditer", "fullmatch", "match", "search", "sub"})

OWN_WORDS = frozenset({"domain/reasons/__init__.py", "domain/reasons/words.py"})
OTHERS_WORDS = {
    "adapters/kubernetes/api_errors.py": "what an API server answers",
    "adapters/notifiers/slack.py": "what Slack answers",
    "policy/cel_parts.py": "what the library for CEL says of lists that are too long",
    "workbench/policy_files/cel_mistakes.py": "what the library for CEL says of an expression",
    "workbench/policy_files/strict_yaml.py": "what the library for YAML says of a file, on one line",
}
"""Where the text is not the package's own, and what it is instead: it is read there, and nowhere else."""

SAY_WHY = frozenset(
    {
        "AlreadyExists",
        "ApiError",
        "Conflict",
        "Ending",
        "Forbidden",
        "Hold",
        "Identity",
        "LimitDecision",
        "LostLease",
        "NotPossible",
        "OutcomeUnknown",
        "OversizeMessage",
        "PlannedAction",
        "PolicyDecision",
        "RejectedMessage",
        "Result",
        "RetryableError",
        "Settled",
        "Skip",
        "StoreError",
        "StoreOutcomeUnknown",
        "StoreUnavailable",
        "Transition",
        "UnusableResponse",
        "Withheld",
        "done",
        "failed",
    }
)
"""What is made with a reason: `reason=`, or the first argument."""

BY_KEYWORD = frozenset(
    {"Ending", "Identity", "LimitDecision", "PlannedAction", "PolicyDecision", "Result", "Transition"}
)


def _is_text(node: ast.expr) -> bool:
    """Whether the expression is called as a reason or a message is, or is `str` of one."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in TEXTS
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[argument]):
            return _is_text(argument)
    return False


def parsed_texts(tree: ast.AST) -> Iterator[str]:
    """What takes the text of a reason or a message apart, or looks for a part of it."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in TAKING_APART and _is_text(value):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr=name), args=given) if name in PATTERNS and any(map(_is_text, given)):
                yield ast.unparse(node)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[looked_in]) if _is_text(looked_in):
                yield ast.unparse(node)


def literal_reasons(tree: ast.AST) -> Iterator[str]:
    """Reasons that are given as bare text."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        reasons = [keyword.value for keyword in node.keywords if keyword.arg == "reason"] if name in SAY_WHY else []
        if name in SAY_WHY - BY_KEYWORD:
            reasons += node.args[:1]
        yield from (f"{name}: {text}" for reason in reasons for text in _literals(reason))


def _literals(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text
        case ast.JoinedStr():
            yield ast.unparse(node)
        case ast.IfExp(body=body, orelse=other):
            yield from (*_literals(body), *_literals(other))
        case ast.BoolOp(values=values):
            yield from (text for value in values for text in _literals(value))


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text())


def test_no_meaning_is_read_out_of_a_text() -> None:
    """What a reason or an error means, it says by an attribute."""
    found = {name: texts for name, tree in _modules() if (texts := list(parsed_texts(tree)))}
    assert found.keys() - OWN_WORDS == OTHERS_WORDS.keys()


def test_every_reason_is_a_word_of_one_module() -> None:
    """No reason is given as bare text: each is a member of `Reason`, or one that a name completes."""
    found = {name: texts for name, tree in _modules() if (texts := list(literal_reasons(tree)))}
    assert found == {}


PARSED = [
    "reason.startswith('already_')",
    "planned.reason.endswith('_unread')",
    "field, _, text = why.partition(': ')",
    "limit.reason.removeprefix('control_')",
    "'permission' in str(error)",
    "'Warden' not in message",
    "_WHEN.fullmatch(reason)",
    "re.search('x', str(error))",
]


@pytest.mark.parametrize("text", PARSED)
def test_a_text_that_is_parsed_is_noticed(text: str) -> None:
    """The check above can fail."""
    assert list(parsed_texts(ast.parse(text)))


@pytest.mark.parametrize("text", ["reason in {Reason.A}", "name.startswith('a')", "error.reason == Reason.A"])
def test_a_comparison_with_words_is_none(text: str) -> None:
    """To compare with whole words is not to parse."""
    assert not list(parsed_texts(ast.parse(text)))


BARE = [
    "Hold(reason='pod_static')",
    "raise ApiError('invalid_name', 'x')",
    "failed('a' if b else Reason.B)",
    "Settled(beyond or 'c', state)",
    "Skip(f'needs_{name}')",
    "Ending(status=204, reason='swept')",
]


@pytest.mark.parametrize("text", BARE)
def test_a_bare_reason_is_noticed(text: str) -> None:
    """The check above can fail."""
    assert list(literal_reasons(ast.parse(text)))


@pytest.mark.parametrize("text", ["ApiError(Reason.GKE.of('aborted'), 'x')", "Result(status=s, reason=r)", "x('a')"])
def test_a_word_is_no_bare_reason(text: str) -> None:
    """A name that completes a word is a text, and so is a message."""
    assert not list(literal_reasons(ast.parse(text)))
