"""A condition in parts, where its lists are too long for one evaluation: each item of a list is asked on its own.

CEL's library walks 10,000 items in one evaluation, and has no setting for it; 41 processes of 256 arguments are more.
What is joined by `&&`, `||` and `!`, and what `all` and `exists` ask of each item, is the same in parts: an error or
something unknown counts only where no other part decides. Source: cel-spec, langdef.md (logical operators, macros), and
proto/cel/expr/checked.proto and syntax.proto: the form in which a checked expression is serialized.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

OVER_BUDGET = "Iteration budget exceeded"
"""What the library says of a list that is too long."""

MAX_EVALUATIONS = 400
MAX_OVER_BUDGET = 8
"""So often is something asked in parts at most: nested lists of an attacker end as `condition_too_large`."""

_DECIDES = {"_||_": True, "_&&_": False}
"""The value of one part that decides for all, by how they are joined."""

_EXPR = {"const": (3, "Const"), "ident": (4, "Ident"), "select": (5, "Select"), "call": (6, "Call")}
EXPRESSION_KINDS = _EXPR | {"list": (7, "List"), "comprehension": (9, "Comprehension")}
CONSTANTS = {"bool": (2, "bool"), "int": (3, "int"), "double": (5, "double"), "string": (6, "string")}
_PARTS: dict[str, dict[str, tuple[int, str]]] = {
    "Const": CONSTANTS,
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, "Expr"), "field": (2, "string")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "args": (3, "Expr*")},
    "List": {"elements": (1, "Expr*")},
    "Comprehension": {"variable": (1, "string"), "range": (2, "Expr"), "step": (6, "Expr")},
    "Expr": {"id": (2, "int"), **EXPRESSION_KINDS},
    "Type": {"record": (9, "string")},
    "TypeOf": {"key": (1, "int"), "value": (2, "Type")},
    "Position": {"key": (1, "int"), "value": (2, "int32")},
    "Source": {"positions": (4, "Position*")},
    "Checked": {"types": (3, "TypeOf*"), "expr": (4, "Expr"), "source": (5, "Source")},
}
"""The parts of the serialized form that are read here, by field number; the rest is carried along unread."""
_SCALARS = {"double": 1, "int": 3, "int32": 5, "bool": 8, "string": 9}


class ConditionInParts:
    """A compiled condition that is asked in parts, of an environment that evaluates, with facts as plain maps."""

    def __init__(self, compiled: Any, environment: Any) -> None:
        self._compiled = compiled
        self._environment = environment
        self._evaluations = self._over_budget = 0

    def answer(self, facts: Mapping[str, Any]) -> bool | str:
        """Whether the condition holds, or why it cannot be said, `OVER_BUDGET` among it."""
        return self._answer(checked_form(self._compiled).expr, facts)

    def _answer(self, expr: Any, facts: Mapping[str, Any]) -> bool | str:
        call, loop = expr.call, expr.comprehension
        if call.function in _DECIDES:
            return self._joined(call.function, (self._answer(part, facts) for part in call.args))
        if call.function == "!_":
            inner = self._answer(call.args[0], facts)
            return inner if isinstance(inner, str) else not inner
        told = self._evaluated(expr, facts)
        if isinstance(told, bool):
            return told
        if OVER_BUDGET not in told or self._over_budget > MAX_OVER_BUDGET:
            return str(told)
        joined, items = loop.step.call.function, self._evaluated(loop.range, facts) if loop.variable else ""
        if joined not in _DECIDES or not isinstance(items, list):
            return str(told)
        asked = loop.step.call.args[1]
        return self._joined(joined, (self._answer(asked, {**facts, loop.variable: item}) for item in items))

    def _joined(self, how: str, answers: Iterable[bool | str]) -> bool | str:
        decides, why = _DECIDES[how], ""
        for answer in answers:
            if answer is decides or (isinstance(answer, str) and OVER_BUDGET in answer):
                return answer
            why = answer if isinstance(answer, str) and not why else why
        return why or not decides

    def _evaluated(self, expr: Any, facts: Mapping[str, Any]) -> Any:
        """The plain value of a part, or what the library says of it."""
        self._evaluations += 1
        if self._evaluations > MAX_EVALUATIONS:
            self._over_budget = MAX_OVER_BUDGET + 1
            return OVER_BUDGET
        content = expr.SerializeToString()
        named = {name: fact for name, fact in facts.items() if name.encode() in content}
        try:
            value = self._program(content).eval(data=named)
            told = value.value()
            return value.plain_value() if isinstance(told, bool | list) else str(told)
        except (RuntimeError, ValueError, TypeError) as error:
            self._over_budget += OVER_BUDGET in str(error)
            return str(error)

    def _program(self, content: bytes) -> Any:
        alone = checked_form(self._compiled)
        alone.expr.Clear()
        alone.expr.MergeFromString(content)
        return self._environment.deserialize(serialized_form(alone))


def checked_form(compiled: Any) -> Any:
    """The checked form of a compiled expression."""
    from google.protobuf.any_pb2 import Any as AnyMessage  # noqa: PLC0415 - only a condition needs it

    return _checked_type().FromString(AnyMessage.FromString(compiled.serialize()).value)


def serialized_form(checked: Any) -> bytes:
    """The checked form, as the library takes it."""
    from google.protobuf.any_pb2 import Any as AnyMessage  # noqa: PLC0415 - as above

    message = AnyMessage(type_url=_URL, value=checked.SerializeToString())
    return bytes(message.SerializeToString())


_URL = "type.googleapis.com/cel.expr.CheckedExpr"


@cache
def _checked_type() -> Any:
    """The type of the checked form, of the parts that are read."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # noqa: PLC0415 - as above

    file = descriptor_pb2.FileDescriptorProto(name="checked_condition.proto", package="checked", syntax="proto2")
    for name, fields in _PARTS.items():
        message = file.message_type.add(name=name)
        for label, (number, kind) in fields.items():
            plain = kind.rstrip("*")
            field = message.field.add(name=label, number=number, label=3 if kind.endswith("*") else 1)
            field.type = _SCALARS.get(plain, 11)
            if plain not in _SCALARS:
                field.type_name = f".checked.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("checked.Checked"))
