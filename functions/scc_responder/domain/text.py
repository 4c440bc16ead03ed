"""Make text that an attacker can write safe to show, once, at the boundary.

Source of the classes: Unicode 15 (`Cc`, bidirectional controls of UAX 9, noncharacters, surrogates).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, AnyStr, Generic


class LatePattern(Generic[AnyStr]):
    """A regular expression that is compiled at its first use: a start pays for none of the patterns it does not need.

    Letters, digits and blanks are those of ASCII, unless `flags` says otherwise: names and addresses have no others.

    >>> LatePattern(r"[a-z]+").fullmatch("pod") is not None
    True
    """

    def __init__(self, pattern: AnyStr, flags: int = re.ASCII) -> None:
        self.pattern: AnyStr = pattern
        self._flags = flags

    @cached_property
    def compiled(self) -> re.Pattern[AnyStr]:
        """The expression itself."""
        return re.compile(self.pattern, self._flags)

    def fullmatch(self, text: AnyStr) -> re.Match[AnyStr] | None:
        """The match of all of the text."""
        return self.compiled.fullmatch(text)


MAX_TEXT_BYTES = 4096
"""The longest a string may be in a finding, in bytes of UTF-8, the mark of truncation included."""

TRUNCATED = "[truncated]"

# Escapes are longer than what they stand for: most of a long hostile text need not be escaped to fill the bound.
_CHUNK = 256

_HIDDEN = LatePattern(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls, newline and escape among them
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # invisible, or change what stands beside them
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, line breaks, bidirectional controls
    "\ud800-\udfff"
    "\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # invisible controls of scripts and notes
    + "\U000e0000-\U000e007f"  # tag characters spell hidden ASCII
    "]"
)


def visible(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    r"""The text with everything that hides or reorders text escaped, cut to `max_bytes` of UTF-8.

    >>> visible("user\u202etxt.exe")
    'user\\u202etxt.exe'
    """
    if len(text) <= max_bytes and text.isascii() and text.isprintable():
        return text
    shown = bytearray()
    for start in range(0, min(len(text), max_bytes + 1), _CHUNK):
        shown += _HIDDEN.compiled.sub(_escaped, text[start : start + _CHUNK]).encode()
        if len(shown) > max_bytes:
            return shown[: max_bytes - len(TRUNCATED)].decode(errors="ignore") + TRUNCATED
    return shown.decode()


def _escaped(match: re.Match[str]) -> str:
    return _escape(match[0])


@cache
def _escape(hidden: str) -> str:
    code = ord(hidden)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def listed(names: Sequence[str], most: int = 20) -> str:
    """The names in one line, at most so many of them.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def ascii_json(content: Any) -> bytes:
    """One line of ASCII JSON: no terminal, log viewer or page acts on what is inside."""
    import msgspec  # noqa: PLC0415 - the help of a command loads nothing that takes long

    return json.dumps(msgspec.to_builtins(content), ensure_ascii=True, separators=(",", ":")).encode()
