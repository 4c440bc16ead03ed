"""One line of ASCII JSON per delivery, whatever an attacker put into it; end states computed from outcomes alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.finding import PodRef
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.messages import (
    Ending,
    conclusion,
    decision_summary,
    finding_summary,
    log_line,
    pod_summary,
    step_summary,
)
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from tests.kits.decision_contexts import POD, context

ENDING = Ending(status=204, reason="done", severity="NOTICE")
EVIL = st.text() | st.sampled_from(
    ['"}\n{"severity":"DEFAULT', "\u2028\u2029", "\x1b[2J\x07", "\u202etxt.exe", "\ud800", "a\r\nb", "\x00", "\x85"]
)


@given(name=EVIL, category=EVIL, message_id=EVIL)
def test_a_finding_cannot_split_the_log(name: str, category: str, message_id: str) -> None:
    """Whatever stands in a finding, the log gets exactly one line of printable ASCII that reads back the same."""
    finding = context(
        finding={"name": name, "category": category, "pods": (PodRef(namespace=name, name=name),)}
    ).finding
    line = log_line(ENDING, message_id, "", "", {"finding": finding_summary(finding), "threat": category})
    told = json.loads(line)
    assert line.isascii()
    assert line.isprintable()
    assert told["finding"]["name"] == name
    assert told["severity"] == "NOTICE"


def test_cloud_logging_finds_its_special_fields() -> None:
    """Cloud Logging finds severity, trace and labels where it looks for them."""
    told = json.loads(log_line(ENDING, "11", "a" * 32, "example-project", {"case": "0a0a", "state": "done", "x": 1}))
    assert told["logging.googleapis.com/trace"] == f"projects/example-project/traces/{'a' * 32}"
    assert told["logging.googleapis.com/labels"] == {
        "reason": "done",
        "message_id": "11",
        "case": "0a0a",
        "state": "done",
    }


@pytest.mark.parametrize(("trace", "project"), [("", "example-project"), ("a" * 32, "")])
def test_half_a_trace_is_none(trace: str, project: str) -> None:
    """Half a trace's name is none."""
    assert "logging.googleapis.com/trace" not in log_line(ENDING, "11", trace, project, {})


def steps(*outcomes: tuple[str, StepStatus]) -> list[Step]:
    return [Step(action_id=str(n), action=action, status=status) for n, (action, status) in enumerate(outcomes)]


DONE = ("label_pod", StepStatus.DONE)
CONCLUSIONS: list[Any] = [
    pytest.param([DONE], CaseState.DONE, id="done"),
    pytest.param([("label_pod", StepStatus.SKIPPED)], CaseState.DONE, id="nothing-to-do"),
    pytest.param([("label_pod", StepStatus.DRY_RUN)], CaseState.REHEARSED, id="dry-run-of-a-policy-no-longer-matched"),
    pytest.param([("label_pod", StepStatus.HELD)], CaseState.HELD, id="held"),
    pytest.param([("label_pod", StepStatus.HELD), ("notify", StepStatus.DONE)], CaseState.HELD, id="held-and-told-of"),
    pytest.param([DONE, ("delete_pod", StepStatus.HELD)], CaseState.PARTIAL, id="some-held"),
    *[
        pytest.param([DONE, ("delete_pod", status)], CaseState.PARTIAL, id=str(status))
        for status in StepStatus
        if status not in {StepStatus.DONE, StepStatus.SKIPPED, StepStatus.DRY_RUN, StepStatus.WAITING}
    ],
    pytest.param([("notify", StepStatus.FAILED)], CaseState.PARTIAL, id="not-told"),
    pytest.param([DONE, ("delete_pod", StepStatus.WAITING)], CaseState.WAITING, id="waiting"),
    pytest.param([("label_pod", StepStatus.FAILED), ("delete_pod", StepStatus.WAITING)], CaseState.WAITING, id="both"),
]


@pytest.mark.parametrize(("outcomes", "state"), CONCLUSIONS)
def test_only_verified_outcomes_end_as_success(outcomes: list[tuple[str, StepStatus]], state: CaseState) -> None:
    """No outcome but one that was carried out and read back ends as a success."""
    assert conclusion(steps(*outcomes), {"contain": Mode.ENFORCE}) == state


REHEARSAL = ("label_pod", StepStatus.DRY_RUN)
TOLD = ("notify", StepStatus.DONE)


def left_out(action: str) -> Step:
    """A step that takes what the deployment goes without."""
    reason = Reason.NO_COLLECTOR_IMAGE
    return Step(action_id=action, policy="contain", action=action, status=StepStatus.NOT_POSSIBLE, reason=reason)


def test_what_a_deployment_leaves_out_is_no_shortfall() -> None:
    """Beside what was done it does not count; where there was nothing else to do, nothing was done."""
    beside = steps(DONE, ("capture_evidence", StepStatus.DONE))
    for mode, state in {Mode.ENFORCE: CaseState.DONE, Mode.APPROVE: CaseState.DONE}.items():
        assert conclusion([*beside, left_out("sever_connections")], {"contain": mode}) == state
    held = steps(("isolate_pod", StepStatus.HELD))
    assert conclusion([*held, left_out("sever_connections")], {"contain": Mode.ENFORCE}) == CaseState.HELD
    alone = [*steps(("capture_evidence", StepStatus.DONE)), left_out("sever_connections")]
    assert conclusion(alone, {"contain": Mode.ENFORCE}) == CaseState.PARTIAL
    refused = replace(left_out("sever_connections"), reason=Reason.COLLECTOR_REFUSED)
    assert conclusion([*beside, refused], {"contain": Mode.ENFORCE}) == CaseState.PARTIAL


REHEARSALS: dict[str, tuple[list[tuple[str, StepStatus]], CaseState]] = {
    "rehearsed": ([REHEARSAL, TOLD], CaseState.REHEARSED),
    "only observed": ([("capture_evidence", StepStatus.DONE), TOLD], CaseState.REHEARSED),
    "evidence refused": ([REHEARSAL, ("capture_evidence", StepStatus.FAILED)], CaseState.PARTIAL),
    "not told": ([REHEARSAL, ("notify", StepStatus.FAILED)], CaseState.PARTIAL),
    "done before the mode was lowered": ([("isolate_pod", StepStatus.DONE), TOLD], CaseState.DONE),
    "half done before the mode was lowered": ([REHEARSAL, ("isolate_pod", StepStatus.DONE)], CaseState.PARTIAL),
    "intended before the mode was lowered": ([("isolate_pod", StepStatus.UNKNOWN)], CaseState.PARTIAL),
    **{
        f"rehearsed to {status}": ([REHEARSAL, ("delete_pod", status), TOLD], CaseState.REHEARSED)
        for status in (
            StepStatus.HELD,
            StepStatus.SKIPPED,
            StepStatus.FAILED,
            StepStatus.TARGET_GONE,
            StepStatus.TERMINATING,
        )
    },
}


@pytest.mark.parametrize(("outcomes", "state"), REHEARSALS.values(), ids=REHEARSALS)
def test_a_rehearsal_ends_as_a_rehearsal(outcomes: list[tuple[str, StepStatus]], state: CaseState) -> None:
    """Whatever its changes met; what was really done or tried counts as anywhere else."""
    found = [replace(step, policy="contain") for step in steps(*outcomes)]
    assert conclusion(found, {"contain": Mode.DRY_RUN}) == state


@pytest.mark.parametrize("reason", [Reason.ALREADY, Reason.ALREADY_LABELED])
def test_a_rehearsal_that_found_it_done_is_no_success(reason: Reason) -> None:
    """What another finding did on the same pod is not the work of a policy in `dry_run`."""
    found = [Step(action_id="a", policy="contain", action="isolate_pod", status=StepStatus.DONE, reason=reason)]
    assert conclusion(found, {"contain": Mode.DRY_RUN}) == CaseState.REHEARSED
    assert conclusion(found, {"contain": Mode.ENFORCE}) == CaseState.DONE


def test_a_rehearsal_beside_a_policy_that_acts() -> None:
    """What the policy that acts did, or could not do, is the end."""
    rehearsed = replace(steps(REHEARSAL)[0], policy="try")
    modes = {"try": Mode.DRY_RUN, "contain": Mode.ENFORCE}
    acted = {StepStatus.DONE: CaseState.DONE, StepStatus.HELD: CaseState.HELD, StepStatus.FAILED: CaseState.PARTIAL}
    for status, state in acted.items():
        step = Step(action_id="b", policy="contain", action="delete_pod", status=status)
        assert conclusion([rehearsed, step], modes) == state


def test_nothing_to_act_on_has_words_of_its_own() -> None:
    """No policy, or no target: neither is a success. A message about it changes nothing of that."""
    absent = [replace(step, reason=Reason.TARGET_ABSENT) for step in steps(("isolate_pod", StepStatus.SKIPPED))]
    assert conclusion(steps(TOLD), {}) == CaseState.NOTHING_MATCHED
    for mode in (Mode.DRY_RUN, Mode.ENFORCE):
        assert conclusion([*absent, *steps(TOLD)], {"contain": mode}) == CaseState.TARGET_ABSENT
    assert conclusion([*absent, *steps(DONE)], {"contain": Mode.ENFORCE}) == CaseState.DONE


HELD_BESIDE = Step(action_id="c", policy="contain", action="cordon_node", status=StepStatus.HELD)
ABSENT = {
    "the node": ([Reason.NODE_ABSENT], [], CaseState.TARGET_ABSENT, CaseState.TARGET_ABSENT),
    "pod and node": ([Reason.TARGET_ABSENT, Reason.NODE_ABSENT], [], CaseState.TARGET_ABSENT, CaseState.TARGET_ABSENT),
    "the pod, the node is held": ([Reason.TARGET_ABSENT], [HELD_BESIDE], CaseState.HELD, CaseState.TARGET_ABSENT),
    "the node, the pod is held": ([Reason.NODE_ABSENT], [HELD_BESIDE], CaseState.HELD, CaseState.REHEARSED),
    "the node, the pod is as it should be": (
        [Reason.NODE_ABSENT, Reason.ALREADY_LABELED],
        [],
        CaseState.DONE,
        CaseState.REHEARSED,
    ),
}


@pytest.mark.parametrize(("reasons", "beside", "enforced", "rehearsed"), ABSENT.values(), ids=ABSENT)
def test_what_is_gone_is_no_success(
    reasons: list[Reason], beside: list[Step], enforced: CaseState, rehearsed: CaseState
) -> None:
    """A node may be gone as a pod may; what is held beside it needs a person."""
    found = [
        Step(action_id=str(n), policy="contain", action="label_pod", status=StepStatus.SKIPPED, reason=reason)
        for n, reason in enumerate(reasons)
    ]
    assert conclusion([*found, *beside], {"contain": Mode.ENFORCE}) == enforced
    assert conclusion([*found, *beside], {"contain": Mode.DRY_RUN}) == rehearsed


AWAITED = Step(action_id="d", action="delete_pod", status=StepStatus.TERMINATING, reason=Reason.DELETION_AWAITED)
WAITS = Step(action_id="w", action="cordon_node", status=StepStatus.WAITING)
FAILS = Step(action_id="f", action="cordon_node", status=StepStatus.FAILED)
ENDED = Step(action_id="d", action="delete_pod", status=StepStatus.TERMINATING, reason=Reason.TERMINATING)


@pytest.mark.parametrize(
    ("steps", "state"),
    [
        ([AWAITED], CaseState.OPEN),
        ([AWAITED, FAILS], CaseState.OPEN),
        ([AWAITED, WAITS], CaseState.WAITING),
        ([ENDED], CaseState.PARTIAL),
    ],
)
def test_an_awaited_deletion_keeps_the_case_open(steps: list[Step], state: CaseState) -> None:
    """Whatever else came of it, unless a person is waited for; a deletion that never came to its end closes it."""
    assert conclusion(steps, {}) is state


EVENT = datetime(2026, 3, 2, 9, 38, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "due_at", "state"),
    [
        (StepStatus.TERMINATING, EVENT, CaseState.PARTIAL),
        (StepStatus.TERMINATING, None, CaseState.REHEARSED),
        (StepStatus.HELD, EVENT, CaseState.REHEARSED),
    ],
)
def test_a_deletion_that_was_sent_is_no_rehearsal(
    status: StepStatus, due_at: datetime | None, state: CaseState
) -> None:
    """Whatever the mode is by now; one that met a pod on its way out, or a budget, sent nothing."""
    step = Step(action_id="a", action="delete_pod", policy="contain", status=status, due_at=due_at)
    assert conclusion([step], {"contain": Mode.DRY_RUN}) is state


def test_a_case_keeps_why_it_was_decided() -> None:
    """The policy set, the pod and every policy's answer, also of those that did not match."""
    notify = PlannedAction(action="notify", result=ActionResult.PLANNED, reason=Reason.PLANNED)
    policies = (
        PolicyDecision(name="a", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=(notify,)),
        PolicyDecision(name="b", mode=Mode.DISABLED, matched=False, reason=Reason.MODE_DISABLED),
    )
    summary = decision_summary(context(), Decision(policies=policies), "p", CaseFacts())
    assert (summary["policy_digest"], summary["reason"], summary["pod"]["uid"]) == ("p", "planned", POD.uid)
    assert [(policy["name"], policy["mode"], policy["reason"]) for policy in summary["policies"]] == [
        ("a", "enforce", "matched"),
        ("b", "disabled", "mode_disabled"),
    ]
    assert summary["policies"][0]["actions"] == [
        {"action": "notify", "result": "planned", "reason": "planned", "changes": ()}
    ]


def test_a_missing_pod_has_no_fields() -> None:
    """The case says why the pod was not read; of a pod without an owner no workload is named."""
    gone = context(pod=False)
    assert (pod_summary(gone), decision_summary(gone, Decision(policies=()), "p", CaseFacts())["pod"]) == ({}, None)
    assert decision_summary(gone, Decision(policies=()), "p", CaseFacts())["missing"] == {"pod": "target_absent"}
    read, alone = pod_summary(context()), pod_summary(context(pod={"owners": ()}, node=None))
    assert (read["workload"], alone["workload"], alone["instance_id"]) == ("Deployment/web", "", "")


def test_a_step_is_told_with_its_target() -> None:
    """Its outcome, its reason and the object that the change was bound to."""
    told = step_summary(
        Step(action_id="a", action="delete_pod", status=StepStatus.DONE, reason="deleted", expected_uid="u")
    )
    assert (told["action"], told["status"], told["reason"], told["target_uid"]) == (
        "delete_pod",
        "done",
        "deleted",
        "u",
    )
