"""All cases of a store are read, however many pages they fill."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.cli.case.stored_cases import stored_cases
from scc_responder.domain.status import CaseState
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.journal import Journal

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MANY = 1_050
"""More than one page."""


def test_each_case_is_read_once(tmp_path: Path) -> None:
    """On whichever page it is; one that cannot be read is told beside them."""
    store = SqliteStore(tmp_path / "journal.db")
    keys = [f"{number:064x}" for number in range(MANY)]
    for key in keys:
        made = CaseRecord(finding_key=key, finding_name="f", event_time=NOON, state=CaseState.DONE, digest="d")
        store.create(f"case/{key}", encode(made))
    store.create(f"case/{'f' * 64}", b"{")
    found = stored_cases(Journal(store, lambda: NOON))
    assert sorted(record.finding_key for record in found.records) == keys
    assert [item.finding_key for item in found.unreadable] == ["f" * 64]
    assert {
        record.finding_key for record in stored_cases(Journal(store, lambda: NOON), beginning="0" * 62).records
    } == {key for key in keys if key.startswith("0" * 62)}
