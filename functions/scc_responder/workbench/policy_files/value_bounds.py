"""Whether numbers, lengths of time and days that people write are within what their fields are for.

The fields say it themselves (`domain.value.between`). Only the desk holds it: a function starts with what the last
release took.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec
from msgspec import inspect

from scc_responder.actions import actions
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.value import BOUNDS
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake

_KINDS: Mapping[type[inspect.Type], type] = {
    inspect.IntType: int,
    inspect.FloatType: float,
    inspect.StrType: str,
    inspect.DateType: date,
    inspect.DateTimeType: datetime,
}
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TOO: Mapping[str, tuple[str, str]] = {
    "number": ("small", "large"),
    "length": ("short", "long"),
    "share": ("small", "large"),
    "day": ("early", "late"),
}


class Bounds(NamedTuple):
    """What a value is at least and at most: two numbers, lengths of time, shares or days."""

    least: int | str
    most: int | str

    @property
    def kind(self) -> str:
        """What it bounds: `number`, `length`, `share` or `day`."""
        text = str(self.most)
        if isinstance(self.most, int):
            return "number"
        return "share" if text.endswith("%") else "day" if _DAY.match(text) else "length"

    def broken_by(self, value: object) -> str:
        """What is wrong with a value, and the bounds; empty where nothing is, or where it has another form."""
        try:
            least, given, most = map(self._measured, (self.least, value, self.most))
        except ValueError:
            return ""
        if least <= given <= most:
            return ""
        return f"{_shown(value)} is too {_TOO[self.kind][given > most]}; write {self.least} to {self.most}"

    def _measured(self, value: object) -> Any:
        if self.kind == "day":
            return _shown(value).strip("'")[:10]
        return measured(value) if isinstance(value, int | float | str) else value


class BoundedField(NamedTuple):
    """A field of a type that people write: its bounds, by what stands there, and whether it takes a value without."""

    name: str
    written: str
    default: Any
    bounds: Mapping[type, Bounds]


def bound_mistakes(value: object, path: DocumentPath = ()) -> Iterator[Mistake]:
    """Every value beyond the bounds of its field, with both. What stands by default is right."""
    if isinstance(value, msgspec.Struct):
        for field in fields_of(type(value)):
            item = getattr(value, field.name)
            bounds = field.bounds.get(type(item))
            told = bounds.broken_by(item) if bounds and item != field.default else ""
            if told:
                yield Mistake(path=(*path, field.written), text=told, reason=OUT_OF_BOUNDS)
            elif not bounds:
                yield from bound_mistakes(item, (*path, field.written))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from bound_mistakes(item, (*path, index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from bound_mistakes(item, (*path, key))


def policy_bound_mistakes(policy: Policy) -> Iterator[Mistake]:
    """Those of a policy, and of what its steps are done `with`."""
    yield from bound_mistakes(policy)
    for index, step in enumerate(policy.then):
        if step.action in actions():
            try:
                yield from bound_mistakes(step.params, ("then", index, "with"))
            except msgspec.ValidationError:  # its reader tells why
                continue


@cache
def fields_of(kind: type) -> tuple[BoundedField, ...]:
    """Every field of a type that people write."""
    described = inspect.type_info(kind)
    fields = described.fields if isinstance(described, inspect.StructType) else ()
    return tuple(
        BoundedField(field.name, field.encode_name, field.default, dict(_bounds(field.type))) for field in fields
    )


def types_within(*kinds: type) -> list[type]:
    """These types that people write, and all that stand in their fields."""
    found: list[type] = []
    waiting: list[inspect.Type] = [inspect.type_info(kind) for kind in kinds]
    while waiting:
        kind = waiting.pop()
        if isinstance(kind, inspect.StructType) and kind.cls not in found:
            found.append(kind.cls)
            waiting += [field.type for field in kind.fields]
        inner = [getattr(kind, name, ()) for name in ("type", "types", "item_type", "value_type")]
        waiting += [one for part in inner for one in (part if isinstance(part, tuple) else (part,))]
    return found


def measured(value: float | str) -> float:
    """A count, a share, or the seconds of a length of time. Raises ValueError for a text that is none.

    >>> measured(3), measured("25%"), measured("2m")
    (3, 25.0, 120.0)
    """
    if not isinstance(value, str):
        return value
    return float(value[:-1]) if value.endswith("%") else parse_duration(value).total_seconds()


def _bounds(kind: inspect.Type) -> Iterator[tuple[type, Bounds]]:
    if isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _bounds(one)
    if isinstance(kind, inspect.Metadata) and kind.extra and BOUNDS in kind.extra:
        yield _KINDS[type(kind.type)], Bounds(*kind.extra[BOUNDS])


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else str(value)


OUT_OF_BOUNDS = "out_of_bounds"
