"""Make text that an attacker can write safe to show, once, at the boundary.

Source of the classes: Unicode 15 (`Cc`, bidirectional controls of UAX 9, noncharacters, surrogates).
"""

from __future__ import annotations

import re

MAX_BYTES = 4096
"""The longest a string may be in a finding, in bytes of UTF-8, the mark of truncation included."""

TRUNCATED = "[truncated]"

_HIDDEN = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # C0 and C1 controls, newline and escape among them
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\uffa0"  # invisible, or change what stands beside them
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # zero width, line breaks, bidirectional controls
    "\ud800-\udfff"
    "\ufdd0-\ufdef\ufffe\uffff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17))
    + "\U000e0000-\U000e007f"  # tag characters spell hidden ASCII
    "]"
)


def visible(text: str, max_bytes: int = MAX_BYTES) -> str:
    r"""The text with everything that hides or reorders text escaped, cut to `max_bytes` of UTF-8.

    >>> visible("user\u202etxt.exe")
    'user\\u202etxt.exe'
    """
    if len(text) <= max_bytes and text.isascii() and text.isprintable():
        return text
    escaped = _HIDDEN.sub(_escape, text[: max_bytes + 1])
    encoded = escaped.encode()
    if len(encoded) <= max_bytes:
        return escaped
    return encoded[: max_bytes - len(TRUNCATED)].decode(errors="ignore") + TRUNCATED


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
