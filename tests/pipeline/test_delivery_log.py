"""The one line that a delivery leaves, and how a case ends in its worst step's word."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.errors import OversizeMessage, RejectedMessage
from scc_responder.domain.mode import Mode
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.intake.envelope import open_envelope
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.messages import Ending
from scc_responder.journal.plan import Plan
from scc_responder.journal.step import Step
from scc_responder.pipeline.delivery_log import DeliveryLog, ending_of
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from tests.findings import notification, push_body
from tests.kits.decision_contexts import FINDING, context

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DECISION = Decision(
    policies=(
        PolicyDecision(
            name="contain",
            mode=Mode.ENFORCE,
            matched=True,
            reason="matched",
            actions=(PlannedAction(action="label_pod", result="planned", reason="planned"),),
        ),
    )
)
RECORD = CaseRecord(
    finding_key=FINDING.key,
    finding_name=FINDING.name,
    event_time=NOON,
    digest="d",
    updated_at=NOON,
    state=CaseState.DONE,
)


def line(log: DeliveryLog) -> dict[str, Any]:
    """The log line, as Cloud Logging reads it."""
    return dict(json.loads(log.line(Ending(status=204, reason="done"), "example-project")))


def test_a_finding_is_told_in_full() -> None:
    """Message, finding, threat, identity, switch, policies and steps."""
    log = DeliveryLog(NOON)
    log.delivered(open_envelope(push_body(notification("reverse_shell"), delivery_attempt=2), {}))
    log.about(FINDING)
    log.knows(context(missing={"related": "timeout"}))
    log.switched("enforce")
    log.decided(DECISION, RECORD)
    told = json.dumps(line(log))
    for word in (FINDING.key[:12], "reverse_shell", "proved", "timeout", "contain", "delivery_attempt"):
        assert word in told
    assert log.sha256 not in told


def test_junk_is_known_by_its_hash() -> None:
    """Whatever was reached of it."""
    for error in (
        RejectedMessage("not_json", sha256="ab" * 32, message_id="7"),
        OversizeMessage("too_large", sha256="ab" * 32, message_id="7"),
    ):
        log = DeliveryLog(NOON)
        log.rejected(error)
        assert "ab" * 32 in json.dumps(line(log))
        assert log.message_id == "7"


def test_a_waiting_plan_says_how_to_answer() -> None:
    """With the function's own address."""
    plan = Plan(digest="d" * 64, policy_digest="p", steps=(), created_at=NOON, expires_at=NOON + timedelta(hours=1))
    log = DeliveryLog(NOON)
    log.about(FINDING)
    log.decided(DECISION, replace(RECORD, plan=plan), "https://function.example.com")
    assert "https://function.example.com" in json.dumps(line(log))


def step(status: StepStatus, reason: str) -> Step:
    return Step(action_id=reason, policy="contain", action="label_pod", status=status, reason=reason, epoch=1)


ENDINGS: list[Any] = [
    ([step(StepStatus.DONE, "patched"), step(StepStatus.FAILED, "denied")], "denied", "ERROR"),
    ([step(StepStatus.HELD, "protected"), step(StepStatus.TARGET_GONE, "gone_by_other")], "gone_by_other", "WARNING"),
    ([step(StepStatus.DONE, "patched"), step(StepStatus.SKIPPED, "already_labeled")], "done", "NOTICE"),
    ([step(StepStatus.SKIPPED, "already_labeled")], "already_labeled", "INFO"),
    ([], "done_before", "INFO"),
    ([step(StepStatus.DONE, "patched"), step(StepStatus.NOT_POSSIBLE, "no_collector_image")], "done", "NOTICE"),
    ([step(StepStatus.NOT_POSSIBLE, "no_collector_image")], "no_collector_image", "WARNING"),
    (
        [step(StepStatus.DONE, "patched"), step(StepStatus.NOT_POSSIBLE, "image_not_pulled")],
        "image_not_pulled",
        "WARNING",
    ),
]


@pytest.mark.parametrize(("steps", "reason", "severity"), ENDINGS)
def test_the_worst_step_names_the_end(steps: list[Step], reason: str, severity: str) -> None:
    """An error before what is held, and that before what was done."""
    found = ending_of(replace(RECORD, steps=tuple(steps)), DECISION, severe=True)
    assert (found.status, found.reason, found.severity) == (204, reason, severity)


UNDONE: dict[str, tuple[CaseState, list[Step], bool, str, str]] = {
    "rehearsed": (CaseState.REHEARSED, [step(StepStatus.DRY_RUN, "would_patch")], True, "dry_run", "NOTICE"),
    "held in rehearsal": (CaseState.REHEARSED, [step(StepStatus.HELD, "protected")], True, "protected", "WARNING"),
    "refused in rehearsal": (CaseState.REHEARSED, [step(StepStatus.FAILED, "denied")], True, "denied", "WARNING"),
    "nothing matched": (CaseState.NOTHING_MATCHED, [], False, "no_policy_matched", "INFO"),
    "nothing matched, severe": (CaseState.NOTHING_MATCHED, [], True, "no_policy_matched", "WARNING"),
    "absent": (CaseState.TARGET_ABSENT, [step(StepStatus.SKIPPED, "target_absent")], False, "target_absent", "INFO"),
    "absent, severe": (CaseState.TARGET_ABSENT, [step(StepStatus.DONE, "captured")], True, "target_absent", "WARNING"),
}


@pytest.mark.parametrize(("state", "steps", "severe", "reason", "severity"), UNDONE.values(), ids=UNDONE)
def test_an_end_without_a_change_says_so(
    state: CaseState, steps: list[Step], severe: bool, reason: str, severity: str
) -> None:
    """A rehearsal is never an error; a severe threat to which nothing answered is a warning."""
    found = ending_of(replace(RECORD, state=state, steps=tuple(steps)), DECISION, severe=severe)
    assert (found.reason, found.severity) == (reason, severity)


CUT_OFF = Step(action_id="a", action="isolate_pod", status=StepStatus.DONE, epoch=1, containment="isolated")
SEVERED = replace(CUT_OFF, action_id="b", containment="severed", contained_at=NOON + timedelta(seconds=2))


@pytest.mark.parametrize(
    ("steps", "epoch", "said"),
    [
        pytest.param((), 1, {}, id="nothing"),
        pytest.param((CUT_OFF,), 1, {"containment": "isolated"}, id="isolated"),
        pytest.param((CUT_OFF, SEVERED), 1, {"containment": "severed", "contained_seconds": 2.0}, id="severed"),
        pytest.param((CUT_OFF, SEVERED), 2, {"containment": "severed"}, id="severed by an earlier delivery"),
    ],
)
def test_a_line_says_how_far_it_is_contained(steps: tuple[Step, ...], epoch: int, said: dict[str, Any]) -> None:
    """The time to contain is logged once, so that it is counted once."""
    log = DeliveryLog(NOON)
    log.left(replace(RECORD, steps=steps, epoch=epoch))
    assert {name: value for name, value in line(log).items() if "contain" in name} == said


def test_what_was_made_unavailable_is_named() -> None:
    """By this delivery, once an action: no mark, no evidence, nothing of before, rehearsed, or found so."""
    made = {"status": StepStatus.DONE, "epoch": 2, "intended_at": NOON}
    rows = [
        ("isolate_pod", "patch_object", made),
        ("isolate_pod", "create_network_policy", made),
        ("isolate_pod", "create_network_policy", made),
        ("delete_pod", "patch_object", made),
        ("evict_pod", "evict_pod", {**made, "status": StepStatus.TERMINATING}),
        ("cordon_node", "patch_object", made),
        ("label_pod", "patch_object", made),
        ("capture_evidence", "capture_evidence", made),
        ("delete_pod", "delete_pod", {**made, "epoch": 1}),
        ("sever_connections", "sever_connections", {**made, "intended_at": None}),
        ("detach_pod", "detach_pod", {**made, "status": StepStatus.DRY_RUN}),
        ("an_action_of_before", "a_change_of_before", made),
    ]
    steps = tuple(
        Step(action_id=str(number), action=name, change={"change": kind}, **fields)
        for number, (name, kind, fields) in enumerate(rows)
    )
    log = DeliveryLog(NOON)
    log.decided(DECISION, replace(RECORD, steps=steps, epoch=2))
    assert line(log)["changed"] == ["isolate_pod", "evict_pod", "cordon_node"]
    log = DeliveryLog(NOON)
    log.decided(DECISION, replace(RECORD, steps=steps, epoch=3))
    assert "changed" not in line(log)
