"""What asserts on few seconds of the clock on the wall is in `ALONE` or `WAITING` of the Makefile, and runs apart.

Beside others such a test tells how busy the machine is. CPU time, and many seconds, may be asserted on anywhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.shape.mirror import ROOT, TESTS

CLOCKS = frozenset({"monotonic", "perf_counter", "seconds"})
"""Calls that give a moment of the clock on the wall, or what passed since one; `seconds` is a pushed message's."""

MANY = 4.0
"""A bound of this many seconds holds on a busy machine, too."""


def is_clocked(node: ast.AST, names: set[str]) -> bool:
    """Whether an expression reads such a clock, or a name of what was read."""
    calls = {ast.unparse(call.func).rpartition(".")[2] for call in ast.walk(node) if isinstance(call, ast.Call)}
    return bool(calls & CLOCKS) or any(isinstance(part, ast.Name) and part.id in names for part in ast.walk(node))


def clocked_names(function: ast.FunctionDef) -> set[str]:
    """The names of what was read of such a clock, or computed of it."""
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and is_clocked(node.value, names):
            names |= {part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "append":
            names |= {ast.unparse(node.func.value)} if is_clocked(node, names) else set()
    return names


def is_moment(value: ast.expr) -> bool:
    """Whether it is the clock itself, as where something is waited for until a deadline."""
    return isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in CLOCKS - {"seconds"}


def is_many(bound: ast.expr) -> bool:
    """Whether it is a plain number of many seconds."""
    return isinstance(bound, ast.Constant) and isinstance(bound.value, int | float) and bound.value >= MANY


def is_tight(compared: ast.Compare, names: set[str]) -> bool:
    """Whether what passed on such a clock is held to few seconds."""
    sides = [compared.left, *compared.comparators]
    return any(
        isinstance(sign, ast.Lt | ast.LtE) and is_clocked(value, names) and not is_moment(value) and not is_many(bound)
        for value, sign, bound in zip(sides, compared.ops, sides[1:], strict=False)
    )


def tight(source: str) -> Iterator[str]:
    """The functions of a test file that assert on few seconds."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef):
            names = clocked_names(function)
            asserted = [part for node in ast.walk(function) if isinstance(node, ast.Assert) for part in ast.walk(node)]
            if any(isinstance(part, ast.Compare) and is_tight(part, names) for part in asserted):
                yield function.name


def alone() -> tuple[str, ...]:
    """The tests, files and folders that the Makefile runs apart from all others."""
    lists = re.findall(r"^(?:ALONE|WAITING) := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return tuple(" ".join(lists).replace("\\\n", " ").split())


@pytest.mark.parametrize("place", alone())
def test_what_runs_alone_is_there(place: str) -> None:
    """A name that is no test's would let that test run beside others."""
    path, _, name = place.partition("::")
    assert (ROOT / path).exists()
    assert not name or f"def {name}(" in (ROOT / path).read_text()


def test_what_asserts_on_few_seconds_runs_alone() -> None:
    """End-to-end tests apart, which run after all others."""
    texts = {path: path.read_text() for path in sorted(TESTS.rglob("*.py")) if "e2e" not in path.parts}
    clocked = {path: text for path, text in texts.items() if any(f"{clock}(" in text for clock in CLOCKS)}
    found = {f"{path.relative_to(ROOT)}::{name}" for path, text in clocked.items() for name in tight(text)}
    assert len(found) > 10
    assert sorted(place for place in found if not place.startswith(alone())) == []


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("began = time.monotonic(); work(); assert time.monotonic() - began < 2", True),
        ("began = monotonic(); work(); took = monotonic() - began; assert 1 <= took < LONG + 0.5", True),
        ("assert max([push(each).seconds() for each in sound]) < 1.0 + usual", True),
        ("took.append(time.perf_counter() - began); assert median(took) <= 0.5", True),
        ("began = time.monotonic(); work(); assert time.monotonic() - began < 5", False),
        ("began = time.process_time(); work(); assert time.process_time() - began < 0.5", False),
        ("began = time.monotonic(); work(); assert len(found) < 2", False),
        ("until = time.monotonic() + 3; work(); assert time.monotonic() < until", False),
    ],
)
def test_few_seconds_are_seen(body: str, expected: bool) -> None:
    """By the names that hold them as well; neither CPU time nor another number is taken for them."""
    assert [*tight(f"def test_it(): {body}")] == (["test_it"] if expected else [])
