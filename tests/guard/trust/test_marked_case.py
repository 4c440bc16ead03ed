"""Which of a case's steps a person's verdict is about, and for which policies it counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import Change, stored
from scc_responder.domain.changes.create_network_policy import CreateNetworkPolicy, Enforcement
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.guard.trust.marked_case import marked, verdicts
from scc_responder.journal.case import CaseRecord, PersonsMark
from scc_responder.journal.step import Step

START = datetime(2026, 3, 2, 9, 31, 12, tzinfo=UTC)
WRONG = PersonsMark(is_wrong=True, by="oncall@example.com", at=START)
POD = {"namespace": "shop", "name": "web-1", "uid": "u1"}
DELETE = DeletePod(**POD)
ISOLATE = CreateNetworkPolicy(
    namespace="shop", name="n", pod_name="web-1", pod_uid="u1", selector={"a": "b"}, effective=Enforcement.ENFORCED
)
CORDON = PatchObject(kind="Node", name="node-1", uid="n1", spec={"unschedulable": True})
RECORD = CaseRecord(
    finding_key="5401ff97f041",
    finding_name="",
    event_time=START,
    digest="",
    decision={"pod": {**POD, "workload": "Deployment/web"}},
)


def step(change: Change, status: StepStatus = StepStatus.DONE, **fields: Any) -> Step:
    return Step(**{"action_id": "a", "policy": "contain", "change": stored(change), "status": status, **fields})


COUNTED = [
    pytest.param(step(DELETE), (True, ""), id="a-deletion"),
    pytest.param(step(DELETE, StepStatus.TERMINATING), (True, ""), id="one-that-goes-on"),
    pytest.param(step(ISOLATE), (False, "Deployment/web"), id="an-isolation"),
    pytest.param(step(ISOLATE, StepStatus.NOT_EFFECTIVE), (False, "Deployment/web"), id="one-that-does-not-hold"),
    pytest.param(step(ISOLATE, reason=Reason.ALREADY), None, id="one-that-stood"),
    pytest.param(step(DELETE, StepStatus.HELD), None, id="held"),
    pytest.param(step(DELETE, StepStatus.DRY_RUN), None, id="rehearsed"),
    pytest.param(step(CORDON), None, id="a-cordon"),
    pytest.param(step(ISOLATE, policy=""), None, id="of-no-policy"),
    pytest.param(step(ISOLATE, undoes="a"), None, id="taken-back"),
]


@pytest.mark.parametrize(
    ("held", "plan", "reason"),
    [(False, "", "marked"), (True, "", "case_in_progress"), (False, "f" * 64, "plan_digest_differs")],
)
def test_a_mark_is_about_what_was_shown(held: bool, plan: str, reason: str) -> None:
    """A case that is worked on, and one whose plan is another than the person saw, take none."""
    made = marked(RECORD, held, WRONG, plan)
    assert (made.reason, made.record is None) == (reason, reason != "marked")


@pytest.mark.parametrize(("one", "counts"), COUNTED)
def test_what_is_counted(one: Step, counts: tuple[bool, str] | None) -> None:
    """Only what a policy did itself to the pod."""
    found = [(verdict.is_final, verdict.workload) for _, verdict in verdicts(replace(RECORD, steps=(one,)), WRONG)]
    assert found == ([counts] if counts else [])


def test_each_policy_answers_for_its_own() -> None:
    """Of two policies in one case, one deleted and one isolated."""
    steps = (step(DELETE, policy="deletes"), step(ISOLATE, policy="isolates"))
    found = {name: verdict.is_final for name, verdict in verdicts(replace(RECORD, steps=steps), WRONG)}
    assert found == {"deletes": True, "isolates": False}


def test_the_mark_is_kept_in_the_case() -> None:
    """The last one; none while a delivery works on the case."""
    first = marked(RECORD, False, WRONG).record
    assert first is not None
    right = replace(WRONG, is_wrong=False)
    last = marked(first, False, right).record
    assert last is not None
    assert (last.mark, last.state, last.steps) == (right, RECORD.state, RECORD.steps)
    assert (marked(RECORD, True, WRONG).status, marked(RECORD, True, WRONG).record) == (409, None)
