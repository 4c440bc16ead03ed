"""What a deletion needs of a look: files that are kept or gone, or a person who approved of losing them."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import Process
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from scc_responder.execute.dependencies import unmet
from scc_responder.execute.execution import Task
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision
from tests.kits.executions import ExecutionWorld
from tests.kits.journal_worlds import START, JournalWorld


def planned(action: str, *needed: str) -> PlannedAction:
    """One step of the policy."""
    return PlannedAction(action=action, result=ActionResult.PLANNED, reason=Reason.PLANNED, needs=needed)


APPROVED = Plan(digest="d", policy_digest="p", steps=(), created_at=START, expires_at=START, state=PlanState.USED)
LOOK, DELETE = planned("inspect_container"), planned("delete_pod", "inspect_container")


@pytest.mark.parametrize(
    ("status", "mode", "given", "needed"),
    [
        (StepStatus.DONE, Mode.ENFORCE, "", ""),
        (StepStatus.NOT_EFFECTIVE, Mode.ENFORCE, "", "inspect_container"),
        (StepStatus.FAILED, Mode.ENFORCE, "", "inspect_container"),
        (StepStatus.NOT_POSSIBLE, Mode.ENFORCE, "", "inspect_container"),
        (StepStatus.NOT_POSSIBLE, Mode.ENFORCE, "approved", "inspect_container"),
        (StepStatus.NOT_POSSIBLE, Mode.APPROVE, "", "inspect_container"),
        (StepStatus.NOT_POSSIBLE, Mode.APPROVE, "approved", ""),
        (StepStatus.NOT_EFFECTIVE, Mode.APPROVE, "approved", "inspect_container"),
        (StepStatus.FAILED, Mode.ENFORCE, "no_files", ""),
        (None, Mode.ENFORCE, "", "inspect_container"),
        (None, Mode.ENFORCE, "no_files", ""),
    ],
)
def test_a_deletion_follows_what_is_safe(
    tmp_path: Path, status: StepStatus | None, mode: Mode, given: str, needed: str
) -> None:
    """An approval makes up for what is not possible, never for what was done in part, nor where none was asked for."""
    finding = {"processes": (Process(binary="/tmp/x"),)} if given != "no_files" else {}
    execution = ExecutionWorld(journal=JournalWorld(tmp_path / "store.db")).execution(finding=finding)
    policy = PolicyDecision(name="p", mode=mode, matched=True, reason=Reason.MATCHED, actions=(LOOK, DELETE))
    if given == "approved":
        execution.case.keep(replace(execution.case.record, plan=APPROVED))
    if status is not None:
        task = Task(policy=policy, action="inspect_container", action_id=execution.action_id(LOOK))
        execution.settle(task, Result(status=status, reason=Reason.DONE))
    assert unmet(execution, policy, DELETE) == needed
