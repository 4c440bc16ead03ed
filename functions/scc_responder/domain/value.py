"""The one base of all values that the product passes on: frozen, keyword-only, serialisable."""

from __future__ import annotations

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable value. `msgspec.to_builtins` and `msgspec.convert` turn it into JSON data and back."""


class StrictValue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A value that people write by hand: an unknown key is an error."""
