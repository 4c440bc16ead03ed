"""The settings that a command goes by: the environment's, or those of a file that Terraform wrote."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from scc_responder.domain.errors import SettingsError
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.doctor.deployed import parse_environment


def settings_environment(file: str | None) -> dict[str, str]:
    """The environment, with the file's settings in place of its own. Raises SettingsError."""
    given = dict(os.environ)
    if not file:
        return given
    others = {name: value for name, value in given.items() if not name.startswith(VARIABLE_PREFIX)}
    return others | parse_environment(text_of(file), file)


def text_of(file: str) -> str:
    """The text of a file; `-` is standard input. Raises SettingsError."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        told = getattr(error, "strerror", None) or "not UTF-8"
        raise SettingsError("unreadable_file", f"{file}: {told}") from error
