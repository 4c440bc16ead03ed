"""Text for a terminal: colour only where there is one, and nothing that a terminal would act on."""

from __future__ import annotations

import getpass
import os
import sys
from typing import TextIO

from scc_responder.domain.text import visible

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "blue": "34"}


def user_name() -> str:
    """Who runs this, as records name a person; an account without a name, as in a container, is its number.

    Source: `getpass.getuser` raises KeyError there, from Python 3.13 on OSError.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def styled(text: str, style: str, stream: TextIO = sys.stdout) -> str:
    """The text in a style, if the stream is a terminal and NO_COLOR is not set. Control characters become visible."""
    clean = visible(text)
    if not stream.isatty() or os.environ.get("NO_COLOR"):
        return clean
    return f"\x1b[{_CODES[style]}m{clean}\x1b[0m"


def visible_lines(text: str) -> str:
    """Text of several lines with everything else in it that a terminal would act on made visible."""
    return "\n".join(visible(line) for line in text.split("\n"))
