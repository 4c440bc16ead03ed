"""Parts of a condition that may hold alone and never together, or of which one always holds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.workbench.policy_files.condition_tree import Tree

Constant = bool | int | float | str


def contradiction(tree: Tree) -> str:
    """What a chain of `&&` asks of one fact that cannot be, or a chain of `||` that must be; empty where nothing."""
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


def _named(tree: Tree, chain: str, comparison: str) -> Iterator[tuple[str, set[Constant]]]:
    """The facts that a chain compares with constants, each with those it is compared with."""
    if tree.name == chain:
        for part in tree.parts:
            yield from _named(part, chain, comparison)
        return
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
