"""What is known of the steps of an execution, written to the journal or not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, Result, StepStatus
from scc_responder.execute.execution import Execution, Task
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.policy.decide import ActionResult, PlannedAction
from tests.kits.decision_contexts import POD
from tests.kits.executions import DELETE, ExecutionWorld, task
from tests.kits.journal_worlds import START, JournalWorld, step
from tests.kits.run_values import run_revision, run_service

APPROVED = Plan(digest="d", policy_digest="p", steps=(), created_at=START, expires_at=START, state=PlanState.USED)
DONE = Result(status=StepStatus.DONE, reason=Reason.DELETED)


@pytest.fixture
def execution(world: JournalWorld) -> Execution:
    """An execution of a new case."""
    return ExecutionWorld(journal=world).execution()


def test_a_step_is_meant_as_its_change_says() -> None:
    """The journal keeps the change as data, bound to its object; a task without a change has neither."""
    meant = task().step(START, 3)
    assert (meant.status, meant.change, meant.expected_uid) == ("intent", stored(DELETE), POD.uid)
    assert (meant.epoch, meant.intended_at, meant.settled_at) == (3, START, None)
    without = task("label_pod").step(START, 3)
    assert (without.change, without.expected_uid) == ({}, "")


def test_an_outcome_is_known_before_it_is_written(execution: Execution, world: JournalWorld) -> None:
    """It waits for the next write, and counts as known meanwhile, in place of the intent that was written."""
    execution.case.save(task().step(START, 1))
    world.clock.forward(5)
    execution.settle(task(), DONE)
    recorded = execution.recorded(task())
    assert recorded is not None
    assert (recorded.status, recorded.reason, recorded.settled_at) == ("done", "deleted", world.clock())
    assert [item.status for item in execution.steps] == ["done"]
    assert [item.status for item in world.record().steps] == ["intent"]
    assert execution.recorded(task(index=1)) is None


CARRIED_OUT = {
    status: status not in {"intent", "unknown", "dry_run", "held", "skipped", "waiting"} for status in StepStatus
}


@pytest.mark.parametrize(("status", "expected"), CARRIED_OUT.items())
def test_only_an_outcome_of_a_change_counts_as_carried_out(
    execution: Execution, status: StepStatus, *, expected: bool
) -> None:
    """An answer that changed nothing does not; nor does another policy's step of the same action."""
    execution.settle(task(), replace(DONE, status=status))
    assert execution.is_carried_out("contain", "delete_pod") is expected
    assert not execution.is_carried_out("other", "delete_pod")
    assert execution.is_waiting is (status is StepStatus.WAITING)


def reopened(world: JournalWorld, status: StepStatus) -> Execution:
    """An execution of a case that had this step and was opened again."""
    world.held().close(CaseState.DONE, "", replace(step(1, status), epoch=1))
    return ExecutionWorld(journal=world).execution(world.held(minutes=1, content="other"))


REPEATED = {
    StepStatus.DRY_RUN: (True, True),
    StepStatus.HELD: (True, True),
    StepStatus.SKIPPED: (True, True),
    StepStatus.WAITING: (True, True),
    StepStatus.FAILED: (False, True),
    StepStatus.NOT_POSSIBLE: (False, True),
}


@pytest.mark.parametrize("status", StepStatus)
def test_what_changed_nothing_may_be_tried_again(world: JournalWorld, status: StepStatus) -> None:
    """A failure may be once the case is opened again, and what was done never."""
    execution = reopened(world, status)
    (earlier,) = execution.steps
    now = replace(earlier, action_id="now", epoch=2)
    execution.pending.append(now)
    assert (execution.is_repeatable(now), execution.is_repeatable(earlier)) == REPEATED.get(status, (False, False))
    assert execution.current_steps == (now,)


APPROVALS: list[tuple[Task, bool, bool]] = [
    (task(mode=Mode.APPROVE), False, True),
    (task(mode=Mode.APPROVE), True, False),
    (task("capture_evidence", Mode.APPROVE), False, False),
    (task(mode=Mode.ENFORCE), False, False),
]


@pytest.mark.parametrize(("wanted", "approved", "expected"), APPROVALS)
def test_only_a_change_in_mode_approve_needs_approval(
    execution: Execution, wanted: Task, *, approved: bool, expected: bool
) -> None:
    """A person's approval of the plan, once it is in use, is for all of its steps."""
    execution.case.keep(replace(execution.case.record, plan=APPROVED if approved else None))
    assert execution.is_unapproved(wanted) is expected


def test_a_case_stays_with_the_pod_it_acted_on(world: JournalWorld) -> None:
    """A pod that was read instead by a later delivery is another one."""
    case = world.held()
    made = ExecutionWorld(journal=world)
    assert (made.execution(case).target_uid, made.execution(case, pod=False).target_uid) == (POD.uid, "")
    case.save(replace(step(1), change=stored(DELETE), expected_uid="uid-before", epoch=1))
    assert made.execution(case).target_uid == "uid-before"


def test_a_step_of_cloud_run_is_named_by_its_service(world: JournalWorld) -> None:
    """Before anything was done and after it alike, so that no delivery takes the step of another for a new one."""
    case = world.held()
    made = ExecutionWorld(journal=world)
    parts: dict[str, Any] = {"pod": False, "service": run_service(), "revision": run_revision(1)}

    def names() -> tuple[str, str]:
        execution = made.execution(case, **parts)
        planned = PlannedAction(action="roll_back_service", result=ActionResult.PLANNED, reason=Reason.PLANNED)
        return execution.target_uid, execution.action_id(planned)

    before = names()
    assert before[0] == "service-uid"
    for uid in ("service-uid", "revision-1"):
        case.save(replace(step(1), change={"change": "shift_traffic"}, expected_uid=uid, epoch=1))
        assert names() == before
    case.save(replace(step(1), change={"change": "shift_traffic"}, expected_uid="another", epoch=1))
    assert names()[0] == "another"
    assert made.execution(case, pod=False).target_uid == "another"


def test_an_outcome_belongs_to_the_claim_that_made_it(world: JournalWorld) -> None:
    """A second claim writes its own epoch, so that an opened case knows what is current."""
    world.held().release()
    execution = ExecutionWorld(journal=world).execution(world.held())
    execution.settle(task(), DONE)
    assert [item.epoch for item in execution.pending] == [2]
