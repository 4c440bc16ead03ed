"""A listing that is shown anew on a terminal every few seconds, until somebody ends it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable

from scc_responder.domain.errors import SettingsError

EVERY_SECONDS = 5.0
_FROM_THE_TOP = "\x1b[H\x1b[2J"
_FEET = 3
"""Lines below the listing: what is not listed, and the prompt."""


def watched(show: Callable[[int], int], wait: Callable[[float], None] = time.sleep) -> int:
    """Show it again and again, each time given for how many lines there is room; the last exit code at Ctrl-C.

    Raises SettingsError `wrong_use` where standard output is no terminal that can be cleared.
    """
    if not sys.stdout.isatty() or os.environ.get("TERM") == "dumb":
        raise SettingsError("wrong_use", "--watch needs a terminal; without one, list once")
    code = 0
    try:
        while True:
            sys.stdout.write(_FROM_THE_TOP)
            code = show(max(1, shutil.get_terminal_size().lines - _FEET))
            sys.stdout.flush()
            wait(EVERY_SECONDS)
    except KeyboardInterrupt:
        return code
