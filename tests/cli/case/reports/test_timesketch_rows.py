"""A case as a timeline: every moment that its record knows, in order, as Timesketch reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.case.reports.timesketch_rows import timesketch_rows
from scc_responder.cli.main import main
from scc_responder.domain.finding import case_id
from scc_responder.domain.status import CaseState
from scc_responder.journal.case import Closing, PersonsMark, PersonsWord, WordKind
from scc_responder.journal.plan import Approval, Plan
from scc_responder.journal.watch.watch import Look, Watch
from tests.kits.account_cases import contained_case

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
PLAN = Plan(digest="ab" * 32, policy_digest="", steps=(), created_at=NOON, expires_at=NOON + timedelta(hours=1))


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


def test_what_people_said_and_what_was_seen_is_in_it(tmp_path: Path) -> None:
    """Approvals, words and the mark, of an earlier opening too, with what was taken back then; and each look."""
    later = [datetime(2099, 1, 1, 12, minute, tzinfo=UTC) for minute in range(8)]
    with contained_case(tmp_path) as case:
        record = case.record
    taken_back = replace(record.steps[0], action="isolate_pod", undoes="a", intended_at=None, settled_at=later[2])
    word = PersonsWord(kind=WordKind.UNDONE, by="ann@example.com", at=later[1], said="a load test")
    earlier = Closing(
        state=CaseState.DONE,
        epoch=1,
        approvals=(Approval(by="ann@example.com", at=later[0]),),
        word=word,
        taken_back=(taken_back,),
    )
    record = replace(
        record,
        history=(earlier,),
        plan=replace(PLAN, approvals=(Approval(by="bob@example.com", at=later[3]),)),
        word=replace(word, at=later[4]),
        mark=PersonsMark(is_wrong=True, by="bob@example.com", at=later[5], said="<b>"),
        watch=Watch(since=later[3], looks=(Look(at=later[6]),)),
    )
    told = [(row["timestamp_desc"], row["datetime"], row["message"]) for row in timesketch_rows(record)]
    assert [row for row in told if row[1] >= later[0].isoformat()] == [
        (what, moment.isoformat(), said)
        for moment, what, said in [
            (later[0], "Approval", "ann[@]example[.]com approved the plan"),
            (later[1], "Person's word", "ann[@]example[.]com said undone: a load test"),
            (later[2], "Outcome", "isolate_pod ended done"),
            (later[3], "Approval", "bob[@]example[.]com approved the plan"),
            (later[4], "Person's word", "ann[@]example[.]com said undone: a load test"),
            (later[5], "Person's mark", "bob[@]example[.]com marked it wrong: [<]b>"),
            (later[6], "Look", f"a look at what was done: {Look(at=later[6]).summary}"),
        ]
    ]


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
