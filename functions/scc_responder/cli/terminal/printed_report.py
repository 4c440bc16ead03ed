"""A report goes to the screen, or to a file that the caller names."""

from __future__ import annotations

import sys
from pathlib import Path

from scc_responder.domain.errors import SettingsError


def print_report(shown: str, output: Path | None, summary: str) -> None:
    """Print the report; with `output`, write it there and tell the summary. Raises SettingsError if that fails."""
    if output is None:
        print(shown, end="" if shown.endswith("\n") else "\n")
        return
    try:
        output.write_text(shown if shown.endswith("\n") else f"{shown}\n", encoding="utf-8")
    except OSError as error:
        raise SettingsError("unwritable_file", f"{output}: {error.strerror}") from error
    print(f"{output}: {summary}", file=sys.stderr)
