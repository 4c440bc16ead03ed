"""How far a threat is contained, and since when, by what the steps of its case read back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.capture_again import CaptureAgain
from scc_responder.domain.status import CaseState, Containment, FrozenProcess, StepStatus
from scc_responder.journal.case import CaseRecord, Closing
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.contained import (
    MEANINGS,
    contained_fields,
    contained_seconds,
    containment,
    frozen_processes,
    instances_unknown,
    is_contained_anew,
    not_contained,
)
from scc_responder.journal.step import Step

EVENT = datetime(2026, 3, 2, 9, 38, 16, tzinfo=UTC)
DONE = StepStatus.DONE


def step(reached: str, after: float | None = None, status: StepStatus = DONE, epoch: int = 1) -> Step:
    """A step that came this far, this many seconds after the event."""
    moment = None if after is None else EVENT + timedelta(seconds=after)
    return Step(
        action_id=f"{reached}{after}{epoch}", status=status, epoch=epoch, containment=reached, contained_at=moment
    )


def case(*steps: Step, **fields: Any) -> CaseRecord:
    closed = EVENT + timedelta(seconds=600)
    return CaseRecord(
        finding_key="k", finding_name="f", event_time=EVENT, digest="d", steps=steps, closed_at=closed, **fields
    )


CUT_OFF = step("isolated", 1)
"""With a time that no version stores: it counts for nothing."""
CONTAINED: list[Any] = [
    pytest.param([], None, None, id="nothing was done"),
    pytest.param([CUT_OFF], "isolated", None, id="established connections may go on"),
    pytest.param([step("frozen")], "frozen", None, id="frozen, and connected"),
    pytest.param([CUT_OFF, step("severed", 2.5)], "severed", 2.5, id="severed"),
    pytest.param([step("severed", 2.5), step("frozen")], "frozen", 2.5, id="severed and frozen"),
    pytest.param([step("frozen", 3)], "frozen", 3.0, id="frozen on the host network"),
    pytest.param([step("processes_ended", 90)], "processes_ended", 90.0, id="the processes have ended"),
    pytest.param([step("severed", 2), step("deleted", 90)], "deleted", 2.0, id="the first moment counts"),
    pytest.param([step("deleted")], "deleted", None, id="nobody saw the processes end"),
    pytest.param([step("processes_ended", -2)], "processes_ended", 0.0, id="clocks differ"),
    pytest.param([step("severed", 2, StepStatus.DRY_RUN)], None, None, id="rehearsed"),
    pytest.param([step("severed", 2, StepStatus.NOT_EFFECTIVE)], None, None, id="not effective"),
    pytest.param([step("blurred", 2)], None, None, id="a later version's word"),
    pytest.param([step("", None)], None, None, id="an earlier version's step"),
]


@pytest.mark.parametrize(("steps", "reached", "seconds"), CONTAINED)
@pytest.mark.parametrize("state", [CaseState.DONE, CaseState.PARTIAL, CaseState.WAITING, CaseState.OPEN])
def test_only_what_was_read_back_counts(
    steps: list[Step], reached: str | None, seconds: float | None, state: CaseState
) -> None:
    """Up to the moment itself, whatever else came of the case: a sweep may close it much later."""
    record = case(*steps, state=state)
    assert (containment(record.current_steps), contained_seconds(record)) == (reached, seconds)


def test_every_degree_has_its_place() -> None:
    """Each next one takes the word from those before it."""
    words = [str(word) for word in Containment]
    assert words[:5] == ["isolated", "severed", "frozen", "processes_ended", "deleted"]
    assert words[5:] == ["retired", "scaled_to_zero", "execution_ended"]
    assert list(MEANINGS) == words
    assert [containment(map(step, words[: number + 1])) for number in range(len(words))] == words


RETIRED = step("retired", 4)
ROLLED_BACK = [replace(RETIRED, policy="contain", action="roll_back_service")]


def cut(status: StepStatus = DONE, reason: str = "access_cut", after: float = 6, action: str = "cut_ingress") -> Step:
    """A step that is to cut access, as it ended so many seconds after the event."""
    fields = {"status": status, "reason": reason, "settled_at": EVENT + timedelta(seconds=after)}
    return Step(action_id=action, policy="contain", action=action, epoch=1, **fields)


def asked(*names: str, mode: str = "approve", reason: str = "planned", changes: int = 1) -> dict[str, Any]:
    """What a case keeps of a policy that asks for these actions."""
    answers = [{"action": name, "result": reason, "reason": reason, "changes": [{}] * changes} for name in names]
    return {"policies": [{"name": "contain", "mode": mode, "matched": True, "actions": answers}]}


HELD, WAITING, FAILED, SKIPPED = StepStatus.HELD, StepStatus.WAITING, StepStatus.FAILED, StepStatus.SKIPPED
BOTH = asked("roll_back_service", "cut_ingress")
OF_CLOUD_RUN: list[Any] = [
    pytest.param([], asked("roll_back_service"), 4.0, [], id="nothing else was planned"),
    pytest.param([cut()], BOTH, 6.0, [], id="the latest moment counts"),
    pytest.param([cut(after=2)], BOTH, 4.0, [], id="the latest moment is that of the traffic"),
    pytest.param([cut(SKIPPED, "already_internal")], BOTH, 4.0, [], id="it was cut already"),
    pytest.param([cut(HELD, "limit_service")], BOTH, None, ["cut_ingress: held: limit_service"], id="held"),
    pytest.param([cut(FAILED, "x")], BOTH, None, ["cut_ingress: failed: x"], id="failed"),
    pytest.param([cut(WAITING, "x")], BOTH, None, ["cut_ingress: waiting: x"], id="waits"),
    pytest.param([cut(StepStatus.NOT_EFFECTIVE, "x")], BOTH, None, ["cut_ingress: not_effective: x"], id="no effect"),
    pytest.param([cut(SKIPPED, "target_absent")], BOTH, None, ["cut_ingress: skipped: target_absent"], id="skipped"),
    pytest.param([], BOTH, None, ["cut_ingress: not done yet"], id="not reached"),
    pytest.param([cut()], asked("cut_ingress", changes=2), None, ["cut_ingress: not done yet"], id="half done"),
    pytest.param([replace(cut(), policy="other")], BOTH, 6.0, [], id="another policy did the same"),
    pytest.param([], asked("cut_ingress", reason="enforced_by_other_policy"), 4.0, [], id="left to another policy"),
    pytest.param([cut(StepStatus.DRY_RUN, "x")], asked("cut_ingress", mode="dry_run"), 4.0, [], id="only rehearsed"),
    pytest.param([], {}, 4.0, [], id="nothing is known to be planned"),
    pytest.param(
        [replace(cut(action="cancel_execution"), left="1 other execution of the job still runs: nightly-b")],
        asked("cancel_execution"),
        None,
        ["1 other execution of the job still runs: nightly-b"],
        id="another execution runs",
    ),
    pytest.param(
        [cut(reason="instances_left", action="capture_evidence")],
        asked("roll_back_service"),
        None,
        ["instances of the revision still run"],
        id="instances run",
    ),
]


@pytest.mark.parametrize(("steps", "decision", "seconds", "left"), OF_CLOUD_RUN)
@pytest.mark.parametrize("reached", ["retired", "execution_ended"])
def test_cloud_run_is_contained_once_access_is_cut(
    reached: str, steps: list[Step], decision: dict[str, Any], seconds: float | None, left: list[str]
) -> None:
    """Every step that was planned to cut access is done or was so already; the moment is that of the last of them."""
    moved = [replace(each, containment=reached) for each in ROLLED_BACK]
    record = case(*moved, *steps, state=CaseState.DONE, decision=decision)
    assert (containment(record.current_steps), contained_seconds(record)) == (reached, seconds)
    assert [*not_contained(record)] == left
    assert contained_fields(record).get("not_contained", []) == left


def test_scaled_to_zero_alone_is_not_contained() -> None:
    """Its last instance may still be ending, and traffic may go to the revision."""
    scaled = step("scaled_to_zero", 5)
    assert contained_fields(case(scaled)) == {"containment": "scaled_to_zero"}
    assert contained_fields(case(RETIRED, scaled, state=CaseState.DONE)) == {
        "containment": "scaled_to_zero",
        "contained_seconds": 4.0,
    }


def test_a_case_that_is_worked_on_is_judged_by_its_decision() -> None:
    """What it keeps tells nothing yet; a message in between knows what is still planned."""
    record = case(*ROLLED_BACK, state=CaseState.OPEN)
    assert contained_seconds(record) is None
    assert [*not_contained(record)] == ["the case is not at its end"]
    assert contained_fields(record, BOTH["policies"])["not_contained"] == ["cut_ingress: not done yet"]
    assert contained_seconds(record, asked("roll_back_service")["policies"]) == 4.0


def test_a_late_cut_contains_in_its_own_delivery() -> None:
    """The approval that cuts access is what contains it, not the rollback before."""
    late = replace(cut(after=90), epoch=2)
    done = case(*ROLLED_BACK, late, state=CaseState.DONE, decision=BOTH, epoch=2)
    assert (contained_seconds(done), is_contained_anew(done)) == (90.0, True)
    assert not is_contained_anew(replace(done, epoch=3))


def test_a_containment_counts_once() -> None:
    """In the delivery that reached it: an approval or a sweep that goes on with the case does not count it again."""
    severed, deleted = step("severed", 2, epoch=1), step("deleted", 90, epoch=2)
    assert is_contained_anew(case(severed, epoch=1))
    assert not is_contained_anew(case(severed, deleted, epoch=2))
    assert is_contained_anew(case(step("isolated", epoch=1), deleted, epoch=2))
    assert not is_contained_anew(case(step("isolated", epoch=1), epoch=1))


def test_an_earlier_opening_does_not_count() -> None:
    """What was contained before the finding came again says nothing of now."""
    record = case(step("severed", 2), history=(Closing(state=CaseState.DONE, epoch=1),), epoch=2)
    assert (containment(record.current_steps), contained_seconds(record)) == (None, None)


EARLIER = {
    "finding_key": "k",
    "finding_name": "f",
    "event_time": "2026-03-02T09:38:16Z",
    "digest": "d",
    "schema": 1,
    "state": "done",
    "closed_at": "2026-03-02T09:38:18Z",
}


@pytest.mark.parametrize(("action", "reason"), [("isolate_pod", "isolated"), ("delete_pod", "deleted")])
def test_what_an_earlier_version_said_is_not_repeated(action: str, reason: str) -> None:
    """Its `isolated` counted as contained, and its `deleted` was said of processes that ran on."""
    step = {"action_id": "a", "action": action, "status": "done", "reason": reason, "epoch": 1, "change": {}}
    record = decode(json.dumps({**EARLIER, "steps": [step]}).encode())
    assert (record.state, record.steps[0].reason) == ("done", reason)
    assert contained_fields(record) == {}


def test_a_containment_is_stored() -> None:
    """The word and the moment come back as they were written; a word of a later version harms nothing."""
    record = case(step("severed", 2.5), step("blurred", 1))
    again = decode(encode(record))
    assert [(item.containment, item.contained_at) for item in again.steps] == [
        ("severed", EVENT + timedelta(seconds=2.5)),
        ("blurred", EVENT + timedelta(seconds=1)),
    ]
    assert contained_fields(again) == {"containment": "severed", "contained_seconds": 2.5}


def stopped(reason: str, uid: str = "u1", **fields: Any) -> Step:
    """A step about the processes of a pod."""
    pids = (FrozenProcess(pid=43, start_ticks=8043),) if reason == "frozen" else ()
    return Step(
        action_id=f"{reason}{uid}", status=DONE, reason=reason, expected_uid=uid, frozen=pids, epoch=1, **fields
    )


@pytest.mark.parametrize(("thawed", "expected"), [([], "frozen"), (["u2"], "frozen"), (["u1"], None)])
def test_what_goes_on_again_is_not_frozen(thawed: list[str], expected: str | None) -> None:
    """A thaw takes back what the freezing of the same pod came to, its moment too."""
    moment = EVENT + timedelta(seconds=2)
    steps = (stopped("frozen", containment="frozen", contained_at=moment), *(stopped("thawed", uid) for uid in thawed))
    assert containment(steps) == expected
    assert contained_seconds(case(*steps)) == (2.0 if expected else None)
    assert len(frozen_processes(steps, "u1")) == (1 if expected else 0)


AGAIN = Step(action_id="again", status=DONE, epoch=1, change=stored(CaptureAgain()))


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([], ""),
        ([RETIRED], "not counted"),
        ([RETIRED, AGAIN], ""),
        ([RETIRED, replace(AGAIN, unknown="no_points")], "no_points"),
        ([RETIRED, replace(AGAIN, status=StepStatus.FAILED, unknown="no_points")], "not counted"),
        ([step("execution_ended", 4), replace(AGAIN, unknown="no_points")], ""),
    ],
)
def test_it_is_said_why_nobody_knows_of_instances(steps: list[Step], why: str) -> None:
    """Of a revision that is retired: by the evidence that was taken after it, else by nobody."""
    assert instances_unknown(case(*steps), "not counted") == why
