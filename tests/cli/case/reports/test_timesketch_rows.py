"""A case as a timeline: every moment that its record knows, in order, as Timesketch reads it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec.structs import replace

from scc_responder.cli.case.reports.timesketch_rows import timesketch_rows
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
