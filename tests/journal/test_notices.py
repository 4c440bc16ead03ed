"""What subscribers of the outcome topic rely on stays as it is, byte for byte."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.context import Identity
from scc_responder.domain.mode import Mode
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.account.incident_keys import incident_keys
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.messages import decision_summary
from scc_responder.journal.notices import breaker_notice, case_notice, outcome_notice
from scc_responder.journal.step import Step
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.policy.routes import is_severe_for_routes
from tests.journal.test_messages import EVIL
from tests.kits.decision_contexts import NODE, THREAT, context
from tests.kits.journal_worlds import START

STEP = Step(
    action_id="0a",
    policy="contain",
    action="label_pod",
    status=StepStatus.DONE,
    reason="patched",
    expected_uid="1",
    epoch=1,
)
PLANNED = PlannedAction(action="label_pod", result="planned", reason="")
POLICY = PolicyDecision(name="contain", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=(PLANNED,))
RECORD = CaseRecord(
    finding_key="0a" * 32, finding_name="f1", category="Reverse Shell", event_time=START, digest="0b", steps=(STEP,)
)
STEP_TEXT = (
    b'"steps":[{"policy":"contain","action":"label_pod","action_id":"0a","status":"done","reason":"patched",'
    b'"detail":"","target_uid":"1"}]}'
)
OUTCOME = (
    b'{"case":"0a0a0a0a0a0a","finding":{"name":"organizations/123456789012/sources/1/locations/global/findings/f1",'
    b'"category":"Reverse Shell","severity":"CRITICAL","event_time":"2026-03-02T09:31:12+00:00",'
    b'"cluster":"projects/example-project/locations/europe-west1/clusters/prod-1","resource":"",'
    b'"pods":["shop/web-1"]},"threat":{"name":"reverse_shell","surface":"pod","kind":"behavioral",'
    b'"confidence":"likely","runbook":"","detector":"container_threat_detection","severity":"CRITICAL","rule_id":"",'
    b'"tactic":"","techniques":[],"techniques_inferred":[],"raised_by":[]},"pod":{"namespace":"shop","name":"web-1",'
    b'"uid":"11111111-1111-4111-8111-111111111111","node":"node-1","workload":"Deployment/web","instance_id":""},'
    b'"policies":[{"name":"contain","mode":"enforce","mode_reason":"","matched":true,"reason":"matched",'
    b'"actions":[{"action":"label_pod","result":"planned","reason":"","changes":[]}]}],' + STEP_TEXT
)
UNDECIDED = (
    b'{"case":"0a0a0a0a0a0a","finding":{"name":"f1","category":"Reverse Shell"},"reason":"held","error":"why",'
    b'"attempts":1,' + STEP_TEXT
)
BREAKER = (
    b'{"reason":"storm_breaker","cluster":"projects/p/locations/l/clusters/c","tripped_at":"2026-03-01T12:00:00Z",'
    b'"detail":"6 pods","remedy":"find out why so much was to be disrupted at once, then: '
    b"scc-responder breaker reset --cluster projects/p/locations/l/clusters/c --reason 'WHY' --store STORE\"}"
)
CASE = {"case": "0a0a0a0a0a0a"}
FILTERED = {**CASE, "threat": "reverse_shell", "severity": "CRITICAL"}
NOTICES: dict[str, tuple[Notice, bytes, dict[str, str]]] = {
    "outcome": (outcome_notice(context(), Decision(policies=(POLICY,)), [STEP]), OUTCOME, FILTERED),
    "waiting": (
        outcome_notice(context(), Decision(policies=(POLICY,)), [STEP], state=CaseState.WAITING),
        OUTCOME,
        {**FILTERED, "reason": "waiting_for_approval"},
    ),
    "rehearsed": (
        outcome_notice(context(), Decision(policies=(POLICY,)), [STEP], state=CaseState.REHEARSED),
        OUTCOME,
        {**FILTERED, "reason": "dry_run"},
    ),
    "undecided": (
        case_notice(NoticeKind.UNDECIDED, RECORD, "held", "why"),
        UNDECIDED,
        {**CASE, "reason": "held"},
    ),
    "breaker": (
        breaker_notice("projects/p/locations/l/clusters/c", START, "6 pods"),
        BREAKER,
        {"reason": "storm_breaker", "cluster": "projects/p/locations/l/clusters/c"},
    ),
}


@pytest.mark.parametrize(("notice", "message", "attributes"), NOTICES.values(), ids=NOTICES)
def test_messages_and_attributes_stay(notice: Notice, message: bytes, attributes: dict[str, str]) -> None:
    """Every byte of the message, in its order, and every attribute."""
    assert notice.message == message
    assert notice.attributes == attributes


@given(name=EVIL | st.just(""))
def test_a_finding_cannot_split_the_outcome(name: str) -> None:
    """The message is one line of printable ASCII, whatever stands in the finding."""
    message = outcome_notice(context(finding={"category": name}), Decision(policies=()), ()).message
    assert message.decode("ascii").isprintable()
    assert json.loads(message)["finding"]["category"] == name


def test_a_severity_is_never_empty() -> None:
    """Subscriptions can filter by it."""
    notice = outcome_notice(context(finding={"severity": ""}), Decision(policies=()), ())
    assert notice.attributes == {"case": "0a0a0a0a0a0a", "threat": "reverse_shell", "severity": "UNSPECIFIED"}


SEVERITIES: list[Any] = [
    pytest.param(status, NoticeSeverity.NOTICE if fine else NoticeSeverity.WARNING, id=str(status))
    for status in StepStatus
    for fine in (status in {StepStatus.DONE, StepStatus.DRY_RUN, StepStatus.SKIPPED},)
]


@pytest.mark.parametrize(("status", "severity"), SEVERITIES)
def test_a_person_should_look_at_what_did_not_go_well(status: StepStatus, severity: NoticeSeverity) -> None:
    """What was held, failed or waits is a warning, beside whatever was done."""
    steps = [STEP, Step(action_id="0b", action="delete_pod", status=status)]
    assert outcome_notice(context(), Decision(policies=()), steps).severity == severity


@pytest.mark.parametrize(
    ("reason", "severity"),
    [(Reason.NO_COLLECTOR_IMAGE, NoticeSeverity.NOTICE), (Reason.COLLECTOR_REFUSED, NoticeSeverity.WARNING)],
)
def test_what_a_deployment_leaves_out_is_no_warning(reason: Reason, severity: NoticeSeverity) -> None:
    """It would be one for every finding; that the cluster refuses a container is one."""
    step = Step(action_id="0b", action="sever_connections", status=StepStatus.NOT_POSSIBLE, reason=reason)
    assert outcome_notice(context(), Decision(policies=()), [STEP, step]).severity == severity


def test_an_awaited_end_is_no_warning() -> None:
    """Every deletion takes its time: only one that came to no end by then is."""
    awaited = Step(action_id="0b", action="delete_pod", status=StepStatus.TERMINATING, reason="deletion_awaited")
    ended = replace(awaited, reason="terminating")
    severities = [outcome_notice(context(), Decision(policies=()), [STEP, step]).severity for step in (awaited, ended)]
    assert severities == [NoticeSeverity.NOTICE, NoticeSeverity.WARNING]


def test_a_restart_is_told() -> None:
    """Whoever reads the outcome learns that the finding's process is gone."""
    restarted = Identity(level="proved", reason=Reason.RESTARTED, checks={"started": "restarted"})
    facts = outcome_notice(context(identity=restarted), Decision(policies=()), ()).facts
    assert facts["identity"] == {"level": "proved", "reason": "restarted", "checks": {"started": "restarted"}}


@pytest.mark.parametrize(("level", "expected"), [("proved", "42"), ("refuted", "")])
def test_another_machine_is_not_named(level: str, expected: str) -> None:
    """A node that came back under an old name has another instance than the one that the pod ran on."""
    other = Identity(level=level, reason=Reason.NODE_REPLACED)
    found = context(node=replace(NODE, instance_id="42"), node_identity=other)
    assert outcome_notice(found, Decision(policies=()), ()).facts["pod"]["instance_id"] == expected


@pytest.mark.parametrize(("severity", "expected"), [("HIGH", NoticeSeverity.WARNING), ("LOW", NoticeSeverity.NOTICE)])
def test_no_answer_to_a_severe_threat_is_a_warning(severity: str, expected: NoticeSeverity) -> None:
    """Nothing was done: the reason says why, and a person looks where the severity is HIGH or above."""
    facts = context(threat=replace(THREAT, severity=severity))
    notice = outcome_notice(facts, Decision(policies=()), (), state=CaseState.NOTHING_MATCHED)
    assert (notice.severity, notice.attributes["reason"]) == (expected, "no_policy_matched")


def test_a_message_says_how_far_it_is_contained() -> None:
    """The fields of the record, in the outcome and in what is told of the case besides; none where there is none."""
    severed = replace(STEP, epoch=1, containment="severed", contained_at=RECORD.event_time + timedelta(seconds=2))
    fields = {"containment": "severed", "contained_seconds": 2.0}
    outcome = outcome_notice(context(), Decision(policies=()), (), further=fields)
    besides = case_notice(NoticeKind.EXPIRED, replace(RECORD, steps=(severed,)), "approval_expired", "why")
    for notice in (outcome, besides):
        assert {name: notice.facts[name] for name in fields} == fields
    assert not fields.keys() & case_notice(NoticeKind.UNDECIDED, RECORD, "held", "why").facts.keys()


def test_another_look_is_another_notice() -> None:
    """Two of one kind, case and reason have keys of their own; what is undecided has one, however often it is tried."""
    keys = [
        {case_notice(kind, RECORD, "looked", why).key for why in ("instances run", "traffic moved")}
        for kind in (NoticeKind.LOOKED, NoticeKind.UNDECIDED)
    ]
    assert [len(each) for each in keys] == [2, 1]


@pytest.mark.parametrize(
    ("state", "status", "is_held"),
    [
        (CaseState.HELD, StepStatus.DONE, True),
        (CaseState.PARTIAL, StepStatus.HELD, True),
        (CaseState.DONE, StepStatus.DONE, False),
        (CaseState.WAITING, StepStatus.WAITING, False),
    ],
)
def test_what_is_held_says_so_to_threads(state: CaseState, status: StepStatus, *, is_held: bool) -> None:
    """Of a decision as of a case by itself, which knows from its record what it is about."""
    steps = (replace(STEP, status=status),)
    made = context()
    said = outcome_notice(made, Decision(policies=(POLICY,)), steps, state=state).subject
    decided = decision_summary(made, Decision(policies=()), "p", CaseFacts())
    event = made.finding.event_time
    record = CaseRecord(
        finding_key="0a" * 32,
        finding_name="f1",
        event_time=event,
        digest="d",
        cluster=made.finding.place,
        state=state,
        steps=steps,
        decision=json.loads(json.dumps(decided)),
    )
    kept = case_notice(NoticeKind.UNDECIDED, record, Reason.HELD_OR_FAILED, "why").subject
    assert (said.is_held, kept.is_held) == (is_held, is_held)
    assert replace(said, is_over=False) == kept
    assert (kept.about, kept.event_time, kept.surface) == (incident_keys(made), event, "pod")


@pytest.mark.parametrize("kept", ["x", 5, {"about": 5}, {"severity": {}}, {"is_over": "yes"}, []])
def test_what_a_case_keeps_in_another_form_silences_nobody(kept: Any) -> None:
    """A later version, or whoever may write the store, left it so: it is told as one whose severity nobody knows."""
    decision = {"subject": kept}
    record = CaseRecord(finding_key="0a" * 32, finding_name="f1", event_time=START, digest="d", decision=decision)
    told = case_notice(NoticeKind.EXPIRED, record, Reason.APPROVAL_EXPIRED, "")
    assert is_severe_for_routes(told)
    assert (told.subject.about, told.subject.event_time) == ((), START)


@pytest.mark.parametrize(
    ("kind", "reason", "is_over"),
    [
        (NoticeKind.UNDONE, Reason.UNDONE, True),
        (NoticeKind.UNDONE, Reason.UNDO_REFUSED, False),
        (NoticeKind.REJECTED, Reason.APPROVAL_REJECTED, True),
        (NoticeKind.EXPIRED, Reason.APPROVAL_EXPIRED, False),
    ],
)
def test_a_case_of_which_something_stands_that_could_go_is_not_over(
    kind: NoticeKind, reason: Reason, *, is_over: bool
) -> None:
    """An undo that was refused in part needs a person still: its alert is not resolved."""
    record = CaseRecord(finding_key="0a" * 32, finding_name="f1", event_time=START, digest="d")
    assert case_notice(kind, record, reason, "").subject.is_over is is_over
