"""Decode JSON as it arrives, with what re-publishers and editors do to it. Pure."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.reasons import Reason

_MAX_DIGITS = 400
"""Of a whole number: longer ones take time that grows with their square, and mean nothing here."""

_AROUND = "\ufeff\0 \t\r\n"
"""What editors and C programs put before and after a document."""


def decode_json(data: bytes) -> Any:
    """The JSON value. Raises RejectedMessage `not_json`, `too_deep`.

    Byte order marks, control characters, lone surrogates, broken UTF-8, NaN and endless numbers are accepted: an
    attacker could add them to hide a threat.
    """
    try:
        return msgspec.json.decode(data)
    except RecursionError as error:
        raise RejectedMessage(Reason.TOO_DEEP) from error
    except (msgspec.DecodeError, UnicodeError):
        return _decode_leniently(data)


def plain_json(data: bytes) -> bytes:
    """The same value as strict JSON. Raises as `decode_json`."""
    try:
        return json.dumps(_decode_leniently(data), ensure_ascii=False).encode(errors="replace")
    except RecursionError as error:
        raise RejectedMessage(Reason.TOO_DEEP) from error


def _decode_leniently(data: bytes) -> Any:
    try:
        text = data.decode(json.detect_encoding(data), "replace").strip(_AROUND)
        return json.loads(text, parse_int=_integer, parse_float=_finite, parse_constant=_unset, strict=False)
    except RecursionError as error:
        raise RejectedMessage(Reason.TOO_DEEP) from error
    except ValueError as error:
        raise RejectedMessage(Reason.NOT_JSON) from error


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def _finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _unset(_constant: str) -> None:
    """NaN and Infinity say nothing."""
