"""The cases of a store as people have them listed: those that can be read, and those that cannot."""

from __future__ import annotations

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.store import Page
from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import decoded


class Unreadable(Value, frozen=True, kw_only=True):
    """A case that this version cannot read, and why: `record_newer` or `record_unreadable`."""

    finding_key: str
    reason: str
    why: str


class Cases(Value, frozen=True, kw_only=True):
    """Some cases. `cursor` continues after them; None means there are no more."""

    records: tuple[CaseRecord, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    cursor: str | None = None


def cases_of(page: Page) -> Cases:
    """The cases of a page. Unreadable cases are listed, never raised."""
    records: list[CaseRecord] = []
    unreadable: list[Unreadable] = []
    for entry in page.entries:
        try:
            records.append(decoded(entry))
        except RetryableError as error:
            key = entry.key.rpartition("/")[2]
            unreadable.append(Unreadable(finding_key=key, reason=error.reason, why=str(error)))
    return Cases(records=tuple(records), unreadable=tuple(unreadable), cursor=page.cursor)
