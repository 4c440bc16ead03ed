"""The cases of a store, as the commands under `case` read them."""

from __future__ import annotations

from scc_responder.journal.case_json import Cases
from scc_responder.journal.journal import Journal


def stored_cases(journal: Journal, *, beginning: str = "") -> Cases:
    """All cases whose keys begin so, and those of them that cannot be read. Raises StoreError."""
    cases = Cases()
    while True:
        page = journal.cases(cases.cursor, beginning=beginning)
        cases = Cases(
            records=cases.records + page.records, unreadable=cases.unreadable + page.unreadable, cursor=page.cursor
        )
        if page.cursor is None:
            return cases
