"""Some cases as they are stored: those that this version reads, and why it cannot read the others. Pure."""

from __future__ import annotations

from scc_responder.domain.errors import RetryableError
from scc_responder.domain.ports import Page
from scc_responder.domain.value import Value
from scc_responder.journal.case import CaseRecord, decode


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
    """The cases of a page. One of a later version hides no other."""
    records: list[CaseRecord] = []
    unreadable: list[Unreadable] = []
    for entry in page.entries:
        try:
            records.append(decode(entry.value))
        except RetryableError as error:
            key = entry.key.rpartition("/")[2]
            unreadable.append(Unreadable(finding_key=key, reason=error.reason, why=str(error)))
    return Cases(records=tuple(records), unreadable=tuple(unreadable), cursor=page.cursor)
