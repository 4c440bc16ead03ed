"""Read single values of a notification, however they were serialised. Nothing here raises on any JSON value.

Absent, null, empty and `*_UNSPECIFIED` values, and the epoch as a time, all mean "not set".
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import Any

import msgspec

from scc_responder.domain.text import MAX_TEXT_BYTES, LatePattern, visible
from scc_responder.domain.value import read_json

_INT64 = 2**63
_MAX_PAIRS = 1000
_NUMBER = LatePattern(r"-?[0-9]{1,19}(?:\.0{1,9})?")
_TIME = LatePattern(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_EARLIEST, _LATEST = datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
# A Gson re-serialiser that copies text instead of JSON leaves its HTML-safe escapes behind.
_GSON = {r"\u003d": "=", r"\u0026": "&", r"\u003c": "<", r"\u003e": ">", r"\u0027": "'"}
_GSON_REACH = len(r"\u003d") * (MAX_TEXT_BYTES + 2)
_GSON_ESCAPE = LatePattern(r"\\u00(?:3[dceDCE]|2[67])")


def mapping(value: object) -> Mapping[str, Any]:
    """An object; also a list of `{key, value}` pairs; anything else (`[]`, null) is an empty one."""
    if isinstance(value, Mapping):
        return value
    if not isinstance(value, list):
        return {}
    pairs = (pair for pair in islice(value, _MAX_PAIRS) if isinstance(pair, Mapping))
    return {pair["key"]: pair.get("value") for pair in pairs if isinstance(pair.get("key"), str)}


def field(record: Mapping[str, Any], name: str) -> Any:
    """The field by its JSON name (`eventTime`), else by its proto name (`event_time`)."""
    value = record.get(name)
    return record.get(_proto_name(name)) if value is None else value


@lru_cache(maxsize=256)
def _proto_name(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)


def part(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The field as an object."""
    return mapping(field(record, name))


def records(value: object) -> list[Mapping[str, Any]]:
    """The objects of a list; anything else is an empty one."""
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def string(value: object) -> str:
    """A string made visible, else the empty string."""
    return visible(value) if isinstance(value, str) and value != "NULL_VALUE" else ""


def text(record: Mapping[str, Any], name: str) -> str:
    """The field as a string."""
    return string(field(record, name))


def strings(value: object, limit: int) -> tuple[str, ...]:
    """The distinct strings of a list that are set, in order, at most `limit`."""
    return distinct(map(string, value), limit) if isinstance(value, list) else ()


def distinct(values: Iterable[str], limit: int) -> tuple[str, ...]:
    """The distinct non-empty strings, in order, at most `limit`."""
    found: dict[str, None] = {}
    for value in values:
        if len(found) == limit:
            break
        if value:
            found[value] = None
    return tuple(found)


def enum(record: Mapping[str, Any], name: str) -> str:
    """The field as the name of an enum value; `*_UNSPECIFIED` means not set."""
    value = text(record, name)
    return "" if value.endswith("_UNSPECIFIED") else value


def json_decoded(value: object) -> str:
    """A string that is documented as "JSON encoded": decoded where it is, otherwise taken as it stands."""
    if not isinstance(value, str):
        return ""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        try:
            return visible(read_json(value, str))
        except msgspec.DecodeError:
            return visible(value)
    return visible(ungson(value))


def ungson(value: str) -> str:
    """The text with the five HTML-safe escapes of Gson undone, for text that was escaped twice.

    Of a text so long that it will be cut, only the part before the cut is kept.
    """
    if "\\u00" not in value:
        return value
    return _GSON_ESCAPE.compiled.sub(lambda match: _GSON[match[0].lower()], value[:_GSON_REACH])


def link(value: object) -> str:
    """An `https` address, else the empty string: nothing else is ever shown as a link."""
    address = visible(ungson(value)) if isinstance(value, str) else ""
    return address if address.startswith("https://") else ""


def integer(value: object) -> int | None:
    """A whole number spelt `3`, `3.0`, `"3"` or `"3.0"` that fits in 64 bits, else None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = int(value.partition(".")[0]) if _NUMBER.fullmatch(value) else None
    if isinstance(value, float):
        value = int(value) if math.isfinite(value) and value.is_integer() else None
    return value if isinstance(value, int) and -_INT64 <= value < _INT64 else None


def flag(value: object) -> bool:
    """True only for JSON `true` and its text."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


def timestamp(value: object) -> datetime | None:
    """A time in UTC cut to milliseconds, from RFC 3339 text with 0 to 9 fraction digits or `{seconds, nanos}`.

    None for anything else, for the epoch's day and for years after 9000: serialisers print them, and year 1, for times
    that are not set.
    """
    try:
        moment = _from_text(value) if isinstance(value, str) else _from_seconds(value)
    except (ValueError, OverflowError):
        return None
    return moment if moment is not None and _EARLIEST <= moment < _LATEST else None


def _from_text(value: str) -> datetime | None:
    if not _TIME.fullmatch(value):
        return None
    moment = datetime.fromisoformat(value.upper()).astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _from_seconds(value: object) -> datetime | None:
    if not isinstance(value, Mapping):
        return None
    seconds, nanos = integer(value.get("seconds")), integer(value.get("nanos") or 0)
    if not seconds or nanos is None or not 0 <= nanos < 10**9:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, milliseconds=nanos // 10**6)
