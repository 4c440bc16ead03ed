"""What a sweep goes on with at once, what it leaves to a message, and what is not due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.store import Entry
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import Plan
from scc_responder.pipeline.again.unfinished_cases import QUIET, Turn, awaits, comes_soon, idle, is_all_due, turn_of
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


LIMITED = (step(status=StepStatus.HELD, epoch=1, reason="limit_namespace"),)
HELD = {"state": CaseState.HELD}


@pytest.mark.parametrize(
    ("fields", "minutes", "expected"),
    [
        ({"owner": "somebody"}, 0, Turn.LEFT_OPEN),
        ({"reason": "kubernetes_unavailable"}, 0, None),
        ({"reason": "kubernetes_unavailable"}, 16, Turn.LEFT_OPEN),
        ({"reason": "resumed_by_person"}, 0, Turn.LEFT_OPEN),
        ({"reason": "deletion_awaited", "steps": (step(reason="deletion_awaited", due_at=START),)}, 0, Turn.LEFT_OPEN),
        ({"reason": "deletion_awaited", "steps": (step(reason="deletion_awaited", due_at=START + HOUR),)}, 16, None),
        ({**HELD, "reason": "control_disabled"}, 0, Turn.SWITCHED_OFF),
        ({**HELD, "reason": "cluster_not_onboarded"}, 0, None),
        ({**HELD, "reason": "cluster_not_onboarded"}, 16, Turn.SHUT),
        ({**HELD, "reason": "cluster_paused", "steps": LIMITED}, 16, Turn.SHUT),
        ({**HELD, "reason": "held", "steps": LIMITED}, 16, Turn.HELD_BY_TIME),
        ({**HELD, "reason": "cluster_endpoint_private"}, 16, Turn.HELD_BY_TIME),
        ({**HELD, "reason": "namespace_protected"}, 16, None),
        ({"state": CaseState.WAITING}, 16, None),
        ({"state": CaseState.DONE}, 16, None),
    ],
)
def test_whose_turn_it_is(fields: dict[str, Any], minutes: int, expected: Turn | None) -> None:
    """Each case has one turn, or none: whoever is asked for by a message, a person or nobody any more."""
    record = left(**fields)
    later = START + timedelta(minutes=minutes)
    entry = Entry(key="k", value=b"", version="1", server_time=later, update_time=START)
    assert turn_of(record, entry, later) is expected


def test_a_plan_that_ran_out_has_its_turn() -> None:
    """Not before it did."""
    plan = Plan(digest="d", policy_digest="p", steps=(), created_at=START, expires_at=START + HOUR)
    record = left(state=CaseState.WAITING, plan=plan)
    entry = Entry(key="k", value=b"", version="1", server_time=START, update_time=START)
    assert [turn_of(record, entry, START + hours * HOUR) for hours in (0, 1)] == [None, Turn.EXPIRES]


def test_what_only_a_try_can_tell_comes_last() -> None:
    """So that it keeps no other case waiting."""
    assert [*Turn][-2:] == [Turn.SHUT, Turn.HELD_BY_TIME]
    assert timedelta(minutes=10) < QUIET
