"""An execution that runs is cancelled; one that has ended, or is not known, is not."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.actions import Hold, Skip, actions
from scc_responder.domain.changes.cloud_run.cancel_execution import CancelExecution
from scc_responder.domain.context import Context
from scc_responder.pipeline.undo.inverses import inverse_of
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import BAD, NIGHTLY, before, run_execution, run_finding, run_job

CANCEL = actions()["cancel_execution"]
ENDED = run_execution("a", completion_time=before(minutes=1))
OVER = run_execution("b", completion_time=before(hours=1))


def planned(**facts: Any) -> Any:
    """The plan where this was read."""
    return CANCEL.plan(Context(finding=run_finding(), threat=THREAT, **facts), CANCEL.params())


def test_the_execution_that_is_meant_is_cancelled() -> None:
    """By the UIDs of job and execution; whoever approves it knows what goes on afterwards."""
    (change,) = planned(job=run_job(), execution=run_execution("a", running=2))
    assert change == CancelExecution(
        path=NIGHTLY.path, uid="job-uid", execution="nightly-a", execution_uid="execution-a"
    )
    assert "schedule, runs the same image again" in change.felt
    assert inverse_of(change) is None
    assert (CANCEL.reversible, CANCEL.needs_identity) == (False, True)


@pytest.mark.parametrize(
    ("facts", "kind", "reason"),
    [
        ({"execution": ENDED}, Skip, "execution_ended"),
        ({"execution": ENDED, "executions": (ENDED,)}, Skip, "execution_ended"),
        ({"execution": ENDED, "executions": (run_execution("b"), ENDED)}, Hold, "other_executions_run"),
        ({"execution": ENDED, "executions": (run_execution("b", ""), ENDED)}, Hold, "other_executions_run"),
        ({"execution": ENDED, "executions": (run_execution("b", BAD), ENDED)}, Skip, "execution_ended"),
        ({"execution": ENDED, "executions": (OVER, ENDED)}, Skip, "execution_ended"),
        ({"execution": ENDED, "missing": {"executions": "partial_list"}}, Hold, "partial_list"),
        ({"missing": {"execution": "several_executions"}}, Hold, "several_executions"),
        ({"missing": {"execution": "execution_gone"}}, Hold, "execution_gone"),
        ({"missing": {"executions": "partial_list"}}, Hold, "partial_list"),
        ({"missing": {"job": "target_absent"}, "job": None}, Skip, "target_absent"),
        ({"missing": {"job": "cloud_run_permission_denied"}, "job": None}, Hold, "cloud_run_permission_denied"),
        ({"missing": {"job": "of a later version"}, "job": None}, Hold, "service_unreadable"),
        ({"job": None}, Hold, "execution_not_known"),
    ],
)
def test_a_plan_without_a_running_execution_says_why(facts: dict[str, Any], kind: type, reason: str) -> None:
    """What has ended, or is gone, needs nothing, unless others run the same image; anything else is held."""
    plan = planned(**{"job": run_job(), **facts})
    assert isinstance(plan, kind)
    assert getattr(plan, "reason", "") == reason


def test_an_execution_whose_tasks_still_run_has_not_ended() -> None:
    """A time of completion alone does not say that they are gone."""
    assert len(planned(job=run_job(), execution=run_execution("a", completion_time=before(minutes=1), running=1))) == 1
