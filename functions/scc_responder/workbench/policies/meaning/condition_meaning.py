"""What a condition asks that can never hold, always holds, or can never be computed, with a caret below it."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator

from scc_responder.workbench.policies.meaning.closed_words import CLOSED_WORDS, value_mistake
from scc_responder.workbench.policies.meaning.contradictions import contradiction
from scc_responder.workbench.policies.meaning.odd_characters import disguised_character
from scc_responder.workbench.policies.meaning.pattern_mistakes import NEVER_MATCHES
from scc_responder.workbench.policy_files import cel_types
from scc_responder.workbench.policy_files.cel_mistakes import FUNCTIONS
from scc_responder.workbench.policy_files.condition_tree import (
    Tree,
    condition_tree,
    fails_alone,
    fails_always,
    holds_always,
)
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, expected

_FACTS = frozenset({"select", "ident"})
_LOGIC = frozenset({"_&&_", "_||_", "!_", "_?_:_"})
_HINTS = {
    "duration": "; write hours, minutes and seconds, such as 36h or 10m",
    "timestamp": "; write a whole time, such as 2026-01-01T00:00:00Z",
    "_/_": ": it divides by zero",
    "_%_": ": it divides by zero",
    "int": "; write a whole number",
    "matches": ": it is no regular expression of RE2",
}
_COMPARED: dict[str, Callable[[int, int], bool]] = {
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
    "_==_": operator.eq,
    "_!=_": operator.ne,
}
_TURNED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_"}
_PART_OF: dict[str, Callable[[str, str], bool]] = {
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": operator.contains,
}
_PORT = (1, 65535)
_AT_LEAST_0 = (0, 2**62)
_RANGES = {
    ("Connection", "destination_port"): _PORT,
    ("Connection", "source_port"): _PORT,
    ("ContainerStatus", "restart_count"): _AT_LEAST_0,
    ("DisruptionBudget", "disruptions_allowed"): _AT_LEAST_0,
    ("Workload", "ready"): _AT_LEAST_0,
    ("Workload", "replicas"): _AT_LEAST_0,
    ("Process", "pid"): _AT_LEAST_0,
    ("Process", "user_id"): _AT_LEAST_0,
}


def condition_meaning(expression: str, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with an expression that CEL itself takes. Nothing is said of another: it does not load."""
    try:
        if not expression.strip() or cel_types.checker().compile(expression).return_type().name() != "BOOL":
            return
        tree = condition_tree(expression)
    except (RuntimeError, TypeError):
        return
    told: set[tuple[int, str]] = set()
    for at, text in _found(expression, tree):
        if (at, text) not in told:
            told.add((at, text))
            yield _placed(expression, at, text, path)


def _of_call(part: Tree) -> Iterator[str]:
    if part.name[:1].isalpha() and part.name not in FUNCTIONS:
        yield f"{part.name!r} is none of the functions that a condition may call; {expected(part.name, FUNCTIONS)}"
    yield from (*_words(part), *_ranges(part), *_arguments(part))


def _found(expression: str, tree: Tree) -> Iterator[tuple[int, str]]:
    yield from _constants(expression, tree, decides=True)
    links: set[int] = set()
    for part in tree.walk():
        links |= {id(item) for item in part.parts if item.name == part.name}
        if isinstance(part.constant, str) and (odd := disguised_character(part.constant)):
            yield part.at, odd
        if part.kind == "call" and not part.is_constant:
            yield from ((part.at, text) for text in _of_call(part))
            if id(part) not in links and (text := contradiction(part)):
                yield part.at, text


def _constants(expression: str, tree: Tree, *, decides: bool) -> Iterator[tuple[int, str]]:
    """Parts in which no fact is. `decides`: whether the part is a side of the whole answer, so that it must vary."""
    if not tree.is_constant:
        for part in tree.parts:
            yield from _constants(expression, part, decides=decides and tree.name in _LOGIC)
        return
    computed = any(part.kind == "call" for part in tree.walk())
    if computed and fails_always(expression, tree):
        inner = [part for part in tree.parts if any(item.kind == "call" for item in part.walk())]
        failing = next((part for part in inner if fails_always(expression, part)), None)
        if failing:
            yield from _constants(expression, failing, decides=False)
        else:
            yield tree.at, f"{_shown(tree)} can never be computed{_HINTS.get(tree.name, '')}"
    elif decides and (answer := holds_always(expression, tree)) is not None:
        yield tree.at, f"this is always {str(answer).lower()}: ask for a fact, or remove it"


def _shown(tree: Tree) -> str:
    given = [json.dumps(part.constant) for part in tree.parts if part.constant is not None]
    return f"{tree.name}({', '.join(given)})" if tree.name.isidentifier() and given else "this"


def _words(part: Tree) -> Iterator[str]:
    """Values that a fact never has, where it is compared with them."""
    if part.name in {"_==_", "_!=_"}:
        for fact, value in (part.parts, part.parts[::-1]):
            if fact.kind in _FACTS and isinstance(value.constant, str):
                yield from filter(None, [value_mistake(fact.of, fact.name, value.constant)])
    elif part.name == "@in" and part.parts[1].kind == "select" and isinstance(part.parts[0].constant, str):
        fact, value = part.parts[1], part.parts[0]
        yield from filter(None, [value_mistake(fact.of, fact.name, str(value.constant))])
    elif part.name == "@in" and part.parts[0].kind in _FACTS and part.parts[1].kind == "list":
        fact = part.parts[0]
        values = (item.constant for item in part.parts[1].parts)
        yield from filter(
            None, (value_mistake(fact.of, fact.name, value) for value in values if isinstance(value, str))
        )
    elif part.name in _PART_OF and part.parts[0].kind == "select" and isinstance(part.parts[1].constant, str):
        fact, text = part.parts[0], part.parts[1].constant
        words = CLOSED_WORDS.get((fact.of, fact.name))
        if words and not any(_PART_OF[part.name](word, text) for word in words()):
            yield f"no {fact.name} {part.name} {text!r}; {value_mistake(fact.of, fact.name, text).partition('; ')[2]}"


def _ranges(part: Tree) -> Iterator[str]:
    """Numbers that are compared with what they always, or never, are."""
    if part.name not in _COMPARED:
        return
    for fact, number, name in (
        (part.parts[0], part.parts[1].constant, part.name),
        (part.parts[1], part.parts[0].constant, _TURNED.get(part.name, part.name)),
    ):
        limits = _AT_LEAST_0 if fact.name == "size" else _RANGES.get((fact.of, fact.name))
        if limits and isinstance(number, int) and not isinstance(number, bool):
            tried = {*limits, *(n for n in (number - 1, number, number + 1) if limits[0] <= n <= limits[1])}
            answers = {_COMPARED[name](n, number) for n in tried}
            if len(answers) == 1:
                yield f"this {'always' if answers.pop() else 'never'} holds: {fact.name} is {limits[0]} or more"


def _arguments(part: Tree) -> Iterator[str]:
    """Arguments with which a function can never be computed, whatever it is asked of."""
    last = part.parts[-1].constant if part.parts else None
    if part.name.startswith("get") and len(part.parts) == 2 and isinstance(last, str):
        if fails_alone(f'timestamp("2026-01-01T00:00:00Z").{part.name}({json.dumps(last)})'):
            yield f"{last!r} is no time zone; write an IANA name such as 'Europe/Berlin', or +01:00"
    elif part.name == "matches" and isinstance(last, str) and fails_alone(f'"".matches({json.dumps(last)})'):
        yield f"{last!r} is no regular expression of RE2 (github.com/google/re2)"
    elif part.name == "ip.in_cidr" and isinstance(last, str) and fails_alone(f"ip.in_cidr('::', {json.dumps(last)})"):
        yield f"{last!r} is no network; write its first address and its length, such as 10.0.0.0/8"
    elif part.name in {"_/_", "_%_"} and last == 0:
        yield f"this can never be computed{_HINTS[part.name]}"


def _placed(expression: str, at: int, text: str, path: DocumentPath) -> Mistake:
    before = expression[:at]
    row, column = before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
    line = expression.splitlines()[row - 1]
    return Mistake(
        path=path,
        text=f"column {column}: {text}",
        reason=NEVER_MATCHES,
        row=row,
        detail=f"{line}\n{' ' * (column - 1)}^".replace("\t", " "),
    )
