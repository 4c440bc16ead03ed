"""JSON Schemas of the files that people write, made of the types that read them, so that editors check while one types.

Draft 7, which editors understand best: nothing stands beside a `$ref`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec

from scc_responder.actions import Action, actions
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import read_json
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.hours import Day
from scc_responder.policy.match import Severity
from scc_responder.policy.policy_set import OnFailure, Policy
from scc_responder.policy.routes import Routes
from scc_responder.workbench.explanation import ContextFacts
from scc_responder.workbench.policies.cases.case_file import CaseFile, GuardrailsCaseFile
from scc_responder.workbench.policies.cases.case_mistakes import FINDING_WORDS
from scc_responder.workbench.policy_files.policy_scope import PolicyScope
from scc_responder.workbench.policy_files.rule_mistakes import VOCABULARIES
from scc_responder.workbench.policy_files.shipped_pack import ShippedFile
from scc_responder.workbench.policy_files.value_bounds import Bounds, fields_of, types_within

Schema = dict[str, Any]

FILE_KINDS: dict[str, type] = {
    "policy": Policy,
    "test": CaseFile,
    "guardrails": Guardrails,
    "guardrails-test": GuardrailsCaseFile,
    "routes": Routes,
    "scope": PolicyScope,
    "shipped": ShippedFile,
}
"""Each kind of file and what reads it."""

_CHANGED = "Changed"
_WORDS: tuple[type[StrEnum], ...] = (Mode, Severity, OnFailure, Day)
_LENGTH = {"pattern": "^[0-9]{1,6}[smhd]$"}
_SHARE = {"pattern": "^([1-9][0-9]?|100)%$"}
_SCHEMA_TYPES = {int: "integer", str: "string", date: "string", datetime: "string"}


def schema(kind: str) -> Schema:
    """The schema of a kind of file."""
    made = msgspec.json.schema(FILE_KINDS[kind])
    parts = {name: _plain(part) for name, part in made["$defs"].items()}
    for name, change in _CHANGES.items():
        if name in parts:
            change(parts[name])
    written = [FILE_KINDS[kind]]
    if "PolicyStep" in parts:
        parts["PolicyStep"] = _step(parts["PolicyStep"])
        for action in actions().values():
            parts |= _params(action)
            written.append(action.params)
    for each in types_within(*written):
        if each.__name__ in parts:
            _within_bounds(parts[each.__name__], each)
    if "PolicyCase" in parts or "GuardrailsCase" in parts:
        parts |= _changed_parts()
    root = parts.pop(FILE_KINDS[kind].__name__)
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", **root, "$defs": dict(sorted(parts.items()))}
    return read_json(msgspec.json.encode(whole), Schema)


def schema_text(kind: str) -> str:
    """The schema as the text of its file."""
    return msgspec.json.format(msgspec.json.encode(schema(kind)), indent=2).decode() + "\n"


def _plain(part: Any) -> Any:
    """msgspec's schema without what files may not contain: null, and defaults that mean "not given"."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return {"$ref": part["$ref"]}
    made = {key: _plain(value) for key, value in part.items() if (key, value) != ("default", None)}
    if "description" in made and isinstance(made["description"], str):
        made["description"] = _text(made["description"])
    given = [item for item in made.get("anyOf", ()) if item != {"type": "null"}]
    if len(given) == 1:
        return given[0]
    return {**made, "anyOf": given} if given else made


def _within_bounds(part: Schema, kind: type) -> None:
    """What each field of a type is at least and at most, in words where a schema has none."""
    for field in fields_of(kind):
        told = part["properties"][field.written]
        for given, bounds in field.bounds.items():
            branches = (one for one in told.get("anyOf", ()) if one.get("type") == _SCHEMA_TYPES[given])
            next(branches, told).update(_of_bounds(bounds))


def _of_bounds(bounds: Bounds) -> Schema:
    least, most = bounds
    if bounds.kind == "number":
        return {"minimum": least, "maximum": most}
    if bounds.kind == "share":
        return _SHARE
    form = _LENGTH if bounds.kind == "length" else {}
    return {**form, "description": f"{_FORM_SAID[bounds.kind]}: {least} to {most}."}


_FORM_SAID = {"length": "A number and a unit", "day": "A day"}


def _text(docstring: str) -> str:
    """A docstring as one paragraph after another."""
    paragraphs = inspect.cleandoc(docstring).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split("\n")) for paragraph in paragraphs)


def _policy(part: Schema) -> None:
    part["properties"]["then"]["minItems"] = 1
    part["properties"]["when"] = {"allOf": [part["properties"]["when"], {"minProperties": 1}]}


def _match(part: Schema) -> None:
    for name, field in part["properties"].items():
        if name == "labels":
            field |= {"minProperties": 1, "additionalProperties": _patterns()}
        elif name in VOCABULARIES:
            part["properties"][name] = _patterns(VOCABULARIES[name]())
        elif "anyOf" in field:
            part["properties"][name] = _patterns()


def _patterns(words: Iterable[str] = ()) -> Schema:
    """One pattern or several: a known word where there are such, or one with a wildcard."""
    known = list(words)
    text: Schema = {"type": "string", "minLength": 1}
    one = {"anyOf": [{"enum": known}, {"type": "string", "pattern": "[*?]"}]} if known else text
    return {"anyOf": [one, {"type": "array", "minItems": 1, "items": one}]}


def _case(part: Schema) -> None:
    """A case, whose `with` and `given` change a finding and what was read of its target."""
    part["properties"] |= {
        "with": {"$ref": f"#/$defs/{_CHANGED}{Finding.__name__}"},
        "given": {"$ref": f"#/$defs/{_CHANGED}{ContextFacts.__name__}"},
    }


def _in_order(words: type[StrEnum]) -> Callable[[Schema], None]:
    def change(part: Schema) -> None:
        part["enum"] = [str(word) for word in words]

    return change


_CHANGES: dict[str, Callable[[Schema], None]] = {
    "Policy": _policy,
    "Match": _match,
    "PolicyCase": _case,
    "GuardrailsCase": _case,
    **{words.__name__: _in_order(words) for words in _WORDS},
}
"""What the types do not say and their checks do, by the type's name."""


def _step(part: Schema) -> Schema:
    """A step whose `with` is that of its action."""
    known = list(actions())
    part["properties"]["action"] = {
        "oneOf": [{"const": name, "description": _summary(action)} for name, action in actions().items()]
    }
    part["properties"]["needs"]["items"] = {"enum": known}
    part["properties"]["with"] = {"type": "object"}
    part["allOf"] = [
        {
            "if": {"properties": {"action": {"const": name}}, "required": ["action"]},
            "then": {"properties": {"with": {"$ref": f"#/$defs/{action.params.__name__}"}}},
        }
        for name, action in actions().items()
    ]
    return part


def _summary(action: Action) -> str:
    return _text((action.plan.__doc__ or "").partition("\n\n")[0])


def _changed_parts() -> Schema:
    """What may be changed of a finding and of the facts of its target: each of their fields, or null to remove it."""
    parts = {**msgspec.json.schema(Finding)["$defs"], **msgspec.json.schema(ContextFacts)["$defs"]}
    parts = {f"{_CHANGED}{name}": _changeable(_plain(part)) for name, part in parts.items()}
    found = parts[f"{_CHANGED}{Finding.__name__}"]["properties"]
    for field, words in FINDING_WORDS.items():
        found[field] = {"anyOf": [{"enum": list(map(str, words))}, {"type": "null"}]}
    return parts


def _changeable(part: Any) -> Any:
    """A schema of which nothing is required, and everything may be null."""
    if isinstance(part, list):
        return [_changeable(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return {"$ref": part["$ref"].replace("#/$defs/", f"#/$defs/{_CHANGED}")}
    made = {key: _changeable(value) for key, value in part.items() if key not in {"required", "default"}}
    if "properties" in part:
        made["properties"] = {name: _or_null(value) for name, value in part["properties"].items()}
        made["additionalProperties"] = False
    elif isinstance(part.get("additionalProperties"), dict):
        made["additionalProperties"] = _or_null(part["additionalProperties"])
    return made


def _or_null(part: Any) -> Schema:
    return {"anyOf": [_changeable(part), {"type": "null"}]}


def _params(action: Action) -> Schema:
    return {name: _plain(part) for name, part in msgspec.json.schema(action.params)["$defs"].items()}
