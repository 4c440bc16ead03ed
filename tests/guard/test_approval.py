"""Mode `approve`: what waits for a person, and what keeps an approved plan from running. Pure tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import Hold, Skip
from scc_responder.domain.changes import Change, stored
from scc_responder.domain.changes.cloud_run.restrict_access import AccessSettings, RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.cloud_run.run_objects import RunScaling, RunTraffic
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.guard.approval import MAX_PLAN_BYTES, ask, review, unapproved, withdrawn
from scc_responder.guard.guard import lowered
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import ApprovalRules, Guardrails, Protected
from scc_responder.policy.policy_set import PolicySet
from tests.kits.decision_contexts import NODE, POD, context, plan

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
LATER, EXPIRY = NOW + timedelta(minutes=59), NOW + timedelta(hours=1)
RAILS = Guardrails(protected=Protected(namespaces=()), approval=ApprovalRules(needed=2))
POLICIES = PolicySet(policies=(), guardrails=RAILS, digest="p")
EDITED = replace(POLICIES, digest="q")
WAITING = Step(action_id="1", action="delete_pod", status=StepStatus.WAITING, reason="waiting_for_approval", epoch=1)
CASE = CaseRecord(finding_key="k", finding_name="n", event_time=NOW, digest="d", steps=(WAITING,))
DELETE = DeletePod(namespace=POD.namespace, name=POD.name, uid=POD.uid)


def planned(action: str, *changes: Change, **fields: Any) -> PlannedAction:
    """A step of a policy that would be carried out."""
    values: dict[str, Any] = {"result": ActionResult.PLANNED, "reason": Reason.PLANNED, **fields}
    return PlannedAction(action=action, changes=changes, **values)


def policy(mode: Mode, *actions: PlannedAction, name: str = "contain") -> PolicyDecision:
    """A policy that matched."""
    return PolicyDecision(name=name, mode=mode, matched=True, reason=Reason.MATCHED, actions=actions)


def decision(*policies: PolicyDecision) -> Decision:
    return Decision(policies=policies)


CAPTURE, LABEL, DELETION = planned("capture_evidence"), planned("label_pod"), planned("delete_pod", DELETE)
SKIPPED = planned("cordon_node", result=ActionResult.SKIPPED, reason=Reason.PLANNED)
ASKING = decision(policy(Mode.APPROVE, CAPTURE, DELETION))
ENFORCING = policy(Mode.ENFORCE, DELETION, name="other")


def results(decided: Decision) -> list[str]:
    """Each step as `action: result reason`."""
    steps = [step for each in decided.policies for step in each.actions]
    return [f"{step.action}: {step.result} {step.reason}" for step in steps]


def asked(state: PlanState = PlanState.WAITING, now: datetime = NOW) -> CaseRecord:
    """The case once `ASKING` was asked for, with its plan in this state."""
    _, record = ask(ASKING, CASE, POLICIES, now)
    assert record.plan is not None
    return replace(record, plan=replace(record.plan, state=state))


def plan_of(record: CaseRecord) -> Plan:
    assert record.plan is not None
    return record.plan


WAITS, GIVEN = "waiting waiting_for_approval", "planned planned"
MODES: dict[str, tuple[PolicyDecision, list[str]]] = {
    "observing runs at once, the rest waits": (
        policy(Mode.APPROVE, CAPTURE, DELETION),
        [f"capture_evidence: {GIVEN}", f"delete_pod: {WAITS}"],
    ),
    "observation alone waits for nobody": (policy(Mode.APPROVE, CAPTURE), [f"capture_evidence: {GIVEN}"]),
    "what is skipped waits for nobody": (policy(Mode.APPROVE, SKIPPED), ["cordon_node: skipped planned"]),
    "enforce asks nobody": (policy(Mode.ENFORCE, DELETION), [f"delete_pod: {GIVEN}"]),
    "dry run asks nobody": (policy(Mode.DRY_RUN, DELETION), [f"delete_pod: {GIVEN}"]),
}


@pytest.mark.parametrize(("asking", "expected"), MODES.values(), ids=MODES)
def test_only_changes_in_mode_approve_wait(asking: PolicyDecision, expected: list[str]) -> None:
    """There is a plan only where a step waits, and without a plan kept the same steps wait."""
    decided, record = ask(decision(asking), CASE, POLICIES, NOW)
    assert results(decided) == results(unapproved(decision(asking))) == expected
    assert (record.plan is not None) == any(WAITS in result for result in expected)


def test_a_plan_holds_what_would_be_done() -> None:
    """Its steps with their changes, how many people must approve it, and until when."""
    kept = plan_of(asked())
    assert [(step.policy, step.action, step.changes) for step in kept.steps] == [
        ("contain", "delete_pod", (stored(DELETE),))
    ]
    assert (kept.needed, kept.policy_digest, kept.expires_at) == (2, "p", EXPIRY)


def test_what_is_enforced_anyway_asks_nobody() -> None:
    """One policy asks and another one does it: the second one is enough, unless its parameters differ."""
    decided, record = ask(decision(*ASKING.policies, ENFORCING), CASE, POLICIES, NOW)
    assert results(decided)[1] == "delete_pod: skipped enforced_by_other_policy"
    assert record.plan is None
    other = policy(Mode.ENFORCE, replace(DELETION, variant='{"a":1}'), name="other")
    assert results(ask(decision(*ASKING.policies, other), CASE, POLICIES, NOW)[0])[1] == f"delete_pod: {WAITS}"


HELD = "delete_pod: held"
EARLIER: dict[str, tuple[PlanState, str]] = {
    "it waits already": (PlanState.WAITING, f"delete_pod: {WAITS}"),
    "it was rejected": (PlanState.REJECTED, f"{HELD} approval_rejected"),
    "nobody answered": (PlanState.EXPIRED, f"{HELD} approval_expired"),
    "it is void": (PlanState.VOID, f"delete_pod: {WAITS}"),
    "it is approved": (PlanState.USED, f"delete_pod: {GIVEN}"),
}


@pytest.mark.parametrize(("state", "expected"), EARLIER.values(), ids=EARLIER)
def test_an_answered_plan_is_not_asked_for_again(state: PlanState, expected: str) -> None:
    """Only a void plan is followed by a new one, which says why the first is not valid any more."""
    record = asked(state)
    record = replace(record, plan=replace(plan_of(record), reason="approval_void_plan_changed"))
    decided, after = ask(ASKING, record, POLICIES, LATER)
    assert results(decided)[1] == expected
    is_new = state is PlanState.VOID
    assert (plan_of(after).created_at, plan_of(after).after) == (
        (LATER, "approval_void_plan_changed") if is_new else (NOW, "")
    )


def test_what_was_not_approved_is_held() -> None:
    """A step that is planned only once the plan is approved is not part of it."""
    decided, _ = ask(decision(policy(Mode.APPROVE, LABEL, DELETION)), asked(PlanState.USED), POLICIES, NOW)
    assert results(decided) == ["label_pod: held approval_void_plan_changed", f"delete_pod: {GIVEN}"]


PATH = "projects/example-project/locations/europe-west1/services/checkout"
SCALE = ScaleService(path=PATH, uid="s", prior=RunScaling(mode="AUTOMATIC"))
TAGGED = replace(SCALE, tags=(RunTraffic(revision="checkout-00001-abc", tag="canary"),))
CUT = RestrictAccess(path=PATH, uid="s", wanted=AccessSettings(), prior=AccessSettings())
STORED: dict[str, tuple[tuple[Change, ...], bool]] = {
    "the same service, as it was when it was approved": ((TAGGED,), True),
    "another service of that name": ((replace(TAGGED, uid="o"),), False),
    "another service": ((replace(TAGGED, path=f"{PATH}-2"),), False),
    "another service besides": ((TAGGED, replace(TAGGED, uid="o")), False),
    "what another action does": ((CUT,), False),
    "what is not on Cloud Run": ((DELETE,), False),
}


@pytest.mark.parametrize(("changes", "stands"), STORED.values(), ids=STORED)
def test_an_approved_change_stands_for_its_own_service_alone(changes: tuple[Change, ...], *, stands: bool) -> None:
    """A plan in a record is no order: what it says of any other object, or by another action, is not carried out."""
    scaling = decision(policy(Mode.APPROVE, planned("scale_to_zero", SCALE)))
    _, record = ask(decision(policy(Mode.APPROVE, planned("scale_to_zero", *changes))), CASE, POLICIES, NOW)
    record = replace(record, plan=replace(plan_of(record), state=PlanState.USED))
    decided, _ = ask(scaling, record, POLICIES, LATER)
    (step,) = decided.policies[0].actions
    held = ((SCALE,), ActionResult.HELD, Reason.APPROVAL_VOID_PLAN_CHANGED)
    assert (step.changes, step.result, step.reason) == ((changes, ActionResult.PLANNED, "planned") if stands else held)


def test_what_was_approved_for_a_pod_is_planned_anew() -> None:
    """Only what is on Cloud Run says itself what it is made upon: any other change is made as it is planned by now."""
    before = planned("delete_pod", replace(DELETE, grace_period_seconds=5))
    _, record = ask(decision(policy(Mode.APPROVE, before)), CASE, POLICIES, NOW)
    decided, _ = ask(
        decision(policy(Mode.APPROVE, DELETION)),
        replace(record, plan=replace(plan_of(record), state=PlanState.USED)),
        POLICIES,
        LATER,
    )
    (step,) = decided.policies[0].actions
    assert (step.changes, step.reason) == ((DELETE,), Reason.APPROVAL_VOID_PLAN_CHANGED)


def test_too_large_a_plan_is_held() -> None:
    """A plan that does not fit in its case's record can be approved by nobody."""
    large = planned("delete_pod", *[DELETE] * (MAX_PLAN_BYTES // 100))
    decided, record = ask(decision(policy(Mode.APPROVE, large)), CASE, POLICIES, NOW)
    assert (results(decided), record) == ([f"{HELD} plan_too_large"], CASE)


def replanned(mode: Mode = Mode.APPROVE, *changes: DeletePod) -> Decision:
    """The same policy now, in another mode or about other pods."""
    return decision(policy(mode, CAPTURE, planned("delete_pod", *changes or (DELETE,))))


ANOTHER = context(pod={"uid": "44444444-4444-4444-8444-444444444444"})
REPLACED = replace(DELETE, uid="44444444-4444-4444-8444-444444444444")
P = PlanState
SITUATIONS: dict[str, tuple[PlanState, dict[str, Any], str, str]] = {
    "nothing changed": (P.APPROVED, {"now": LATER}, "used", ""),
    "nothing changed while it waits": (P.WAITING, {"now": LATER}, "waiting", ""),
    "the policy enforces by now": (P.APPROVED, {"as_planned": replanned(Mode.ENFORCE)}, "used", ""),
    "dry run": (P.APPROVED, {"as_planned": replanned(Mode.DRY_RUN)}, "void", "approval_void_mode_lowered"),
    "another pod": (
        P.APPROVED,
        {"as_planned": replanned(Mode.APPROVE, REPLACED), "context": ANOTHER},
        "void",
        "approval_void_target_changed",
    ),
    "more than before": (
        P.WAITING,
        {"as_planned": replanned(Mode.APPROVE, DELETE, REPLACED)},
        "void",
        "approval_void_plan_changed",
    ),
    "edited policies": (P.APPROVED, {"policies": EDITED}, "void", "approval_void_plan_changed"),
    "no policy": (P.APPROVED, {"as_planned": decision()}, "void", "approval_void_plan_changed"),
    "another policy": (P.WAITING, {"as_planned": decision(ENFORCING)}, "void", "approval_void_plan_changed"),
    "too late": (P.APPROVED, {"now": EXPIRY}, "expired", "approval_expired"),
    "in use": (P.USED, {"as_planned": decision(), "now": LATER}, "used", ""),
    "in use, edited policies": (P.USED, {"policies": EDITED}, "void", "approval_void_plan_changed"),
    "in use for too long": (P.USED, {"now": EXPIRY}, "expired", "approval_expired"),
    "rejected before": (P.REJECTED, {"policies": EDITED, "now": EXPIRY}, "rejected", ""),
}


@pytest.mark.parametrize(("state", "changes", "expected", "reason"), SITUATIONS.values(), ids=SITUATIONS)
def test_a_changed_situation_ends_the_plan(
    state: PlanState, changes: dict[str, Any], expected: str, reason: str
) -> None:
    """An approved plan runs only if it is planned the same way now; why it does not is kept with it."""
    situation = {"context": context(), "as_planned": ASKING, "policies": POLICIES, "now": NOW, **changes}
    after = plan_of(review(asked(state), **situation))
    assert (after.state, after.reason) == (expected, reason)


def test_an_object_that_was_read_is_the_same_target() -> None:
    """Where the node is cordoned by now there is less to do: the plan differs, though no target does."""
    cordon = plan("cordon_node")
    assert not isinstance(cordon, Skip | Hold)
    _, record = ask(decision(policy(Mode.APPROVE, planned("cordon_node", *cordon), DELETION)), CASE, POLICIES, NOW)
    assert plan_of(record).targets == {NODE.uid, POD.uid}
    assert plan_of(review(record, context(), ASKING, POLICIES, NOW)).reason == "approval_void_plan_changed"


ENDS: list[Any] = [
    (P.REJECTED, Reason.APPROVAL_REJECTED, {"by": "ann@example.com", "said": "a test"}, "ann@example.com: a test"),
    (P.VOID, Reason.APPROVAL_VOID_FINDING_CHANGED, {"said": "muted"}, "muted"),
    (P.EXPIRED, Reason.APPROVAL_EXPIRED, {}, ""),
]


@pytest.mark.parametrize(("state", "reason", "words", "detail"), ENDS)
def test_a_withdrawn_plan_holds_its_steps(state: PlanState, reason: Reason, words: dict[str, str], detail: str) -> None:
    """Steps that waited say who ended the plan and why; steps with an outcome stay as they are."""
    done = replace(WAITING, action_id="2", status=StepStatus.DONE, reason="captured")
    record = withdrawn(asked().with_steps((done,)), state, reason, LATER, **words)
    first, second = record.steps
    assert (plan_of(record).state, plan_of(record).reason) == (state, reason)
    assert (first.status, first.reason, first.detail, first.settled_at) == ("held", reason, detail, LATER)
    assert second == done


def test_a_plan_in_use_has_not_begun() -> None:
    """Until a step runs its outcome says so: a crash in between leaves no step that waits for an answer given."""
    record = review(asked(PlanState.APPROVED), context(), ASKING, POLICIES, LATER)
    assert [(step.status, step.reason) for step in record.steps] == [("held", "approved_not_begun")]


def test_a_case_without_plan_is_left_alone() -> None:
    """There is nothing to review, and nothing to withdraw."""
    assert review(CASE, context(), ASKING, EDITED, LATER) is CASE
    assert withdrawn(CASE, PlanState.VOID, Reason.APPROVAL_EXPIRED, NOW) is CASE


@pytest.mark.parametrize("name", ["control", "control_room", "night"])
def test_no_name_of_a_ceiling_is_taken_for_the_switch(name: str) -> None:
    """Under the switch an approval waits. A guardrail, whatever it is called, ends the plan."""
    by_guardrail, by_switch = (
        decision(lowered(ASKING.policies[0], Mode.DRY_RUN, name, by_switch=by_switch)) for by_switch in (False, True)
    )
    approved = asked(PlanState.APPROVED)
    assert review(approved, context(), by_switch, POLICIES, LATER) == approved
    assert plan_of(review(approved, context(), by_guardrail, POLICIES, LATER)).reason == "approval_void_mode_lowered"


def test_what_the_switch_lowered_further_is_by_the_switch() -> None:
    """What lowered the mode last says which it is; a ceiling that lowers nothing says nothing."""
    policy = ASKING.policies[0]
    both = lowered(lowered(policy, Mode.DRY_RUN, "night"), Mode.DISABLED, "control", by_switch=True)
    assert (both.is_by_switch, both.mode_reason) == (True, "mode_lowered_by:control")
    night = lowered(lowered(policy, Mode.DRY_RUN, "night"), Mode.DRY_RUN, "control", by_switch=True)
    assert (night.is_by_switch, night.mode_reason) == (False, "mode_lowered_by:night")
