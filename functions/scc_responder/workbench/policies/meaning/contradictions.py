"""Parts of a condition that may hold alone and never together, or of which one always holds. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

from scc_responder.workbench.policy_files.condition_tree import Tree

Constant = bool | int | float | str
_Range = Callable[[int], tuple[float, float]]
_ANY = (-math.inf, math.inf)
_BOUNDS: Mapping[str, _Range] = {
    "_<_": lambda number: (-math.inf, number - 1),
    "_<=_": lambda number: (-math.inf, number),
    "_>_": lambda number: (number + 1, math.inf),
    "_>=_": lambda number: (number, math.inf),
    "_==_": lambda number: (number, number),
}
"""What a fact is where the comparison with a whole number holds: it is a whole number too."""
_BEYOND: Mapping[str, _Range] = {
    "_<_": _BOUNDS["_>=_"],
    "_<=_": _BOUNDS["_>_"],
    "_>_": _BOUNDS["_<=_"],
    "_>=_": _BOUNDS["_<_"],
    "_!=_": _BOUNDS["_==_"],
}
"""What it is where the comparison does not hold."""
_TURNED = {"_<_": "_>_", "_<=_": "_>=_", "_>_": "_<_", "_>=_": "_<=_", "_==_": "_==_", "_!=_": "_!=_"}


def contradiction(tree: Tree) -> str:
    """What a chain of `&&` asks of one fact that cannot be, or a chain of `||` that must be; empty where nothing."""
    return _never_both(tree) or _never_between(tree)


def _never_between(tree: Tree) -> str:
    if tree.name == "_&&_":
        return _empty_range(_bounds(tree, "_&&_", _BOUNDS))
    told = _empty_range(_bounds(tree, "_||_", _BEYOND)) if tree.name == "_||_" else ""
    return f"this always holds: {told}" if told else ""


def _never_both(tree: Tree) -> str:
    if tree.name == "_&&_":
        allowed: dict[str, set[Constant]] = {}
        for fact, values in _named(tree, "_&&_", "_==_"):
            if fact in allowed and not allowed[fact] & values:
                return f"{fact} is never both {_listed(allowed[fact])} and {_listed(values)}"
            allowed[fact] = allowed.get(fact, values) & values
        for fact, values in _named(tree, "_&&_", "_!=_"):
            if fact in allowed and not allowed[fact] - values:
                return f"{fact} is asked to be {_listed(allowed[fact])}, and not to be"
    if tree.name == "_||_":
        refused: dict[str, set[Constant]] = {}
        for fact, values in _named(tree, "_||_", "_!=_"):
            if fact in refused and not refused[fact] & values:
                either = f"{_listed(refused[fact])} or {_listed(values)}"
                return f"this always holds: {fact} is never both {either}; write &&"
            refused[fact] = refused.get(fact, values) & values
    return ""


def _empty_range(bounds: Iterator[tuple[str, float, float]]) -> str:
    """The fact that would have to be more and less at once; empty where none would."""
    found: dict[str, tuple[float, float]] = {}
    for fact, *both in bounds:
        known = found.get(fact, _ANY)
        least, most = max(both[0], known[0]), min(both[1], known[1])
        if least > most:
            return f"{fact} is never {least} or more and {most} or less at once"
        found[fact] = least, most
    return ""


def _bounds(tree: Tree, chain: str, ranges: Mapping[str, _Range]) -> Iterator[tuple[str, float, float]]:
    """The facts that a chain compares with whole numbers, each with the least and the most that it may be."""
    if tree.name == chain:
        for part in tree.parts:
            yield from _bounds(part, chain, ranges)
    elif tree.name in ranges and len(tree.parts) == 2:
        for (fact, number), name in ((tree.parts, tree.name), (tree.parts[::-1], _TURNED[tree.name])):
            if (named := _fact(fact)) and type(number.constant) is int:
                yield named, *ranges[name](number.constant)


def _named(tree: Tree, chain: str, comparison: str) -> Iterator[tuple[str, set[Constant]]]:
    """The facts that a chain compares with constants, each with those it is compared with."""
    if tree.name == chain:
        for part in tree.parts:
            yield from _named(part, chain, comparison)
        return
    negated = tree.name == "!_"
    if fact := _fact(tree.parts[0] if negated else tree):  # of a fact that is true or false
        yield fact, {negated is (comparison == "_!=_")}
    if tree.kind != "call" or len(tree.parts) != 2:
        return
    one, other = tree.parts
    if tree.name == "@in" and comparison == "_==_" and other.kind == "list":
        values = [item.constant for item in other.parts if item.constant is not None]
        if (fact := _fact(one)) and len(values) == len(other.parts):
            yield fact, set(values)
    elif tree.name == comparison:
        for named, value in ((one, other), (other, one)):
            if (fact := _fact(named)) and value.constant is not None:
                yield fact, {value.constant}


def _fact(tree: Tree) -> str:
    """The fact as it is written; empty for anything that is computed."""
    if tree.kind == "ident":
        return tree.name
    if tree.kind == "select":
        inner = _fact(tree.parts[0])
        return f"{inner}.{tree.name}" if inner else ""
    if tree.name == "_[_]" and tree.parts[1].constant is not None:
        inner = _fact(tree.parts[0])
        return f"{inner}[{tree.parts[1].constant!r}]" if inner else ""
    return ""


def _listed(values: set[Constant]) -> str:
    return " or ".join(sorted(map(repr, values)))
