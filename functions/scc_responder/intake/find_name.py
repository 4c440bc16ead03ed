"""Find the name of the finding in what cannot be parsed, in bounded time. Pure."""

from __future__ import annotations

import base64

import msgspec

from scc_responder.domain.errors import RejectedMessage
from scc_responder.domain.resource_names import FINDING_PATTERN, FindingName
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import read_json

MAX_PLACES = 1000
"""Places at which a name may stand outside a field that are looked at. Where there are more, none is believed."""

_NAME = FINDING_PATTERN.encode()
_NAME_FIELD = LatePattern(rb'"(?:name|canonicalName|canonical_name)"[ \t\r\n]{0,16}:[ \t\r\n]{0,16}"(' + _NAME + rb')"')
_END = rb"(?![A-Za-z0-9_-])(?!/(?!securityMarks|externalSystems/|[\s\"'\\,;)]|\Z))"
"""After a name: nothing of it, but what stands below a finding may follow, and one slash."""
_ANYWHERE = LatePattern(rb"(?<![A-Za-z0-9_-])" + _NAME + _END)
_IN_A_NAME = b"/findings/"
_BEFORE, _AFTER = 250, 160
"""Bytes of a name before and after `/findings/`, at most, with what tells where it ends."""
_MASKS = (
    (b"\\u002f", b"/"),
    (b"\\u002F", b"/"),
    (b"%2F", b"/"),
    (b"%2f", b"/"),
    (b"%2B", b"+"),
    (b"%3D", b"="),
    (b"%22", b'"'),
)
_AROUND = " \t\r\n/"
"""What may stand around a name in its own field."""
_LINE_BREAKS = (b"\r", b"\n", b"\\r", b"\\n")
_BASE64 = LatePattern(rb"[A-Za-z0-9+/_-]{64,}")
_STANDARD = bytes.maketrans(b"-_", b"+/")
_MOST_WRAPPED = 3
"""Layers of base64 that are opened."""


class _Named(msgspec.Struct):
    name: str | None = None
    canonical_name: str | None = msgspec.field(name="canonicalName", default=None)


class _Enveloped(_Named):
    finding: _Named | None = None


def find_name(data: bytes) -> str | None:
    """The finding's name in a notification that cannot be parsed, or None if it names none or several.

    The one under `finding` is preferred, and the canonical one, by which whoever may read one project's findings may
    read it; other fields are skipped, not built, so that padding costs no memory. Else it is the only name in a field,
    else the only one anywhere. Linear in the length of data.
    """
    return _own_name(data) or _only_name(_legible(data))


def name_unparsed(error: RejectedMessage, data: bytes) -> RejectedMessage:
    """The same error, which says now which finding the data names, and whether it names any."""
    plain = _legible(data)
    error.finding_name = error.finding_name or _own_name(data) or _only_name(plain)
    error.is_about_finding = error.is_about_finding or _IN_A_NAME in plain
    return error


def _own_name(data: bytes) -> str | None:
    """The name in its own field, where the data is JSON that has one."""
    try:
        found = read_json(data, _Enveloped)
    except msgspec.DecodeError:
        return None
    names = (name for named in (found.finding, found) if named for name in (named.canonical_name, named.name) if name)
    return next((name for name in (name.strip(_AROUND) for name in names) if FindingName.parse(name)), None)


def _legible(data: bytes, wrapped: int = 0) -> bytes:
    """The text in which names can stand: without escapes, and taken out of base64 where no name stands outside it."""
    plain = data.replace(b"\0", b"")
    for mask, letter in _MASKS:
        if mask[:1] in plain:  # one letter is found ten times faster than several
            plain = plain.replace(mask, letter)
    for _ in range(_MOST_WRAPPED if b"\\/" in plain else 0):
        plain = plain.replace(rb"\/", b"/")
    if _IN_A_NAME in plain or wrapped == _MOST_WRAPPED:
        return plain
    for line_break in _LINE_BREAKS:
        plain = plain.replace(line_break, b"")
    words = (match[0].translate(_STANDARD) for match in _BASE64.compiled.finditer(plain))
    inner = b"\n".join(base64.b64decode(word[: len(word) - (len(word) % 4 == 1)] + b"==") for word in words)
    return _legible(inner, wrapped + 1) if inner else plain


def _only_name(plain: bytes) -> str | None:
    in_fields = {match[1] for match in _NAME_FIELD.compiled.finditer(plain)}
    names = {name.decode("ascii") for name in in_fields or _names_anywhere(plain)}
    findings = {parsed.key for parsed in map(FindingName.parse, names) if parsed}
    # Of one finding's names, `projects/` is nearest to it, then `organizations/`, then `folders/`.
    return max(names) if len(findings) == 1 else None


def _names_anywhere(data: bytes) -> set[bytes]:
    if data.count(_IN_A_NAME) > MAX_PLACES:
        return set()
    names: set[bytes] = set()
    at = data.find(_IN_A_NAME)
    while at >= 0:
        for match in _ANYWHERE.compiled.finditer(data, max(0, at - _BEFORE), at + _AFTER):
            names.add(match[0])
        at = data.find(_IN_A_NAME, at + 1)
    return names
