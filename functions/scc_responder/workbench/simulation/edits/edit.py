"""One edit of what people wrote: the field, what stood there, what stands there, and whether it can widen. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.value import Value, read_json
from scc_responder.policy.limits import Limit, window
from scc_responder.workbench.policy_files.value_bounds import measured


class Edit(Value, frozen=True, kw_only=True):
    """One field that differs, or one entry of a list: added where nothing stood before, removed where nothing does now.

    `field` is where it stands, such as `protected.namespaces` or `quiet_hours.nights.to`.
    """

    field: str
    before: Any = None
    after: Any = None
    widens: bool


def field_edit(field: str, before: object, after: object, *, widens: bool) -> Iterator[Edit]:
    """The edit of a field, if it differs."""
    if before != after:
        yield Edit(field=field, before=shown_value(before), after=shown_value(after), widens=widens)


def mode_edit(field: str, before: Mode, after: Mode) -> Iterator[Edit]:
    """The edit of a mode, if it differs: one that goes further widens."""
    yield from field_edit(field, before, after, widens=capped(after, before) != after)


def shown_value(item: object) -> Any:
    """A value as JSON data; of an entry what is given, without its name."""
    return _given(read_json(msgspec.json.encode(item), Any))


def _given(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _given(part) for name, part in value.items() if name != "name" and part not in (None, [], {})}


def limit_edits(field: str, before: tuple[Limit, ...], after: tuple[Limit, ...]) -> Iterator[Edit]:
    """The limits that differ: one that is gone widens, unless one that remains leaves no more room."""
    for limit in before:
        if limit not in after:
            widens = not any(as_strict(other, limit) for other in after)
            yield Edit(field=field, before=_limit_text(limit), widens=widens)
    for limit in after:
        if limit not in before:
            yield Edit(field=field, after=_limit_text(limit), widens=False)


def as_strict(limit: Limit, than: Limit) -> bool:
    """Whether a limit allows no more than the other one: as few, in as long a time."""
    if limit.of != than.of or isinstance(limit.most, int) != isinstance(than.most, int):
        return False
    return measured(limit.most) <= measured(than.most) and window(limit) >= window(than)


def _limit_text(limit: Limit) -> str:
    return f"{limit.most} {limit.of} within {limit.within}"
