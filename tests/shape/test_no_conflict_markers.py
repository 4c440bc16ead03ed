"""No tracked file holds the markers that an unfinished merge leaves."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
MARKER = re.compile(rb"(?:<{7} |\|{7} |={7}\r?$|>{7} )")


def conflicts(folder: Path) -> list[str]:
    """Where the tracked files of a repository hold a marker, as `file:line: marker`."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=True).stdout
    return [
        f"{name}:{number}: {line.decode(errors='replace')}"
        for name in listed.decode().split("\0")
        if (folder / name).is_file()
        for number, line in enumerate((folder / name).read_bytes().split(b"\n"), start=1)
        if MARKER.match(line)
    ]


def test_no_file_holds_a_conflict_marker() -> None:
    """Every merge was finished."""
    assert conflicts(ROOT) == []


def test_each_conflict_marker_is_noticed(tmp_path: Path) -> None:
    """Each of the four markers is named with its file and line; a longer rule or heading is none of them."""
    markers = ["<" * 7 + " HEAD", "|" * 7 + " base", "=" * 7, ">" * 7 + " feature"]
    (tmp_path / "notes.md").write_text("\n".join(["Title", "=" * 8, *markers, ""]))
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)

    assert conflicts(tmp_path) == [f"notes.md:{line}: {marker}" for line, marker in enumerate(markers, start=3)]
