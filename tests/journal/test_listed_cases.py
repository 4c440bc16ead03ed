"""A list of cases has those that nobody can read, too."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.store import Entry, Page
from scc_responder.journal.case_json import encode
from scc_responder.journal.listed_cases import cases_of
from tests.journal.again.test_reopening import HELD, closed

RECORD = replace(closed(HELD), finding_key="a")


@pytest.mark.parametrize(("value", "reason"), [(b"[]", "record_unreadable"), (b"{}", "record_newer")])
def test_what_cannot_be_read_stands_among_the_others(value: bytes, reason: str) -> None:
    """With the reason, and it hides no other."""
    values = {"k": value, "a": encode(RECORD)}
    entries = (Entry(key=f"case/{key}", value=each, version="1", server_time=utc_now()) for key, each in values.items())
    listed = cases_of(Page(entries=tuple(entries), cursor="next"))
    assert [(item.finding_key, item.reason) for item in listed.unreadable] == [("k", reason)]
    assert ([record.finding_key for record in listed.records], listed.cursor) == (["a"], "next")
