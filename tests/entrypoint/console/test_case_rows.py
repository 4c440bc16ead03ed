"""The list of cases: what waits comes first, a page is bounded, and what cannot be read is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.status import CaseState
from scc_responder.entrypoint.console.case_rows import MOST_READ, ROWS, case_row, case_rows
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.journal import Journal
from scc_responder.journal.plan import Plan
from tests.kits.journal_worlds import START, FaultyStore, SetClock

PLAN = Plan(digest="ab" * 32, policy_digest="", steps=(), created_at=START, expires_at=START + timedelta(hours=1))


class CountedScans(FaultyStore):
    """A store that counts the scans, and the entries they gave."""

    scans = 0
    scanned = 0

    def scan(self, *given: Any, **more: Any) -> Any:
        page = super().scan(*given, **more)
        self.scans += 1
        self.scanned += len(page.entries)
        return page


@pytest.fixture
def store(tmp_path: Path) -> CountedScans:
    """An empty store."""
    return CountedScans(SqliteStore(tmp_path / "journal.db"))


def put(store: CountedScans, number: int, state: CaseState, minutes: int = 0, **fields: Any) -> str:
    """Store a case in this state, and return its id."""
    key = f"{number:064x}"
    record = CaseRecord(
        finding_key=key,
        finding_name=f"finding {number}",
        event_time=START,
        digest="d",
        category=f"Category {number}",
        state=state,
        updated_at=START + timedelta(minutes=minutes),
        plan=PLAN if state is CaseState.WAITING else None,
        **fields,
    )
    store.create(f"case/{key}", encode(record), unfinished=is_unfinished(record))
    return key[:12]


def states_of(store: CountedScans, state: CaseState | None = None, after: str = "") -> list[str]:
    """The states of the cases on a page, in its order."""
    return [row.state for row in case_rows(Journal(store, SetClock()), state, after).rows]


def test_what_needs_a_person_comes_first_then_what_is_new(store: CountedScans) -> None:
    """Waiting, partial, held, open; then the rest, the last change first."""
    given = ["done", "open", "held", "rejected", "waiting", "partial", "superseded"]
    for number, state in enumerate(given):
        put(store, number, CaseState(state), minutes=number)
    assert states_of(store) == ["waiting", "partial", "held", "open", "superseded", "rejected", "done"]


def test_the_cases_of_an_incident_stand_together(store: CountedScans) -> None:
    """Under one title, before what asks less of people; within it what needs a person comes first."""
    one: dict[str, Any] = {"decision": {"policy_digest": "p", "subject": {"about": ["pod P u1"]}}, "cluster": "prod"}
    put(store, 1, CaseState.DONE, 1, **one)
    put(store, 2, CaseState.HELD, 2)
    put(store, 3, CaseState.WAITING, 3, **one)
    put(store, 4, CaseState.DONE, 4)
    blocks = case_rows(Journal(store, SetClock())).blocks
    assert [[row.state for row in block.rows] for block in blocks] == [["waiting", "done"], ["held"], ["done"]]
    assert [block.title for block in blocks] == [
        "Incident 000000000000: 2 cases, 1 for people to act on, in prod",
        "",
        "",
    ]


def test_what_clusters_have_in_common_is_told(store: CountedScans) -> None:
    """Of the cases on the page; hostile names in it are inert."""
    for number, place in enumerate(["prod", "<b>@channel https://evil.example", "prod"]):
        put(store, number, CaseState.DONE, cluster=place, decision={"policy_digest": "p", "images": ["sha256:1"]})
    (line,) = case_rows(Journal(store, SetClock())).spread
    assert line.startswith("image sha256:1 in 2 places")
    assert "https://" not in line


@pytest.mark.parametrize("kept", ["x", {"about": "pod"}, {"about": 5}, [], {"about": [{}, 1]}])
def test_an_odd_subject_hides_no_case(store: CountedScans, kept: Any) -> None:
    """Whoever may write the store could put anything there."""
    put(store, 1, CaseState.DONE, decision={"policy_digest": "p", "subject": kept})
    assert len(case_rows(Journal(store, SetClock())).rows) == 1


def test_a_case_that_waits_is_on_the_first_page_wherever_it_is(store: CountedScans) -> None:
    """Behind more cases than a page holds."""
    for number in range(ROWS + 20):
        put(store, number, CaseState.DONE)
    put(store, 10_000, CaseState.WAITING)
    rows = case_rows(Journal(store, SetClock()))
    assert rows.rows[0].state == "waiting"
    assert len(rows.rows) == ROWS + 1
    assert states_of(store, after=rows.after) == ["waiting", *["done"] * 20]


def test_a_page_never_reads_the_whole_store(store: CountedScans) -> None:
    """However many cases there are, and however few of them are asked for: the next page goes on behind."""
    for number in range(ROWS * MOST_READ + ROWS):
        put(store, number, CaseState.DONE)
    put(store, 99_999, CaseState.REJECTED)
    first = case_rows(Journal(store, SetClock()), CaseState.REJECTED)
    assert (first.rows, bool(first.after)) == ((), True)
    assert store.scanned == ROWS * MOST_READ
    assert [row.state for row in case_rows(Journal(store, SetClock()), CaseState.REJECTED, first.after).rows] == [
        "rejected"
    ]


@pytest.mark.parametrize("state", [CaseState.WAITING, CaseState.OPEN])
def test_what_moves_is_found_without_reading_the_rest(store: CountedScans, state: CaseState) -> None:
    """The store finds these cases by itself."""
    for number in range(30):
        put(store, number, CaseState.DONE)
    put(store, 30, CaseState.WAITING)
    put(store, 31, CaseState.OPEN)
    assert states_of(store, state) == [str(state)]
    assert store.scanned == 2


def test_an_unreadable_record_hides_no_other(store: CountedScans) -> None:
    """It is named beside them."""
    put(store, 1, CaseState.DONE)
    store.create(f"case/{2:064x}", b"{}")
    rows = case_rows(Journal(store, SetClock()))
    assert len(rows.rows) == 1
    assert [item.finding_key for item in rows.unreadable] == [f"{2:064x}"]


def test_a_line_says_what_and_where(store: CountedScans) -> None:
    """A plan that waits says so; a place is the pod, the service, or the cluster."""
    made = CaseRecord(
        finding_key="0a" * 32,
        finding_name="f",
        event_time=START,
        digest="d",
        state=CaseState.WAITING,
        reason="waiting_for_approval",
        decision={"pod": {"namespace": "shop", "name": "web-1"}},
    )
    row = case_row(made)
    assert (row.place, row.needs_person) == ("shop/web-1", True)
    assert "answer" in row.why
