"""What Cloud Logging makes of a line on standard output, and which entries a filter selects.

Source: Cloud Logging, "Structured logging" (special fields) and "Logging query language": comparisons, `:*` for a field
that is there, NOT before OR before AND. Of the language, only what the module's filters use; anything else is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

Entry = Mapping[str, Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<word>(?:AND|OR|NOT)(?![\w.])|[()])"
    r'|(?P<field>[\w.]+)(?P<op>>=|!=|=|:\*)(?P<value>"[^"]*"|[\w.]+)?)'
)
_SEVERITIES = ("DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY")


def entry(line: str, service: str) -> Entry:
    """The LogEntry of one line that a Cloud Run service printed."""
    payload = json.loads(line)
    return {
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": service}},
        "severity": payload.pop("severity", "DEFAULT"),
        "labels": payload.pop("logging.googleapis.com/labels", {}),
        "trace": payload.pop("logging.googleapis.com/trace", ""),
        "jsonPayload": payload,
    }


def extract(expression: str, found: Entry) -> Any:
    """The value that `EXTRACT(field)` takes from an entry."""
    match = re.fullmatch(r"EXTRACT\(([\w.]+)\)", expression)
    assert match, f"not understood: {expression}"
    return _value(match[1], found)


def selects(expression: str, found: Entry) -> bool:
    """Whether a filter selects an entry."""
    tokens = _tokens(expression)
    selected = _all(tokens, found)
    assert not tokens, f"not understood: {tokens}"
    return selected


def _tokens(expression: str) -> list[re.Match[str]]:
    tokens, position = [], 0
    while position < len(expression.rstrip()):
        match = _TOKEN.match(expression, position)
        assert match, f"not understood: {expression[position:]}"
        tokens.append(match)
        position = match.end()
    return tokens


def _all(tokens: list[re.Match[str]], found: Entry) -> bool:
    selected = _any(tokens, found)
    while tokens and tokens[0]["word"] == "AND":
        tokens.pop(0)
        # The right side is read whatever the left one says.
        selected = _any(tokens, found) and selected
    return selected


def _any(tokens: list[re.Match[str]], found: Entry) -> bool:
    selected = _one(tokens, found)
    while tokens and tokens[0]["word"] == "OR":
        tokens.pop(0)
        selected = _one(tokens, found) or selected
    return selected


def _one(tokens: list[re.Match[str]], found: Entry) -> bool:
    token = tokens.pop(0)
    if token["word"] == "NOT":
        return not _one(tokens, found)
    if token["word"] == "(":
        selected = _all(tokens, found)
        assert tokens.pop(0)["word"] == ")"
        return selected
    return _compared(_value(token["field"], found), token["op"], token["value"], token["field"])


def _value(field: str, found: Entry) -> Any:
    value: Any = found
    for part in field.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _compared(value: Any, operator: str, wanted: str | None, field: str) -> bool:
    if operator == ":*":
        return value is not None
    assert wanted is not None
    if value is None:
        return False
    if field == "severity":
        order = _SEVERITIES.index(value) - _SEVERITIES.index(wanted.strip('"'))
        return order >= 0 if operator == ">=" else (order == 0) is (operator == "=")
    if operator == ">=":
        return float(value) >= float(wanted)
    return (str(value) == wanted.strip('"')) is (operator == "=")
