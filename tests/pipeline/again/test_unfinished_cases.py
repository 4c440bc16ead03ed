"""What a sweep goes on with at once, what it leaves to a message, and what is not due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scc_responder.domain.status import CaseState
from scc_responder.domain.store import Entry
from scc_responder.journal.case import CaseRecord
from scc_responder.pipeline.again.unfinished_cases import awaits, comes_soon, idle, is_all_due
from tests.kits.journal_worlds import START, finding, step

HOUR = timedelta(hours=1)


def left(**fields: Any) -> CaseRecord:
    """An open case that nobody holds."""
    known = finding()
    return CaseRecord(finding_key=known.key, finding_name=known.name, event_time=known.event_time, digest="d", **fields)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"reason": "deletion_awaited"}, (True, False)),
        ({"reason": "budget_awaited"}, (True, False)),
        ({"reason": "deletion_awaited", "owner": "somebody"}, (False, False)),
        ({"reason": "resumed_by_person"}, (False, True)),
        ({"reason": "reconciling"}, (False, True)),
        ({"reason": "kubernetes_unavailable"}, (False, False)),
        ({"state": CaseState.WAITING, "steps": (step(reason="deletion_awaited"),)}, (True, False)),
        ({"state": CaseState.WAITING}, (False, False)),
    ],
)
def test_what_is_left_to_sweeps_alone(fields: dict[str, Any], expected: tuple[bool, bool]) -> None:
    """No message comes for what a person opened, nor for a deletion whose end is awaited."""
    assert (awaits(left(**fields)), comes_soon(left(**fields))) == expected


def test_all_that_is_awaited_has_to_be_due() -> None:
    """One part that is not due keeps the case from being looked at."""
    steps = (step(1, reason="deletion_awaited", due_at=START), step(2, reason="budget_awaited", due_at=START + HOUR))
    assert [is_all_due(left(steps=steps), START + hours * HOUR) for hours in (0, 1)] == [False, True]


def test_a_store_that_cannot_tell_lets_it_be_long_ago() -> None:
    """So that a case is not left alone for ever."""
    entry = Entry(key="k", value=b"", version="1", server_time=START + HOUR, update_time=START)
    assert idle(entry) == HOUR
    assert idle(Entry(key="k", value=b"", version="1", server_time=START)) == timedelta.max
