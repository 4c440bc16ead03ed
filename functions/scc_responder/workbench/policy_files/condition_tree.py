"""A checked CEL expression as a tree: what is called on what, of which type, and where it stands in the text.

Source: cel-spec, proto/cel/expr/checked.proto and syntax.proto: the form in which a checked expression is serialized.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scc_responder.domain.value import Value
from scc_responder.policy.cel import compiled, evaluator
from scc_responder.policy.cel_parts import CONSTANTS, EXPRESSION_KINDS, checked_form, serialized_form
from scc_responder.workbench.policy_files import cel_types


class Tree(Value, frozen=True, kw_only=True):
    """One part of an expression. `name` is the function, field or variable; `parts` are what it is asked of.

    `kind` is one of const, ident, select, call, list and comprehension. `of` is the type of the operand of a select.
    A comprehension has two parts: the list that it walks, and what it asks of each item.
    """

    kind: str
    at: int
    name: str = ""
    of: str = ""
    constant: bool | int | float | str | None = None
    parts: tuple[Tree, ...] = ()
    expression: Any = None

    @property
    def is_constant(self) -> bool:
        """Whether no fact is in it, so that it is the same for every finding."""
        return self.kind != "ident" and all(part.is_constant for part in self.parts)

    def walk(self) -> Iterator[Tree]:
        """It and everything in it, from the outside."""
        yield self
        for part in self.parts:
            yield from part.walk()


def condition_tree(expression: str) -> Tree:
    """The tree of an expression that is right. Raises RuntimeError for another."""
    checked = checked_form(cel_types.checker().compile(expression))
    types = {item.key: item.value.record.removeprefix(f"{cel_types.PACKAGE}.") for item in checked.types}
    places = {item.key: item.value for item in checked.source.positions}
    return _tree(checked.expr, types, places)


def fails_always(expression: str, tree: Tree) -> bool:
    """Whether a constant part cannot be computed."""
    from cel_expr_python import cel  # noqa: PLC0415 - only a condition needs it

    return bool(_result(expression, tree).type() == cel.Type.ERROR)


def fails_alone(expression: str) -> bool:
    """Whether an expression without facts is none, or cannot be computed."""
    from cel_expr_python import cel  # noqa: PLC0415 - as above

    try:
        result = compiled(expression).eval(data={})
    except RuntimeError:
        return True
    return bool(result.type() == cel.Type.ERROR)


def holds_always(expression: str, tree: Tree) -> bool | None:
    """Whether a constant part is true or false; None where it is something else."""
    value = _result(expression, tree).value()
    return value if isinstance(value, bool) else None


def _result(expression: str, tree: Tree) -> Any:
    alone = checked_form(cel_types.checker().compile(expression))
    alone.expr.CopyFrom(tree.expression)
    return evaluator().deserialize(serialized_form(alone)).eval(data={})


def _tree(expr: Any, types: dict[int, str], places: dict[int, int]) -> Tree:
    kind = next((name for name in EXPRESSION_KINDS if expr.HasField(name)), "const")
    part = getattr(expr, kind)
    told: dict[str, Any] = {}
    inner: list[Any] = []
    if kind == "const":
        told["constant"] = next((getattr(part, name) for name in CONSTANTS if part.HasField(name)), None)
    elif kind == "ident":
        told["name"] = part.name
    elif kind == "select":
        told |= {"name": part.field, "of": types.get(part.operand.id, "")}
        inner = [part.operand]
    elif kind == "call":
        told["name"] = part.function
        inner = [*([part.target] if part.HasField("target") else []), *part.args]
    elif kind == "list":
        inner = list(part.elements)
    else:
        told["name"] = part.variable
        inner = [part.range, part.step]
    parts = tuple(_tree(item, types, places) for item in inner)
    return Tree(kind=kind, at=places.get(expr.id, 0), parts=parts, expression=expr, **told)
