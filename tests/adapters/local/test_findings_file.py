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
    document = FindingsFolder(tmp_path).read(first)
    assert document is not None
    assert (parse_notification(document).key, parse_notification(document).state) == (first.key, "INACTIVE")


def test_a_finding_that_no_file_holds_is_none(tmp_path: Path) -> None:
    """It may be forged."""
    finding = stored(tmp_path, "a.json")
    (tmp_path / "a.json").unlink()
    assert FindingsFolder(tmp_path).read(finding) is None


def test_files_that_hold_no_finding_are_passed_over(tmp_path: Path) -> None:
    """A folder may hold other things."""
    finding = stored(tmp_path, "z.json")
    for file, content in {"a.json": "junk", "b.json": "[]", "c.json": "{}", "d.txt": "text", "e.json": "NaN"}.items():
        (tmp_path / file).write_text(content)
    assert FindingsFolder(tmp_path).read(finding) == notification("reverse_shell")


RELATED = {
    "the same pod, an hour before": ({"event_time": "2026-03-02T09:00:00Z"}, True),
    "the same pod, an hour after": ({"event_time": "2026-03-02T11:00:00Z"}, True),
    "the same pod, longer ago": ({"event_time": "2026-03-02T08:59:59Z"}, False),
    "another pod": ({"event_time": "2026-03-02T10:00:00Z", "pod": "db-0"}, False),
    "the pod's name in another namespace": ({"event_time": "2026-03-02T10:00:00Z", "namespace": "bank"}, False),
    "the pod's name in another cluster": (
        {
            "event_time": "2026-03-02T10:00:00Z",
            "cluster": "projects/example-project/locations/europe-west1/clusters/prod-2",
        },
        False,
    ),
}


@pytest.mark.parametrize(("fields", "expected"), list(RELATED.values()), ids=list(RELATED))
def test_related_findings_are_those_of_the_same_pod_near_in_time(
    tmp_path: Path, fields: dict[str, Any], expected: bool
) -> None:
    """They raise confidence; the finding itself is not among them."""
    finding = stored(tmp_path, "a.json", event_time="2026-03-02T10:00:00Z")
    other = stored(tmp_path, "b.json", "added_binary_executed", **fields)
    names = [related.name for related in FindingsFolder(tmp_path).related(finding)]
    assert names == ([other.name] if expected else [])


def test_a_folder_that_is_none_stops_the_start(tmp_path: Path) -> None:
    """The message names it and the remedy."""
    with pytest.raises(SettingsError) as caught:
        FindingsFolder(tmp_path / "missing")
    assert caught.value.reason == "findings_unusable"
    assert "name one with findings" in str(caught.value)
