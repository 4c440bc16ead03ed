"""JSON Merge Patch (RFC 7396) for plain JSON and for typed values. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from scc_responder.domain.value import read_json, resolved
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, did_you_mean, written
from scc_responder.workbench.policy_files.type_mistakes import diagnose

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


class PatchError(ValueError):
    """A patch that cannot be merged over a value: `mistakes` say why, by their places in it."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(f"{written(mistake.path)}: {mistake.text}" for mistake in self.mistakes))


def patched(value: _T, patch: Mapping[str, Any]) -> _T:
    """The value with the patch merged over it; null removes.

    Raises PatchError that names other types than the value has, and keys without effect.
    """
    known = read_json(msgspec.json.encode(value), Any)
    merged = merge_patch(known, patch)
    try:
        changed = msgspec.convert(merged, resolved(type(value)))
    except msgspec.ValidationError as error:
        found = [mistake for mistake in diagnose(merged, type(value)) if _is_of(patch, mistake.path)]
        raise PatchError(found or [Mistake(text=str(error))]) from error
    unknown = list(_unknown(patch, msgspec.to_builtins(changed), known, ()))
    if unknown:
        raise PatchError(unknown)
    return changed


def _is_of(patch: Any, path: DocumentPath) -> bool:
    """Whether the place is one that the patch says something about."""
    for part in path:
        if not isinstance(patch, Mapping):
            return True
        if part not in patch:
            return False
        patch = patch[part]
    return True


def _unknown(patch: Any, became: Any, known: Any, path: DocumentPath) -> Iterator[Mistake]:
    """The keys of the patch without effect: misspelt ones, and removals of what is not there."""
    if isinstance(patch, list) and isinstance(became, list | tuple):
        for index, (written, item) in enumerate(zip(patch, became, strict=True)):
            yield from _unknown(written, item, None, (*path, index))
    if not isinstance(patch, Mapping) or not isinstance(became, Mapping):
        return
    before = known if isinstance(known, Mapping) else {}
    for key, value in patch.items():
        place = (*path, key)
        if key not in became and (value is not None or key not in before):
            there = ", ".join(map(str, became)) or "none"
            text = f"there is no such field; there are {there}{did_you_mean(str(key), map(str, became))}"
            yield Mistake(path=place, text=text)
        yield from _unknown(value, became.get(key), before.get(key), place)
