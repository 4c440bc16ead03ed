"""The cases of a store, as the commands under `case` read them."""

from __future__ import annotations

from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import Cases, cases_of


def stored_cases(journal: Journal, *, beginning: str = "") -> Cases:
    """All cases whose keys begin so, and those of them that cannot be read. Raises StoreError."""
    cases = Cases()
    while True:
        page = cases_of(journal.cases(cases.cursor, beginning=beginning))
        cases = Cases(
            records=cases.records + page.records, unreadable=cases.unreadable + page.unreadable, cursor=page.cursor
        )
        if page.cursor is None:
            return cases
