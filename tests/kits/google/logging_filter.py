"""The Logging query language, as far as it is used here: parsed strictly, and applied to entries as JSON.

`NOT` binds most closely, then `OR`, then `AND`; comparisons of texts ignore case but for `=~`, a regular
expression; `:` finds a part of a text, and `:*` any value. Values stand in quotes, but for numbers; severities have an
order.
Source: Cloud Logging, "Logging query language".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

Entry = Mapping[str, Any]
Matches = Callable[[Entry], bool]
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<sign>>=|<=|!=|=~|!~|[()=:><])|(?P<word>[A-Za-z0-9_./%@-]+|\*))', re.ASCII
)
_COMPARISONS = frozenset({"=", "!=", ":", ">=", "<=", ">", "<", "=~"})
_FIELDS = re.compile(
    r"resource\.type|resource\.labels\.[a-z_]+|labels\.[a-z_]+|logName|timestamp|severity|insertId|textPayload"
    r"|jsonPayload\.[A-Za-z_.]+"
    r"|protoPayload\.(?:resourceName|methodName|serviceName|authenticationInfo\.(?:principalEmail|principalSubject))"
)
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_SEVERITIES = ("default", "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency")
ANY = "*"


class FilterError(ValueError):
    """What the API would refuse."""


def parse_filter(text: str) -> Matches:
    """Whether an entry matches the filter. Raises FilterError."""
    parser = _Parser(_tokens(text))
    matches = parser.conjunction()
    if parser.left:
        raise FilterError(f"unexpected {parser.left[0][1]!r}")
    return matches


def _tokens(text: str) -> list[tuple[str, str]]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"unreadable at {text[at : at + 20]!r}")
        found.append((match.lastgroup or "", match[match.lastgroup or ""]))
        at = match.end()
    return found


class _Parser:
    """Recursive descent, one method for each level of binding."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.left = tokens

    def conjunction(self) -> Matches:
        parts = [self.disjunction()]
        while self._takes(("word", "AND")):
            parts.append(self.disjunction())
        return lambda entry: all(part(entry) for part in parts)

    def disjunction(self) -> Matches:
        parts = [self.negation()]
        while self._takes(("word", "OR")):
            parts.append(self.negation())
        return lambda entry: any(part(entry) for part in parts)

    def negation(self) -> Matches:
        if self._takes(("word", "NOT")):
            inner = self.negation()
            return lambda entry: not inner(entry)
        if self._takes(("sign", "(")):
            grouped = self.conjunction()
            self._expect(("sign", ")"))
            return grouped
        return self.comparison()

    def comparison(self) -> Matches:
        kind, field = self._next()
        if (kind, field) == ("word", "log_id"):
            return self._log_id()
        if kind != "word" or not _FIELDS.fullmatch(field):
            raise FilterError(f"no field that is known here: {field!r}")
        sign = self._next()[1]
        if sign not in _COMPARISONS:
            raise FilterError(f"no comparison: {sign!r}")
        if sign == ":" and self._takes(("word", ANY)):
            return lambda entry: _read(entry, field) is not None
        if self.left and self.left[0][0] == "word" and _NUMBER.fullmatch(self.left[0][1]):
            number = float(self._next()[1])
            return lambda entry: _compare_numbers(sign, _read(entry, field), number)
        value = self._value()
        if field == "severity" and value.lower() not in _SEVERITIES:
            raise FilterError(f"no severity: {value!r}")
        return lambda entry: _compare(field, sign, _read(entry, field), value)

    def _log_id(self) -> Matches:
        self._expect(("sign", "("))
        ending = "/logs/" + quote(self._value(), safe="")
        self._expect(("sign", ")"))
        return lambda entry: str(entry.get("logName", "")).endswith(ending)

    def _value(self) -> str:
        kind, value = self._next()
        if kind != "text":
            raise FilterError(f"a value in quotes is used here, not {value!r}")
        return re.sub(r"\\(.)", r"\1", value[1:-1])

    def _next(self) -> tuple[str, str]:
        if not self.left:
            raise FilterError("it ends too early")
        return self.left.pop(0)

    def _takes(self, token: tuple[str, str]) -> bool:
        if self.left[:1] != [token]:
            return False
        self.left.pop(0)
        return True

    def _expect(self, token: tuple[str, str]) -> None:
        if not self._takes(token):
            raise FilterError(f"{token[1]!r} is missing")


def _read(entry: Entry, field: str) -> Any:
    value: Any = entry
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _compare(field: str, sign: str, value: Any, wanted: str) -> bool:
    if value is None:
        return sign == "!="
    if field == "timestamp":
        return _ordered(sign, _moment(str(value)), _moment(wanted))
    if sign == "=~":
        return re.search(wanted, str(value)) is not None
    given, asked = str(value).lower(), wanted.lower()
    if field == "severity":
        return _ordered(sign, _SEVERITIES.index(given), _SEVERITIES.index(asked))
    return asked in given if sign == ":" else _ordered(sign, given, asked)


def _compare_numbers(sign: str, value: Any, wanted: float) -> bool:
    return isinstance(value, int | float) and _ordered(sign, float(value), wanted)


def _ordered(sign: str, one: Any, other: Any) -> bool:
    results = {"=": one == other, "!=": one != other, ">=": one >= other, "<=": one <= other, ">": one > other}
    return bool(results.get(sign, one < other))


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise FilterError(f"no time: {text!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
