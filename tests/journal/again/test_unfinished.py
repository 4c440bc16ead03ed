"""Which closed cases time alone holds, and which wait for a person."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from scc_responder.domain.status import CaseState as S
from scc_responder.domain.status import StepStatus
from scc_responder.journal.again.unfinished import held_by_time, is_held_by_time, is_unfinished
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.persons_word import with_word
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import START, finding


def at_rest(state: S, reason: str, action: str = "isolate_pod", held: str = "", plan: PlanState | None = None) -> Any:
    """A case at rest with one step that is held."""
    known = finding()
    step = Step(action_id="1", action=action, status=StepStatus.HELD, reason=held, epoch=1)
    end = START + timedelta(hours=4)
    return CaseRecord(
        finding_key=known.key,
        finding_name=known.name,
        event_time=known.event_time,
        digest="d",
        state=state,
        reason=reason,
        steps=(step,) if held else (),
        plan=plan and Plan(digest="d", policy_digest="p", steps=(), created_at=START, expires_at=end, state=plan),
    )


CASES: list[Any] = [
    pytest.param(at_rest(S.HELD, "held", held="limit_owner"), True, id="limit"),
    pytest.param(at_rest(S.PARTIAL, "planned", held="storm_breaker"), True, id="breaker"),
    pytest.param(at_rest(S.HELD, "held", held="ledger_full"), True, id="a storm filled the ledger"),
    pytest.param(at_rest(S.HELD, "held", "delete_pod", "limit_owner"), False, id="cannot be undone"),
    pytest.param(at_rest(S.HELD, "held", "delete_pod", "limit_owner", PlanState.APPROVED), True, id="approved"),
    pytest.param(at_rest(S.HELD, "held", "delete_pod", "limit_owner", PlanState.EXPIRED), False, id="expired"),
    pytest.param(at_rest(S.HELD, "held", held="namespace_protected"), False, id="protected"),
    pytest.param(at_rest(S.HELD, "held", held="waits_for_person"), False, id="for a person"),
    pytest.param(at_rest(S.HELD, "cluster_endpoint_private"), True, id="out of reach"),
    pytest.param(at_rest(S.REJECTED, "unknown_finding"), True, id="listed late"),
    pytest.param(at_rest(S.REJECTED, "source_not_allowed"), False, id="forged"),
    pytest.param(at_rest(S.DONE, "planned", held="limit_owner"), False, id="done"),
]


@pytest.mark.parametrize(("record", "expected"), CASES)
def test_time_alone_holds_what_can_be_undone(record: CaseRecord, *, expected: bool) -> None:
    """A sweep goes on with it, and a person's word ends that."""
    assert (is_held_by_time(record), is_unfinished(record)) == (expected, expected)
    assert not is_held_by_time(with_word(record, WordKind.UNDONE, "a@example.com", START))


def test_the_held_steps_are_named() -> None:
    """What holds them is for whoever counts them."""
    assert [step.reason for step in held_by_time(CASES[0].values[0])] == ["limit_owner"]
