"""A case as a timeline: every moment that its record knows, in order, as Timesketch reads it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.case.reports.timesketch_rows import timesketch_rows
from scc_responder.cli.main import main
from scc_responder.domain.finding import case_id
from tests.kits.account_cases import contained_case


def test_every_row_has_what_timesketch_asks_for(tmp_path: Path) -> None:
    """`message`, `datetime` with an offset, and `timestamp_desc`; the earliest row is the first."""
    with contained_case(tmp_path) as case:
        rows = timesketch_rows(case.record)
    assert {"message", "datetime", "timestamp_desc"} <= set.intersection(*(set(row) for row in rows))
    times = [datetime.fromisoformat(row["datetime"]) for row in rows]
    assert times == sorted(times)
    assert all(time.utcoffset() is not None for time in times)
    assert [round(time.timestamp() * 1_000_000) for time in times] == [row["timestamp"] for row in rows]


def test_what_was_done_is_in_it(tmp_path: Path) -> None:
    """The finding, the case, each step before and after, and when the threat was contained."""
    with contained_case(tmp_path) as case:
        rows = timesketch_rows(case.record)
    told = {row["timestamp_desc"] for row in rows}
    assert told == {"Finding", "Case opened", "Intent written", "Outcome", "Contained", "Case closed"}
    assert "delete_pod" in {row.get("action") for row in rows}


def test_an_attackers_text_is_inert(tmp_path: Path) -> None:
    """A category, or a finding's name, links to nowhere and mentions nobody."""
    with contained_case(tmp_path) as case:
        rows = timesketch_rows(replace(case.record, category="<b>@all https://evil.example/"))
    assert [row for row in rows if "<b>" in row["message"] or "://" in row["message"]] == []


def taken(line: str) -> dict[str, Any]:
    """What Timesketch makes of one line of a file `.jsonl`, by its own rules. Raises ValueError where it takes none.

    Source: `ImportStreamer._fix_dict` of timesketch-import-client 20261014, and `read_and_validate_jsonl` of
    timesketch/lib/utils.py: mandatory fields, the moment as ISO 8601, microseconds; what begins with `_` and `label`
    are left out.
    """
    row = json.loads(line)
    missing = [field for field in ("message", "datetime", "timestamp_desc") if field not in row]
    if missing:
        raise ValueError(f"missing fields: {missing}")
    moment = datetime.fromisoformat(row["datetime"])
    row["datetime"] = moment.isoformat()
    row.setdefault("timestamp", round(moment.timestamp() * 1_000_000))
    return {field: value for field, value in row.items() if not field.startswith("_") and field != "label"}


def test_timesketch_takes_each_line_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of the file that `case export` writes is left out, mended or moved to another moment by its importer."""
    with contained_case(tmp_path) as case:
        name, store = case_id(case.record.finding_key), str(tmp_path / "journal.db")
    file = tmp_path / "case.jsonl"
    assert main(["case", "export", name, "--format", "timesketch", "--store", store, "--output", str(file)]) == 0
    lines = file.read_text().splitlines()
    assert [taken(line) for line in lines] == [json.loads(line) for line in lines]
    assert f"{len(lines)} rows" in capsys.readouterr().err
    assert all(isinstance(row["timestamp"], int) and 10**15 < row["timestamp"] < 10**16 for row in map(taken, lines))
