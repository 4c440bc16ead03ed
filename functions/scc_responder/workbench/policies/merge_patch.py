"""JSON Merge Patch (RFC 7396) for plain JSON and for typed values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from scc_responder.domain.value import resolved

_T = TypeVar("_T")


def merge_patch(known: Any, patch: Any) -> Any:
    """The JSON value with the patch merged over it; null removes. Neither is changed.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": None}})
    {'a': 1, 'b': {'d': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(known) if isinstance(known, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merge_patch(kept.get(key), value)
    return kept


def patched(value: _T, patch: Mapping[str, Any]) -> _T:
    """The value with the patch merged over it; null removes. Raises ValueError that names the path of what is wrong."""
    known = msgspec.to_builtins(value)
    try:
        changed = msgspec.convert(merge_patch(known, patch), resolved(type(value)))
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$.", "`")) from error
    unknown = next(_unknown(patch, msgspec.to_builtins(changed), known, ""), None)
    if unknown:
        raise ValueError(unknown)
    return changed


def _unknown(patch: Any, became: Any, known: Any, path: str) -> Iterator[str]:
    """The keys of the patch without effect: misspelt ones, and removals of what is not there."""
    if isinstance(patch, list) and isinstance(became, list | tuple):
        for index, (written, item) in enumerate(zip(patch, became, strict=True)):
            yield from _unknown(written, item, None, f"{path}[{index}]")
    if not isinstance(patch, Mapping) or not isinstance(became, Mapping):
        return
    before = known if isinstance(known, Mapping) else {}
    for key, value in patch.items():
        place = f"{path}.{key}".lstrip(".")
        if key not in became and (value is not None or key not in before):
            yield f"{place}: there is no such field; there are {', '.join(map(str, became)) or 'none'}"
        yield from _unknown(value, became.get(key), before.get(key), place)
