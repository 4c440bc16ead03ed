"""Find every mistake in data that does not fit a type, with its place.

Used once `msgspec.convert` has refused the data: it stops at the first mistake, this does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from datetime import date
from functools import cache
from typing import Any

from msgspec import inspect
from msgspec.structs import replace

from scc_responder.domain.value import BOUNDS
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, closest, expected

_type_info = cache(inspect.type_info)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_BOOLEANS = "YAML reads on, off, yes and no as true or false"
_SIMPLE: dict[type[inspect.Type], tuple[type, str]] = {
    inspect.StrType: (str, "a text"),
    inspect.BoolType: (bool, "true or false"),
    inspect.IntType: (int, "a whole number"),
    inspect.FloatType: (float, "a number"),
    inspect.DictType: (dict, "a mapping"),
    inspect.StructType: (dict, "a mapping"),
    inspect.VarTupleType: (list, "a list"),
    inspect.ListType: (list, "a list"),
    inspect.DateType: (date, "a date such as 2026-12-31"),
}


def diagnose(data: Any, wanted: type) -> Iterator[Mistake]:
    """Every mistake in the data, in its order. Empty for what this does not know to be wrong."""
    return _diagnose(data, _type_info(wanted), ())


def repaired(data: Any, wanted: type, mistakes: Iterable[Mistake]) -> Any:
    """The data with mistakes removed and missing values filled in, so that the rest can be checked."""
    kept = deepcopy(data)
    for mistake in mistakes:
        holder = kept
        for part in mistake.path[:-1]:
            holder = holder[part]
        if mistake.path and isinstance(holder, dict):
            holder.pop(mistake.path[-1], None)
    return _filled(kept, _type_info(wanted))


def _filled(data: Any, wanted: inspect.Type) -> Any:
    if isinstance(wanted, inspect.StructType) and isinstance(data, dict):
        kinds = {field.encode_name: field.type for field in wanted.fields}
        missing = {field.encode_name for field in wanted.fields if field.required} - data.keys()
        made = {name: _something(kinds[name]) for name in missing}
        return made | {name: _filled(value, kinds[name]) for name, value in data.items() if name in kinds}
    if isinstance(wanted, inspect.VarTupleType) and isinstance(data, list):
        return [_filled(item, wanted.item_type) for item in data]
    return data


def _something(wanted: inspect.Type) -> Any:
    """A valid value of the type, as a person might write it."""
    if isinstance(wanted, inspect.Metadata):
        return _something(wanted.type)
    if isinstance(wanted, inspect.UnionType):
        return _something(wanted.types[0])
    if isinstance(wanted, inspect.EnumType):
        return next(iter(wanted.cls))
    if isinstance(wanted, inspect.StructType):
        return _filled({}, wanted)
    return _SOME.get(type(wanted))


_SOME: dict[type[inspect.Type], Any] = {
    inspect.StrType: "-",
    inspect.IntType: 1,
    inspect.BoolType: False,
    inspect.VarTupleType: [],
    inspect.DateType: date.max,
}


def _diagnose(data: Any, wanted: inspect.Type, path: DocumentPath) -> Iterator[Mistake]:
    if type(data) is int and _is_share(wanted):
        return iter([Mistake(path=path, text=f"expected a share, {_got(data)}; write {data}%")])
    if isinstance(wanted, inspect.Metadata):
        remedy = (wanted.extra or {}).get("too_small", "")
        return (_with_remedy(mistake, remedy) for mistake in _diagnose(data, wanted.type, path))
    if isinstance(wanted, inspect.UnionType):
        wanted = _meant(data, wanted)
    if isinstance(wanted, inspect.EnumType):
        return _word(data, [str(member) for member in wanted.cls], path)
    if isinstance(wanted, inspect.LiteralType):
        return _word(data, [str(value) for value in wanted.values], path)
    if not _fits(data, wanted):
        return iter([Mistake(path=path, text=_expected_kind(data, wanted))])
    deeper = _DEEPER.get(type(wanted))
    return deeper(data, wanted, path) if deeper else iter(())


def _with_remedy(mistake: Mistake, remedy: str) -> Mistake:
    return replace(mistake, text=f"{mistake.text}; {remedy}") if remedy and "too small" in mistake.text else mistake


def _meant(data: Any, union: inspect.UnionType) -> inspect.Type:
    """The member of the union that is closest to the data; the union itself if none is."""
    words = inspect.EnumType | inspect.LiteralType
    given = [_bare(kind) for kind in union.types if not isinstance(kind, inspect.NoneType)]
    fitting = [
        kind for kind in given if (isinstance(data, str | bool) if isinstance(kind, words) else _fits(data, kind))
    ]
    return fitting[0] if fitting else given[0] if len(given) == 1 else union


def _is_share(kind: inspect.Type) -> bool:
    """Whether nothing but a share such as `5%` is wanted: a number is none, and in quotes it would be none either."""
    if isinstance(kind, inspect.UnionType):
        return all(_is_share(one) for one in kind.types if not isinstance(one, inspect.NoneType))
    bounds = (kind.extra or {}).get(BOUNDS, ("",)) if isinstance(kind, inspect.Metadata) else ("",)
    return str(bounds[0]).endswith("%")


def _bare(kind: inspect.Type) -> inspect.Type:
    """The type without what is said about it: bounds and the like."""
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _fits(data: Any, wanted: inspect.Type) -> bool:
    if isinstance(wanted, inspect.UnionType):
        return False
    kind = _SIMPLE.get(type(wanted), (object, ""))[0]
    if isinstance(data, bool):
        return kind in {bool, object}
    if kind is date and isinstance(data, str):
        return bool(_DATE.fullmatch(data))
    return isinstance(data, int | float if kind is float else kind)


def _word(data: Any, words: list[str], path: DocumentPath) -> Iterator[Mistake]:
    if data in words:
        return
    if isinstance(data, bool):
        told = f"got {str(data).lower()}, expected one of {', '.join(words)}; {_BOOLEANS}"
    elif isinstance(data, str):
        told = f"unknown value {data!r}; {expected(data, words)}"
    else:
        told = f"{_got(data)}, expected one of {', '.join(words)}"
    yield Mistake(path=path, text=told)


def _struct(data: dict[str, Any], wanted: inspect.StructType, path: DocumentPath) -> Iterator[Mistake]:
    fields = {field.encode_name: field for field in wanted.fields}
    missing = [name for name, field in fields.items() if field.required and name not in data]
    for name, value in data.items():
        if name in fields:
            yield from _diagnose(value, fields[name].type, (*path, name))
        elif wanted.forbid_unknown_fields:
            meant = _deeper(name, fields.values()) or closest(name, missing) or closest(name, fields)
            missing = [other for other in missing if other != meant]
            yield Mistake(path=(*path, name), text=_unknown(fields, meant))
    for name in missing:
        yield Mistake(path=(*path, name), text=f"missing; {_wanted(fields[name].type)}")


def _deeper(name: str, fields: Iterable[inspect.Field]) -> str:
    """Where the field belongs, if the mistake is only its indentation."""
    for field in fields:
        if isinstance(field.type, inspect.StructType) and name in {inner.encode_name for inner in field.type.fields}:
            return f"{field.encode_name}.{name}"
    return ""


def _unknown(fields: Iterable[str], meant: str) -> str:
    known = ", ".join(fields)
    suggested = f"; did you mean {meant!r}?" if meant else ""
    return f"unknown field; expected one of {known}{suggested}" if known else "unknown field; none is expected here"


def _wanted(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.EnumType):
        return f"add it, one of {', '.join(str(member) for member in kind.cls)}"
    return f"add it, {_name(kind)}"


def _mapping(data: dict[str, Any], wanted: inspect.DictType, path: DocumentPath) -> Iterator[Mistake]:
    for key, value in data.items():
        yield from _diagnose(value, wanted.value_type, (*path, key))


def _list(data: list[Any], wanted: inspect.VarTupleType | inspect.ListType, path: DocumentPath) -> Iterator[Mistake]:
    for index, value in enumerate(data):
        yield from _diagnose(value, wanted.item_type, (*path, index))


def _number(data: int, wanted: inspect.IntType, path: DocumentPath) -> Iterator[Mistake]:
    if wanted.ge is not None and data < wanted.ge:
        yield Mistake(path=path, text=f"{data} is too small; expected at least {wanted.ge}")
    if wanted.le is not None and data > wanted.le:
        yield Mistake(path=path, text=f"{data} is too large; expected at most {wanted.le}")


_DEEPER: dict[type[inspect.Type], Callable[[Any, Any, DocumentPath], Iterator[Mistake]]] = {
    inspect.StructType: _struct,
    inspect.DictType: _mapping,
    inspect.VarTupleType: _list,
    inspect.ListType: _list,
    inspect.IntType: _number,
}


def _expected_kind(data: Any, wanted: inspect.Type) -> str:
    told = f"expected {_name(wanted)}, {_got(data)}"
    if data is None:
        return f"{told}; write it, or remove the key"
    if isinstance(data, bool):
        return f"{told}; {_BOOLEANS}; put a text in quotes"
    if "a text" in told and isinstance(data, int | float):
        return f"{told}; put it in quotes"
    if "a list" in told and isinstance(data, dict):
        return f"{told}; begin each item with '- '"
    if isinstance(data, str) and isinstance(wanted, inspect.StructType):
        first = next((field.encode_name for field in wanted.fields if field.required), "")
        return f"{told}; write '{first}: ...'" if first else told
    return told


def _name(wanted: inspect.Type) -> str:
    if isinstance(wanted, inspect.UnionType):
        return " or ".join(_name(_bare(kind)) for kind in wanted.types if not isinstance(kind, inspect.NoneType))
    if isinstance(wanted, inspect.VarTupleType | inspect.ListType):
        items = {inspect.StrType: " of texts", inspect.StructType: " of mappings"}
        return f"a list{items.get(type(wanted.item_type), '')}"
    return _SIMPLE.get(type(wanted), (object, "another value"))[1]


def _got(data: Any) -> str:
    if data is None:
        return "got nothing"
    if isinstance(data, bool):
        return f"got {str(data).lower()}"
    if isinstance(data, dict | list):
        return f"got a {'mapping' if isinstance(data, dict) else 'list'}"
    shown = str(data)[:100]
    return f"got the text {shown!r}" if isinstance(data, str) else f"got the number {shown}"
