"""Files that are generated from policies and guardrails: what they should hold, written, or compared."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scc_responder.cli.terminal import visible_lines
from scc_responder.errors import SettingsError
from scc_responder.permissions import Need, of_connect_gateway


def iam_list(path: Path, needs: Sequence[Need]) -> dict[Path, str]:
    """What the module's permissions.json should hold. Raises SettingsError where the file is another one."""
    if path.exists() and not _is_iam_list(path):
        told = f"{path}: it is no list of IAM permissions; name terraform/permissions.json, or restore that file"
        raise SettingsError("no_iam_list", told)
    sections = {"iam": [need for need in needs if not need.verb], "connect_gateway": of_connect_gateway()}
    names = {section: sorted(need.permission for need in found) for section, found in sections.items()}
    listed = {section: [{"permission": name} for name in found] for section, found in names.items()}
    return {path: json.dumps(listed, indent=2) + "\n"}


def _is_iam_list(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and "iam" in document


def write(files: Mapping[Path, str]) -> int:
    """Write the files that differ."""
    for path, text in files.items():
        if _now(path) != text:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path}", file=sys.stderr)
    return 0


def compare(files: Mapping[Path, str], command: str) -> int:
    """Say which files differ, line by line: 1 if any does. `command` writes them anew."""
    differing = {path: text for path, text in files.items() if _now(path) != text}
    for path, text in differing.items():
        lines = difflib.unified_diff(_now(path).splitlines(), text.splitlines(), str(path), "needed", lineterm="", n=1)
        print(visible_lines("\n".join(lines)))
    if differing:
        print(f"not what policies and guardrails ask for; run: {command}", file=sys.stderr)
    return 1 if differing else 0


def _now(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""
