"""Files that are generated from policies and guardrails: what they should hold, written, or compared."""

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.value import Value
from scc_responder.workbench.needed_permissions import Need
from scc_responder.workbench.variable_permissions import always_granted, by_variable


class Generated(Value, frozen=True, kw_only=True):
    """The result for one file: `same`, `written`, or `differs` with the lines of a diff to what is needed."""

    file: str
    result: str
    difference: tuple[str, ...] = ()


def iam_list(path: Path, needs: Sequence[Need]) -> dict[Path, str]:
    """What the module's permissions.json should hold. Raises SettingsError where the file is another one."""
    if path.exists() and not _is_iam_list(path):
        told = f"{path}: it is no list of IAM permissions; name terraform/permissions.json, or restore that file"
        raise SettingsError("no_iam_list", told)
    sections = {"iam": always_granted(needs), **by_variable(needs)}
    names = {section: sorted(need.permission for need in found) for section, found in sections.items()}
    listed = {section: [{"permission": name} for name in found] for section, found in names.items()}
    return {path: json.dumps(listed, indent=2) + "\n"}


def _is_iam_list(path: Path) -> bool:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(document, dict) and "iam" in document


def write(files: Mapping[Path, str]) -> list[Generated]:
    """Write the files that differ."""
    found = [_written(path, text) for path, text in files.items()]
    for one in found:
        if one.result == "written":
            print(f"wrote {one.file}", file=sys.stderr)
    return found


def _written(path: Path, text: str) -> Generated:
    if _now(path) == text:
        return Generated(file=str(path), result="same")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return Generated(file=str(path), result="written")


def compare_files(files: Mapping[Path, str]) -> list[Generated]:
    """Which files differ, line by line."""
    return [_compared(path, text) for path, text in files.items()]


def _compared(path: Path, text: str) -> Generated:
    before, after = _now(path).splitlines(), text.splitlines()
    lines = tuple(difflib.unified_diff(before, after, str(path), "needed", lineterm="", n=1))
    return Generated(file=str(path), result="same" if _now(path) == text else "differs", difference=lines)


def _now(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
