"""Change typed values as JSON Merge Patch (RFC 7396) does, refusing what the value has no place for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def merged(value: T, patch: Mapping[str, Any]) -> T:
    """The value with the patch merged over it; null removes. Raises ValueError that names the path of what is wrong."""
    known = msgspec.to_builtins(value)
    try:
        changed = msgspec.convert(_merged(known, patch), type(value))
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$.", "`")) from error
    unknown = next(_unknown(patch, msgspec.to_builtins(changed), known, ""), None)
    if unknown:
        raise ValueError(unknown)
    return changed


def _merged(known: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    kept = dict(known) if isinstance(known, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = _merged(kept.get(key), value)
    return kept


def _unknown(patch: Any, became: Any, known: Any, path: str) -> Iterator[str]:
    """What was written and is not in what it became: a key that is spelt wrong, or a removal of what is not there."""
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
