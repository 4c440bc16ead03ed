"""A folder of files stands in for Security Command Center on one's own machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification
from tests.findings import notification


def stored(folder: Path, file: str, name: str = "reverse_shell", **fields: Any) -> Finding:
    document = notification(name, **fields)
    (folder / file).write_text(json.dumps(document))
    return parse_notification(document)


def test_a_finding_is_read_by_what_it_is_not_by_its_file(tmp_path: Path) -> None:
    """The newest of several copies is its present state."""
    first = stored(tmp_path, "b.json", event_time="2026-03-02T09:00:00Z")
    stored(tmp_path, "a.json", event_time="2026-03-02T10:00:00Z", finding={"state": "INACTIVE"})
    stored(tmp_path, "c.json", "added_binary_executed")
    document = FindingsFolder(tmp_path, ()).read(first)
    assert document is not None
    assert (parse_notification(document).key, parse_notification(document).state) == (first.key, "INACTIVE")


def test_a_finding_that_no_file_holds_is_none(tmp_path: Path) -> None:
    """It may be forged."""
    finding = stored(tmp_path, "a.json")
    (tmp_path / "a.json").unlink()
    assert FindingsFolder(tmp_path, ()).read(finding) is None


def test_files_that_hold_no_finding_are_passed_over(tmp_path: Path) -> None:
    """A folder may hold other things."""
    finding = stored(tmp_path, "z.json")
    for file, content in {"a.json": "junk", "b.json": "[]", "c.json": "{}", "d.txt": "text", "e.json": "NaN"}.items():
        (tmp_path / file).write_text(content)
    assert FindingsFolder(tmp_path, ()).read(finding) == notification("reverse_shell")


def test_related_findings_are_judged_by_their_newest_copy(tmp_path: Path) -> None:
    """A finding that was resolved since raises nothing, although the folder keeps how it was."""
    finding = stored(tmp_path, "a.json", event_time="2026-03-02T10:00:00Z")
    other = stored(tmp_path, "b.json", "added_binary_executed", event_time="2026-03-02T09:30:00Z")
    folder = FindingsFolder(tmp_path, [finding.source_id])
    assert [related.name for related in folder.related(finding)] == [other.canonical_name]
    stored(
        tmp_path, "c.json", "added_binary_executed", event_time="2026-03-02T09:40:00Z", finding={"state": "INACTIVE"}
    )
    assert list(folder.related(finding)) == []


def test_a_folder_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """The message names it and the remedy."""
    with pytest.raises(SettingsError) as caught:
        FindingsFolder(tmp_path / "missing", ())
    assert caught.value.reason == "findings_unusable"
    assert "name one with findings" in str(caught.value)
