"""Findings of folders and exports: all of them, the earliest first, each named, and no bad one fatal."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scc_responder.adapters.local.findings_export import ExportedFinding, FindingsExport
from scc_responder.domain.errors import SettingsError
from scc_responder.intake.notification import parse_notification
from tests.findings import data, notification
from tests.findings.recorded import recorded, write_array, write_lines

T0 = datetime(2026, 3, 2, 9, tzinfo=UTC)


def times(entries: FindingsExport) -> list[datetime]:
    """When each finding happened, in the order in which they come."""
    return [parse_notification(entry.content).event_time for entry in entries]


@pytest.mark.parametrize("write", [write_array, write_lines])
def test_findings_come_in_order_of_event_time(tmp_path: Path, write: object) -> None:
    """An export in any order comes in the order of event times, and whole."""
    path = write(tmp_path / "export.json", 100)  # type: ignore[operator]
    export = FindingsExport([path])
    names = {parse_notification(entry.content).name for entry in export}
    assert len(export) == 100
    assert names == {item["finding"]["name"] for item in recorded(100)}
    assert times(export) == sorted(times(export))


def test_several_files_come_in_one_order(tmp_path: Path) -> None:
    """Findings of several files, folders and shapes come in one order."""
    shuffled = random.Random(1).sample(range(20), 20)
    (tmp_path / "below").mkdir()
    for number in shuffled:
        document = notification("reverse_shell", event_time=_at(number), finding_id=f"f{number}")
        (tmp_path / "below" / f"n{number}.json").write_bytes(data(document))
    lines = write_lines(tmp_path / "more.jsonl", 30)
    export = FindingsExport([tmp_path / "below", lines])
    assert len(export) == 50
    assert times(export) == sorted(times(export))


def _at(minutes: int) -> str:
    return (T0 + timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")


def test_only_findings_of_the_period_come(tmp_path: Path) -> None:
    """Only findings of the period come: from its beginning on, and before its end."""
    for number in range(5):
        document = notification("reverse_shell", event_time=_at(number))
        (tmp_path / f"n{number}.json").write_bytes(data(document))
    export = FindingsExport([tmp_path], T0 + timedelta(minutes=1), T0 + timedelta(minutes=3))
    assert times(export) == [T0 + timedelta(minutes=1), T0 + timedelta(minutes=2)]


def test_what_stands_beside(tmp_path: Path) -> None:
    """What is known of a target stands beside its finding; it is no finding, and belongs to no list."""
    (tmp_path / "one.json").write_bytes(data(notification("reverse_shell")))
    (tmp_path / "one.context.json").write_text('{"related": []}')
    (tmp_path / "one.decision.json").write_text("{}")
    write_array(tmp_path / "list.json", 2)
    (tmp_path / "list.context.json").write_text('{"related": []}')
    found = {entry.where: entry.facts for entry in FindingsExport([tmp_path])}
    assert found == {
        str(tmp_path / "one.json"): b'{"related": []}',
        f"{tmp_path / 'list.json'}, number 1": None,
        f"{tmp_path / 'list.json'}, number 2": None,
    }


def test_bad_findings_come_first_and_named(tmp_path: Path) -> None:
    """What is none is there as well, before all others, named by its file and number."""
    good = json.dumps(notification("reverse_shell"))
    (tmp_path / "lines.jsonl").write_text(f"{good}\njunk\n{{}}\n{good}\n")
    (tmp_path / "cut.json").write_text(f"[{good}, {good[:100]}")
    entries: list[ExportedFinding] = list(FindingsExport([tmp_path]))
    bad = [(entry.where.rpartition("/")[2], entry.fault) for entry in entries[:3]]
    assert bad == [("cut.json, number 2", "truncated"), ("lines.jsonl, number 2", ""), ("lines.jsonl, number 3", "")]
    assert [json.loads(entry.content)["finding"]["category"] for entry in entries[3:]] == ["Reverse Shell"] * 3


@pytest.mark.parametrize("shape", ["eventTime", "event_time", "bare", "console"])
def test_where_the_time_stands(tmp_path: Path, shape: str) -> None:
    """The time is found in every shape that a finding has, else order would be lost."""
    document = notification("reverse_shell", event_time=_at(7))
    finding = document["finding"]
    if shape == "event_time":
        finding["event_time"] = finding.pop("eventTime")
    shaped = {"bare": finding, "console": {"findings": finding}}.get(shape, document)
    (tmp_path / "x.json").write_text(json.dumps(shaped))
    assert FindingsExport([tmp_path])._times[0] == (T0 + timedelta(minutes=7)).timestamp()


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is told by its name."""
    with pytest.raises(SettingsError, match="nowhere"):
        FindingsExport([tmp_path / "nowhere"])
