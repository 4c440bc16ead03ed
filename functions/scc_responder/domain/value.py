"""The one base of all values that the product passes on: frozen, keyword-only, serialisable."""

from __future__ import annotations

from datetime import datetime
from threading import Lock
from typing import Annotated, Any, TypeVar

import msgspec

_T = TypeVar("_T")
AwareDatetime = Annotated[datetime, msgspec.Meta(tz=True)]
"""A time as it is stored, with its zone: without one it would be read as none, and compare with nothing."""
_RESOLVED: set[Any] = set()
_RESOLVING = Lock()


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value. `msgspec.to_builtins` and `msgspec.convert` turn it into JSON data and back."""


class StrictValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that people write by hand: an unknown key is an error."""


def between(least: int | str, most: int | str) -> msgspec.Meta:
    """What a number (`1`), length of time (`30m`), share (`5%`) or day (`2026-03-02`) that people write is at least
    and at most.

    `policy lint` and `bundle` hold it, and editors. A function reads what the last release took as before.
    """
    return msgspec.Meta(extra={BOUNDS: (least, most)})


BOUNDS = "bounds"


def resolved(wanted: type[_T]) -> type[_T]:
    """The type, once msgspec knows all of its fields: what it reads is read as this. Raises TypeError for no type.

    msgspec looks fields up when a type is first used. Where a second thread meets them half known, the process ends
    with a segmentation fault: a new instance that is sent several findings at once would.
    """
    if wanted not in _RESOLVED:
        with _RESOLVING:
            msgspec.json.Decoder(wanted)
            _RESOLVED.add(wanted)
    return wanted


def read_json(content: bytes | str, wanted: type[_T]) -> _T:
    """What JSON says, as this type. Raises msgspec.DecodeError for all else: also no UTF-8, or nested too deeply."""
    try:
        return msgspec.json.decode(content, type=resolved(wanted))
    except (UnicodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from error


ODD = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""How what was read is refused, and whose parts are not what anybody writes there."""


def of_its_types(value: _T) -> _T:
    """The value, once its fields are of their types: it was made of what others wrote. Raises what is in `ODD`."""
    msgspec.convert(msgspec.to_builtins(value), resolved(type(value)))
    return value
