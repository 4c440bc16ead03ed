"""What a person's exemption is about, and how the case ends by it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.guard.timed.exempted_case import exempted, exemption_by
from scc_responder.guard.timed.timed_exemptions import TimedExemption
from scc_responder.journal.again.persons_request import as_requested
from scc_responder.journal.case import CaseRecord, WordKind
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.step import Step

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(hours=24)
POD = {"namespace": "shop", "name": "web-1", "uid": "u-pod", "workload": "Deployment/web"}


def record(decision: dict[str, Any], **fields: Any) -> CaseRecord:
    values = {"finding_key": "0123456789abcdef", "finding_name": "n", "event_time": NOW, "digest": "d"}
    return CaseRecord(**{**values, "cluster": "c", "decision": decision, "state": CaseState.HELD, **fields})


def made(decision: dict[str, Any]) -> TimedExemption | None:
    return exemption_by(record(decision), by="me", said="a test", at=NOW, until=UNTIL)


def test_the_workload_is_exempt_by_its_uid() -> None:
    """A case that knows no more than its pod exempts that; one that knows no threat, or no target, nothing."""
    threat = {"threat": {"name": "reverse_shell"}}
    found = made({**threat, "pod": POD, "workload_uid": "u-owner"})
    assert found is not None
    assert (found.threat, found.uid, found.name, found.place, found.case) == (
        "reverse_shell",
        "u-owner",
        "shop/Deployment/web",
        "c",
        "0123456789ab",
    )
    alone = made({**threat, "pod": POD})
    assert alone is not None
    assert (alone.uid, alone.name) == ("u-pod", "shop/Pod/web-1")
    run = made({**threat, "pod": None, "cloud_run": {"name": "projects/p/locations/l/services/s", "uid": "u-run"}})
    assert run is not None
    assert (run.uid, run.name) == ("u-run", "projects/p/locations/l/services/s")
    assert made({"pod": POD}) is None
    assert made({**threat, "pod": None}) is None


def test_the_case_ends_with_the_word() -> None:
    """It says by whom and until when; a plan that waits is withdrawn by who writes the case next."""
    exemption = made({"threat": {"name": "t"}, "pod": POD})
    assert exemption is not None
    step = Step(action_id="a", action="delete_pod", status=StepStatus.WAITING, epoch=1)
    plan = Plan(digest="d", policy_digest="p", steps=(), created_at=NOW, expires_at=UNTIL)
    waiting = record({"pod": POD}, state=CaseState.WAITING, steps=(step,), plan=plan)
    came = exempted(waiting, False, exemption)
    assert came.record is not None
    assert came.record.word is not None
    asked, word = came.record, came.record.word
    assert (asked.state, asked.steps, asked.plan) == (CaseState.WAITING, (step,), plan)
    assert (word.kind, word.by, word.said, word.until) == (WordKind.EXEMPTED, "me", "a test", UNTIL)
    ended = as_requested(asked, NOW)
    assert ended.plan is not None
    assert (ended.state, ended.plan.state, ended.word) == (CaseState.HELD, PlanState.REJECTED, word)
    assert [(item.status, item.reason) for item in ended.steps] == [("held", "exempt:0123456789ab")]
    at_rest = exempted(record({"pod": POD}), False, exemption).record
    assert at_rest is not None
    assert (at_rest.request, at_rest.word) == (None, word)


def test_a_case_in_progress_is_left_to_its_holder() -> None:
    """The exemption holds what that one has yet to do."""
    exemption = made({"threat": {"name": "t"}, "pod": POD})
    assert exemption is not None
    came = exempted(record({}), True, exemption)
    assert (came.reason, came.record) == ("case_in_progress", None)
