"""What an answer to a waiting plan comes to, in every state of the case: pure tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.guard.approval_answers import ApprovalAnswer, approve, is_listed, reject
from scc_responder.journal.case import UNTOLD, CaseRecord
from scc_responder.journal.case_json import decode, encode
from scc_responder.journal.plan import Approval, Plan, PlanState, PlanStep, lesser_plan, plan_digest
from scc_responder.journal.step import Step
from scc_responder.policy.guardrails import ApprovalRules

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
DIGEST = "ab12cd34" + "0" * 56
ANN, BOB, LOCAL = "ann@example.com", "bob@example.com", "local"
ONE = ApprovalRules(approvers=(ANN, BOB))
TWO = ApprovalRules(approvers=(ANN, BOB), needed=2)
PLAN = Plan(digest=DIGEST, policy_digest="p", steps=(), created_at=NOW, expires_at=NOW + timedelta(hours=1))
STEP = Step(action_id="1", action="label_pod", status=StepStatus.WAITING, reason="waiting_for_approval", epoch=1)


def case(state: CaseState = CaseState.WAITING, plan: Plan | None = PLAN, **fields: Any) -> CaseRecord:
    """A case in this state."""
    return CaseRecord(
        **{"finding_key": "k", "finding_name": "n", "event_time": NOW, "digest": "d", "steps": (STEP,), **fields},
        state=state,
        plan=plan,
    )


def given_by(*people: str) -> tuple[Approval, ...]:
    return tuple(Approval(by=by, at=NOW) for by in people)


APPROVED, USED = (replace(PLAN, state=state) for state in (PlanState.APPROVED, PlanState.USED))
REJECTED = replace(PLAN, state=PlanState.REJECTED, reason="approval_rejected")
VOID = replace(PLAN, state=PlanState.VOID, reason="approval_void_plan_changed")
APPROVALS: list[Any] = [
    pytest.param(case(), ONE, ANN, False, (204, "approved", True), id="enough"),
    pytest.param(case(), TWO, ANN, False, (204, "approval_noted", False), id="first-of-two"),
    pytest.param(
        case(plan=replace(PLAN, approvals=given_by(ANN))), TWO, ANN, False, (204, "already_approved", False), id="twice"
    ),
    pytest.param(
        case(plan=replace(PLAN, approvals=given_by(ANN))), TWO, BOB, False, (204, "approved", True), id="both"
    ),
    pytest.param(
        case(plan=replace(PLAN, approvals=given_by("eve@example.com"))),
        TWO,
        BOB,
        False,
        (204, "approval_noted", False),
        id="the-first-is-listed-no-longer",
    ),
    pytest.param(
        case(plan=replace(PLAN, needed=2)), ONE, ANN, False, (204, "approval_noted", False), id="two-were-asked-for"
    ),
    pytest.param(case(), ApprovalRules(needed=0), LOCAL, False, (204, "approved", True), id="none-is-one"),
    pytest.param(case(plan=None), ONE, ANN, False, (409, "not_waiting", False), id="no-plan"),
    pytest.param(case(CaseState.DONE, USED), ONE, BOB, False, (409, "approval_used", False), id="used"),
    pytest.param(case(CaseState.OPEN, USED), ONE, BOB, True, (409, "approval_used", False), id="in-use"),
    pytest.param(case(CaseState.OPEN, USED), ONE, BOB, False, (204, "approval_resumed", True), id="crashed-in-use"),
    pytest.param(case(CaseState.OPEN, APPROVED), ONE, BOB, False, (204, "approval_resumed", True), id="crashed-before"),
    pytest.param(case(CaseState.HELD, REJECTED), ONE, BOB, False, (409, "approval_rejected", False), id="rejected"),
    pytest.param(case(CaseState.HELD, VOID), ONE, BOB, False, (409, "approval_void_plan_changed", False), id="void"),
    pytest.param(case(CaseState.OPEN), ONE, ANN, True, (503, "case_in_progress", False), id="worked-on"),
    pytest.param(case(CaseState.OPEN), ONE, ANN, False, (204, "approved", True), id="crashed-once-published"),
    pytest.param(case(CaseState.SUPERSEDED), ONE, ANN, False, (409, "not_waiting", False), id="superseded"),
]


@pytest.mark.parametrize(("record", "rules", "by", "is_held", "expected"), APPROVALS)
def test_an_approval_starts_the_plan_once(
    record: CaseRecord, rules: ApprovalRules, by: str, *, is_held: bool, expected: tuple[int, str, bool]
) -> None:
    """An approval is noted, starts the plan, or is refused by name; what starts is stored."""
    verdict = approve(record, ApprovalAnswer(by=by, plan=DIGEST), rules, NOW, is_held=is_held)
    assert (verdict.status, verdict.reason, verdict.starts) == expected
    assert (verdict.record is not None) == (verdict.starts or verdict.reason == "approval_noted")


@pytest.mark.parametrize(
    ("given_digest", "means_it"),
    [(DIGEST, True), (DIGEST[:8], True), (DIGEST[:7], False), ("", False), (DIGEST + "0", False), ("b" * 64, False)],
)
def test_a_plan_is_meant_by_its_digest(given_digest: str, *, means_it: bool) -> None:
    """The plan's digest, or eight digits or more of its beginning, and nothing else, means it."""
    verdict = approve(case(), ApprovalAnswer(by=ANN, plan=given_digest), ONE, NOW, is_held=False)
    assert (verdict.reason == "approved") == means_it


@pytest.mark.parametrize(("seconds", "reason"), [(3599, "approved"), (3600, "approval_expired")])
def test_an_expired_plan_cannot_be_approved(seconds: int, reason: str) -> None:
    """At its expiry a plan can no longer be approved, and the case comes to its end."""
    verdict = approve(case(), ApprovalAnswer(by=ANN, plan=DIGEST), ONE, NOW + timedelta(seconds=seconds), is_held=False)
    assert verdict.reason == reason
    assert verdict.record is not None
    expected = (CaseState.HELD, StepStatus.HELD) if reason == "approval_expired" else (CaseState.WAITING, STEP.status)
    assert (verdict.record.state, verdict.record.steps[0].status) == expected


REJECTIONS: list[Any] = [
    pytest.param(case(), "", (204, "approval_rejected"), id="whichever-waits"),
    pytest.param(case(), DIGEST[:8], (204, "approval_rejected"), id="this-one"),
    pytest.param(case(), "f" * 8, (409, "plan_digest_differs"), id="another"),
    pytest.param(case(plan=None), "", (409, "not_waiting"), id="none"),
    pytest.param(case(CaseState.OPEN, APPROVED), "", (409, "approval_used"), id="begun"),
    pytest.param(case(CaseState.HELD, REJECTED), "", (409, "approval_rejected"), id="twice"),
]


@pytest.mark.parametrize(("record", "plan", "expected"), REJECTIONS)
def test_a_rejection_ends_an_unstarted_plan(record: CaseRecord, plan: str, expected: tuple[int, str]) -> None:
    """A rejection ends a plan that has not begun, with who and why."""
    verdict = reject(record, ApprovalAnswer(by=ANN, plan=plan, said="no"), NOW, is_held=False)
    assert (verdict.status, verdict.reason, verdict.starts) == (*expected, False)
    if verdict.record is not None:
        assert (verdict.record.state, verdict.record.steps[0].detail) == ("held", f"{ANN}: no")


def test_rejected_while_open() -> None:
    """A case that crashed with its plan told of stays open when it is rejected: the next sweep brings it to its end."""
    verdict = reject(case(CaseState.OPEN, owner="gone"), ApprovalAnswer(by=ANN), NOW, is_held=False)
    assert verdict.record is not None
    assert verdict.record.plan is not None
    assert (verdict.record.state, verdict.record.plan.state, verdict.record.owner) == ("open", "rejected", "gone")


def test_what_ends_is_untold_at_first() -> None:
    """Whoever takes the rejection tells people of it and notes that they know."""
    verdict = reject(case(), ApprovalAnswer(by=ANN), NOW, is_held=False)
    assert verdict.record is not None
    assert (verdict.record.state, verdict.record.owner) == ("held", UNTOLD)


@pytest.mark.parametrize(
    ("by", "listed"), [("ANN@example.com", True), (LOCAL, True), ("eve@example.com", False), ("", False)]
)
def test_approvers_are_listed_by_address(by: str, *, listed: bool) -> None:
    """Approvers are listed by address, upper or lower case; this machine, where it is trusted at all, always is."""
    assert is_listed(by, ONE) == listed


@pytest.mark.parametrize(
    "by",
    [
        "\u212aim@example.com",
        "kim@example.com ",
        "kim@example.com\0",
        "\uff4bim@example.com",
        "LOCAL",
        "kim@example.com,a@b",
    ],
)
def test_what_looks_like_an_approver_is_none(by: str) -> None:
    """The sign of Kelvin is a `k` in lower case; a space, a list or another width makes another address."""
    assert not is_listed(by, ApprovalRules(approvers=("kim@example.com",)))


CHANGE = {"change": "delete_pod", "uid": "u", "name": "web-1", "namespace": "shop"}
OTHER = [
    pytest.param(PlanStep(policy="q", action="delete_pod", changes=(CHANGE,)), "p", "k", id="policy"),
    pytest.param(PlanStep(policy="p", action="b", changes=(CHANGE,)), "p", "k", id="action"),
    pytest.param(PlanStep(policy="p", action="delete_pod", changes=({**CHANGE, "uid": "v"},)), "p", "k", id="target"),
    pytest.param(PlanStep(policy="p", action="delete_pod", changes=(CHANGE, CHANGE)), "p", "k", id="changes"),
    pytest.param(
        PlanStep(policy="p", action="delete_pod", parameters={"x": 1}, changes=(CHANGE,)), "p", "k", id="parameters"
    ),
    pytest.param(PlanStep(policy="p", action="delete_pod", changes=(CHANGE,)), "q", "k", id="policy-set"),
    pytest.param(PlanStep(policy="p", action="delete_pod", changes=(CHANGE,)), "p", "l", id="case"),
]


@pytest.mark.parametrize(("step", "policies", "key"), OTHER)
def test_the_digest_follows_every_difference(step: PlanStep, policies: str, key: str) -> None:
    """Whatever differs in a plan, its digest does; the order of keys is no difference."""
    first = PlanStep(policy="p", action="delete_pod", changes=(CHANGE,))
    turned = PlanStep(policy="p", action="delete_pod", changes=(dict(reversed(CHANGE.items())),))
    assert plan_digest((first,), "p", "k") == plan_digest((turned,), "p", "k")
    assert plan_digest((step,), policies, key) != plan_digest((first,), "p", "k")


PEOPLE = st.lists(st.sampled_from([ANN, BOB, "eve@example.com", LOCAL]), max_size=8)


@given(people=PEOPLE, needed=st.integers(0, 3))
def test_never_too_few(people: list[str], needed: int) -> None:
    """However often who answers, a plan starts only once as many different listed people approved as are needed."""
    rules = ApprovalRules(approvers=(ANN, BOB), needed=needed)
    record, approved = case(), set()
    for by in people:
        verdict = approve(record, ApprovalAnswer(by=by, plan=DIGEST), rules, NOW, is_held=False)
        approved |= {by} if is_listed(by, rules) else set()
        assert verdict.starts == (len(approved) >= max(1, needed))
        if verdict.starts:
            return
        record = verdict.record or record


def test_a_plan_survives_being_stored() -> None:
    """A plan survives being stored, and a record from before plans has none."""
    record = case(
        plan=replace(
            PLAN, steps=(PlanStep(policy="p", action="delete_pod", changes=(CHANGE,)),), approvals=given_by(ANN)
        )
    )
    assert decode(encode(record)) == record
    older = encode(case(plan=None)).replace(b'"plan":null,', b"")
    assert b"plan" not in older
    assert decode(older).plan is None


MARK = PlanStep(policy="contain", action="label_pod", changes=(stored(PatchObject(kind="Pod", name="a", uid="u")),))
DELETE = PlanStep(policy="contain", action="delete_pod", changes=({"change": "delete_pod", "uid": "u"},))
WHOLE = replace(PLAN, digest=plan_digest((MARK, DELETE), "p", "k"), steps=(MARK, DELETE))


def test_an_approval_of_the_lesser_plan_takes_the_rest_out_of_it() -> None:
    """With two needed, an approval of the whole plan counts for no other; after it the whole one is not approved."""
    lesser = lesser_plan(WHOLE, "k")
    assert lesser is not None
    first = approve(case(plan=WHOLE), ApprovalAnswer(by=ANN, plan=WHOLE.digest), TWO, NOW, is_held=False)
    assert first.record is not None
    noted = approve(first.record, ApprovalAnswer(by=BOB, plan=lesser.digest), TWO, NOW, is_held=False)
    assert noted.record is not None
    plan = noted.record.plan
    assert plan is not None
    assert (noted.reason, noted.starts, plan.steps, plan.left_out) == ("approval_noted", False, (MARK,), (DELETE,))
    assert [given.by for given in plan.approvals] == [BOB]
    whole = approve(noted.record, ApprovalAnswer(by=ANN, plan=WHOLE.digest), TWO, NOW, is_held=False)
    assert (whole.reason, whole.record) == ("plan_digest_differs", None)
    last = approve(noted.record, ApprovalAnswer(by=ANN, plan=lesser.digest), TWO, NOW, is_held=False)
    assert (last.reason, last.starts) == ("approved", True)
    stored_again = decode(encode(last.record)) if last.record else None
    assert stored_again is not None
    assert stored_again.plan is not None
    assert stored_again.plan.left_out == (DELETE,)
