"""What `when` and `unless` cannot say: a policy's `condition`, one CEL expression over the context.

Missing data never makes one hold, nor its opposite: what is not known is not there, and to ask for it is an error.

    pod.labels["tier"] == "web" && finding.processes.exists(p, p.binary.startsWith("/tmp/"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

import msgspec

from scc_responder import condition_types, finding
from scc_responder.context import Context
from scc_responder.fault import Mistake, Place, expected
from scc_responder.finding import Connection, Finding, Threat
from scc_responder.threats import CONFIDENCES

MAX_BYTES = 2048
HOLDS = "holds"
DIFFERS = "condition_differs"
ERROR = "condition_error"

_KNOWN_EMPTY: dict[type, set[str]] = {Finding: {"contradictions", "truncated"}, Threat: {"raised_by"}}
"""Empty lists that say something. All others in what a finding itself tells mean that it does not tell."""

_ZERO_IS_MISSING: dict[type, set[str]] = {Connection: {"destination_port", "source_port"}}
_MISSING = re.compile(r'(?:No value with name|Key not found in map :) "(\w+)"', re.ASCII)
_FOUND = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDEFINED = re.compile(r"undefined field '(\w+)' not found in struct 'scc\.(\w+)'")
_UNDECLARED = re.compile(r"undeclared reference to '(\w+)[\w.]*' \(in container ''\)")
_RESERVED = re.compile(r"reserved identifier: (\w+)")
_OVERLOAD = re.compile(r"found no matching overload for '(\S+)' applied to '\((.*)\)'")
_PATTERN = re.compile(r"""\.matches\(\s*([rR]?(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))\s*\)""")
_REFUSED = {
    "has": 'what is missing satisfies nothing; ask for the value itself, or for a key: "tier" in pod.labels',
    "dyn": "write the field itself, so that it can be checked",
    "type": "write the field itself, so that it can be checked",
}


class Facts:
    """What is known, as conditions see it: made once for all the policies of a decision. Of no context, nothing."""

    def __init__(self, context: Context | None) -> None:
        self._context = context

    @cached_property
    def activation(self) -> Any:
        """The facts, ready for evaluation."""
        return condition_types.evaluator().Activation(self.known)

    @cached_property
    def known(self) -> dict[str, Any]:
        """Every fact that is known, as maps that lack the others."""
        context = self._context
        if context is None:
            return {}
        known = {
            condition_types.RENAMED.get(name, name): _plain(value)
            for name in context.__struct_fields__
            if name not in condition_types.NOT_TOLD and (value := getattr(context, name)) is not None
        }
        if context.related is None and context.threat.confidence != CONFIDENCES[-1]:
            # A related finding that could not be read might have raised it.
            known["threat"] = {name: value for name, value in known["threat"].items() if name != "confidence"}
        if context.related is None:
            known["threat"].pop("raised_by", None)
        if context.pod is None:
            known.pop("identity", None)
        elif "owner" in context.missing:
            known["pod"].pop("owners", None)
        for name in context.finding.truncated:
            known["finding"].setdefault(name, []).append({})  # of which nothing is known
        return known


def answer(expression: str, facts: Facts) -> str:
    """`HOLDS`, `condition_differs`, or why it cannot be said: `condition_pod_missing`, `condition_error`."""
    try:
        result = compiled(expression).eval(activation=facts.activation)
        value, told = result.value(), str(result.value())
    except (RuntimeError, ValueError, TypeError) as error:  # the library's own for a budget or text it cannot take
        value, told = None, str(error)
    if isinstance(value, bool):
        return HOLDS if value else DIFFERS
    missing = _MISSING.search(told)
    if missing is None:
        return ERROR
    # A key of a map may be the attacker's text: only our own words stand in a reason.
    fact = missing[1] if missing[1] in _names() else "key"
    return f"condition_{fact.removesuffix('_object')}_missing"


@cache
def compiled(expression: str) -> Any:
    """The expression, checked and ready. Raises RuntimeError with CEL's own message; compiled once."""
    checked = condition_types.checker().compile(expression)
    return condition_types.evaluator().deserialize(checked.serialize())


def mistakes(expression: str, path: Place) -> Iterator[Mistake]:
    """Every mistake in an expression, with a caret below its place; none in an empty one."""
    if not expression.strip():
        return
    if len(expression.encode()) > MAX_BYTES:
        yield Mistake(path=path, text=f"{len(expression.encode())} bytes; at most {MAX_BYTES} are allowed: split it up")
        return
    try:
        compiled(expression)
        kind = condition_types.checker().compile(expression).return_type().name()
    except RuntimeError as error:
        yield from _told(expression, str(error), path)
        return
    if kind != "BOOL":
        yield Mistake(path=path, text=f"expected true or false, got {kind.lower()}; compare it with something")
    for pattern in _PATTERN.findall(expression):
        told = answer(f'"".matches({pattern})', Facts(None))
        if told == ERROR:
            yield Mistake(path=path, text=f"{pattern} is no regular expression of RE2 (github.com/google/re2)")


def _told(expression: str, message: str, path: Place) -> Iterator[Mistake]:
    lines = expression.splitlines()
    found = [match for match in _FOUND.finditer(message) if "*error*" not in match[3]]
    for match in found:
        row, column = int(match[1]), int(match[2])
        detail = f"{lines[row - 1]}\n{' ' * (column - 1)}^".replace("\t", " ") if row <= len(lines) else ""
        yield Mistake(path=path, text=f"column {column}: {_mended(match[3])}", row=row, detail=detail)
    if not found:
        text = re.sub(r"^[A-Z_]+: |\[[A-Z_]+\]?$|\[[A-Z_]+$", "", message).strip()
        yield Mistake(path=path, text=f"no CEL expression: {text}")


def _mended(told: str) -> str:
    """CEL's own words, with what could have stood there."""
    undefined, undeclared = _UNDEFINED.search(told), _UNDECLARED.search(told)
    reserved, overload = _RESERVED.search(told), _OVERLOAD.search(told)
    if undefined:
        known = condition_types.fields()[undefined[2]]
        return f"unknown field {undefined[1]!r} of {undefined[2]}; {expected(undefined[1], known)}"
    if undeclared and undeclared[1] in _REFUSED:
        return f"{undeclared[1]!r} is not allowed; {_REFUSED[undeclared[1]]}"
    if undeclared:
        return f"unknown word {undeclared[1]!r}; {expected(undeclared[1], condition_types.variables())}"
    if reserved:
        meant = condition_types.RENAMED.get(reserved[1])
        return f"{reserved[1]!r} is a word of CEL's own{f'; write {meant!r}' if meant else ''}"
    if overload:
        return _uncomparable(overload[1].strip("_@"), overload[2].replace("scc.", "").replace("google.protobuf.", ""))
    return re.sub(r" expecting \{.*| \[[A-Z_]+\]$", "", told)


def _uncomparable(operator: str, kinds: str) -> str:
    told = f"{operator!r} cannot be asked of {kinds.replace(', ', ' and ')}"
    if operator in {"<", "<=", ">", ">="} and "string" in kinds:
        return f'{told}: texts have no order; name them: finding.severity in ["HIGH", "CRITICAL"]'
    if any(name in kinds for name in condition_types.fields()):
        return f"{told}; compare a field of it"
    return f"{told}; both sides must be of one type"


@cache
def _names() -> frozenset[str]:
    return frozenset(condition_types.variables()).union(*condition_types.fields().values())


def _plain(value: Any) -> Any:
    """The value as CEL takes it; None where it is not known."""
    if isinstance(value, msgspec.Struct):
        return _record(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, datetime):
        from google.protobuf.timestamp_pb2 import Timestamp  # noqa: PLC0415 - only a condition needs it

        moment = Timestamp()
        moment.FromDatetime(value)
        return moment
    if isinstance(value, timedelta):
        from google.protobuf.duration_pb2 import Duration  # noqa: PLC0415 - as above

        length = Duration()
        length.FromTimedelta(value)
        return length
    return str(value) if isinstance(value, str) else value


def _record(record: msgspec.Struct) -> dict[str, Any]:
    """The fields of a record that are known: not None, no empty text, nor what else means "not set" in it."""
    kind = type(record)
    unset = kind.__module__ == finding.__name__
    known_empty, zeros = _KNOWN_EMPTY.get(kind, ()), _ZERO_IS_MISSING.get(kind, ())
    known = {}
    for name in kind.__struct_fields__:
        value = getattr(record, name)
        if value is None or value == "" or (unset and value in ((), {}) and name not in known_empty):
            continue
        if value == 0 and name in zeros:
            continue
        known[name] = _plain(value)
    return known
