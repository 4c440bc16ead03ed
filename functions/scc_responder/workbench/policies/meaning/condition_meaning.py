"""What a condition asks that can never hold, always holds, or can never be computed, with a caret below it."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Iterator
from typing import TypeGuard

from scc_responder.workbench.policies.meaning.closed_words import CLOSED_WORDS, form_of_part, value_mistake
from scc_responder.workbench.policies.meaning.contradictions import contradiction
from scc_responder.workbench.policies.meaning.odd_characters import disguised_character
from scc_responder.workbench.policies.meaning.pattern_forms import LABEL_VALUE, key_mistake
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
_AS_PATTERN = {"startsWith": "{}*", "endsWith": "*{}", "contains": "*{}*"}
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
_OF_CLOCK = {
    "getHours": (0, 23),
    "getMinutes": (0, 59),
    "getDate": (1, 31),
    "getMonth": (0, 11),
    "getDayOfWeek": (0, 6),
}
"""What a moment has. Of a length of time, such as `now - pod.creation_time`, there is no end to them."""
_OF_KUBERNETES = frozenset({"Pod", "Namespace", "Node", "WorkloadObject"})
"""Whose labels have Kubernetes' form. Those of Google Cloud may be of letters of any alphabet."""
_FROM = {"getMonth": ", from January", "getDayOfWeek": ", from Sunday"}
_IN_CASE: dict[str, Callable[[str], str]] = {
    "lowerAscii": lambda text: "".join(letter.lower() if letter.isascii() else letter for letter in text),
    "upperAscii": lambda text: "".join(letter.upper() if letter.isascii() else letter for letter in text),
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
    yield from (*_words(part), *_keys(part), *_other_case(part), *_ranges(part), *_arguments(part))


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
        elif remedy := form_of_part(fact.of, fact.name, _AS_PATTERN[part.name].format(text), text):
            yield f"no {fact.name} {part.name} {text!r}; {remedy}"


def _keys(part: Tree) -> Iterator[str]:
    """Keys that no label or annotation has, and values that no label has."""
    named = {"_[_]": (part.parts[:1], part.parts[1:]), "@in": (part.parts[1:], part.parts[:1])}.get(part.name, ((), ()))
    for kept, key in zip(*named, strict=True):
        if kept.of in _OF_KUBERNETES and kept.name in {"labels", "annotations"} and isinstance(key.constant, str):
            yield from filter(None, [key_mistake(key.constant)])
    if part.name in {"_==_", "_!=_"}:
        for fact, value in (part.parts, part.parts[::-1]):
            kept = fact.parts[0] if fact.name == "_[_]" else fact
            of_label = kept is not fact and kept.name == "labels" and kept.of in _OF_KUBERNETES
            text = value.constant if of_label and isinstance(value.constant, str) else ""
            if text and (set("*?") & set(text) or not LABEL_VALUE.may_meet(text)):
                yield f"a label is never {text!r}: its value is at most 63 letters, digits, '-', '_' and '.'"


def _other_case(part: Tree) -> Iterator[str]:
    """Texts in small letters that are compared with capitals, and the other way round."""
    if part.name in {"_==_", "_!=_", *_PART_OF}:
        for fact, value in (part.parts, part.parts[::-1]):
            turned = _IN_CASE.get(fact.name)
            if turned and isinstance(value.constant, str) and turned(value.constant) != value.constant:
                yield f"{fact.name} never gives {value.constant!r}; write {turned(value.constant)!r}"


def _ranges(part: Tree) -> Iterator[str]:
    """Numbers that are compared with what they always, or never, are."""
    if part.name == "@in" and part.parts[1].kind == "list" and (limits := _limits_of(part.parts[0])):
        for item in part.parts[1].parts:
            if _is_number(item.constant) and not limits[0] <= item.constant <= limits[1]:
                yield f"{part.parts[0].name} is never {item.constant}; it is {_range(part.parts[0].name, limits)}"
    if part.name not in _COMPARED:
        return
    for fact, number, name in (
        (part.parts[0], part.parts[1].constant, part.name),
        (part.parts[1], part.parts[0].constant, _TURNED.get(part.name, part.name)),
    ):
        limits = _limits_of(fact)
        if limits and _is_number(number):
            tried = {*limits, *(n for n in (number - 1, number, number + 1) if limits[0] <= n <= limits[1])}
            answers = {_COMPARED[name](n, number) for n in tried}
            if len(answers) == 1:
                holds = "always" if answers.pop() else "never"
                yield f"this {holds} holds: {fact.name} is {_range(fact.name, limits)}"


def _is_number(constant: object) -> TypeGuard[int]:
    return isinstance(constant, int) and not isinstance(constant, bool)


def _limits_of(fact: Tree) -> tuple[int, int] | None:
    """The least and the most that a number may be; None where nothing is known of it."""
    if fact.name in _OF_CLOCK:
        is_moment = len(fact.parts) > 1 or fact.parts[0].kind in _FACTS
        return _OF_CLOCK[fact.name] if is_moment else None
    return _AT_LEAST_0 if fact.name == "size" else _RANGES.get((fact.of, fact.name))


def _range(name: str, limits: tuple[int, int]) -> str:
    least, most = limits
    return f"{least} or more" if limits == _AT_LEAST_0 else f"{least} to {most}{_FROM.get(name, '')}"


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
