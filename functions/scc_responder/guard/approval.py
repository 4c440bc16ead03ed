"""Mode `approve`: which steps wait for a person, and whether an approved plan is still valid. Pure.

Steps that only observe run at once. The others become the plan. Before an approved plan runs, it is planned again from
the present state. It runs only if it is identical, and only once.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption, kind_of_stored, restored, stored
from scc_responder.domain.context import Context
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.labels import without_own
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.domain.value import read_json
from scc_responder.journal.again.withdrawn_plan import no_longer_waiting, withdrawn
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.plan import Plan, PlanState, PlanStep, plan_digest
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import ApprovalRules
from scc_responder.policy.policy_set import PolicySet

MAX_PLAN_BYTES = 32 * 1024
"""Most bytes of a plan, so that it always fits in its case's record."""

_ANSWERED = {PlanState.EXPIRED: Reason.APPROVAL_EXPIRED, PlanState.REJECTED: Reason.APPROVAL_REJECTED}
_NOT_BEGUN = frozenset({StepStatus.HELD, StepStatus.SKIPPED, StepStatus.WAITING, StepStatus.DRY_RUN})
_WRITING = frozenset({Mode.APPROVE, Mode.ENFORCE})


def review(
    record: CaseRecord, context: Context, as_planned: Decision, policies: PolicySet, now: datetime
) -> CaseRecord:
    """The record with its plan withdrawn if it is no longer valid, or set to `used` if it is approved and valid.

    `as_planned` is the decision by the present state, with the finding as old as when the plan was made.
    """
    plan = record.plan
    if plan is None or not (plan.is_pending or record.is_approved):
        return record
    if now >= plan.expires_at:
        return withdrawn(record, PlanState.EXPIRED, Reason.APPROVAL_EXPIRED, now)
    if _switched_off(as_planned, record):
        return record
    if record.is_approved:
        # Of what was approved a part was not made, as its service was changed before: people are asked anew.
        left = Reason.read(record.reason)
        changed = policies.digest != plan.policy_digest or (left is not None and left.is_planned_anew)
        return withdrawn(record, PlanState.VOID, Reason.APPROVAL_VOID_PLAN_CHANGED, now) if changed else record
    void = _void(plan, record, context, as_planned, policies)
    if void:
        return withdrawn(record, PlanState.VOID, void, now)
    return _in_use(record, now) if plan.state is PlanState.APPROVED else record


def _void(plan: Plan, record: CaseRecord, context: Context, planned: Decision, policies: PolicySet) -> Reason | None:
    """Why the plan differs from what would be done now; None if it does not."""
    names = frozenset(step.policy for step in plan.steps)
    modes = {policy.name: policy.mode for policy in planned.policies}
    if any(modes.get(name, Mode.ENFORCE) not in _WRITING for name in names):
        return Reason.APPROVAL_VOID_MODE_LOWERED
    steps = tuple(_steps(planned, names))
    read = {part.uid for part in (context.pod, context.node) if part} | context.run_uids
    if not plan.targets <= read.union(*(step.targets for step in steps)):
        return Reason.APPROVAL_VOID_TARGET_CHANGED
    as_asked = plan_digest(plan.steps, policies.digest, record.finding_key, plan.asked) == plan.digest
    left_out = [*map(_essence, plan.left_out)]
    kept = [essence for essence in map(_essence, steps) if essence not in left_out]
    same = as_asked and len(steps) == len(kept) + len(left_out) and kept == [*map(_essence, plan.steps)]
    return None if same else Reason.APPROVAL_VOID_PLAN_CHANGED


def _essence(step: PlanStep) -> PlanStep:
    """The step without the labels that the responder sets of itself: version 0.1.0 gave them other keys."""
    fields = ("labels", "selector")
    changes = tuple(
        {name: without_own(value) if name in fields else value for name, value in change.items()}
        for change in step.changes
    )
    return replace(step, changes=changes)


def ask(decision: Decision, record: CaseRecord, policies: PolicySet, now: datetime) -> tuple[Decision, CaseRecord]:
    """Keep what was approved, unless the switch holds it, and let the rest wait: the decision, and the record."""
    switched = _switched_off(decision, record)
    decision = _spared(_unlowered(decision, switched))
    plan = record.plan
    if plan and switched and plan.state in {PlanState.APPROVED, PlanState.USED}:
        return _marked(decision, ActionResult.HELD, next(iter(switched.values()))), record
    if plan and record.is_approved:
        decision = _as_approved(decision, plan)
        return _marked(decision, ActionResult.HELD, Reason.APPROVAL_VOID_PLAN_CHANGED, plan), record
    if plan and plan.state in _ANSWERED:
        return _marked(decision, ActionResult.HELD, _ANSWERED[plan.state]), record
    steps = tuple(_steps(decision))
    if not steps:
        return decision, record
    if plan is None or not plan.is_pending:
        plan = _plan(steps, record, policies, now)
    if len(msgspec.json.encode(plan)) > MAX_PLAN_BYTES:
        return _marked(decision, ActionResult.HELD, Reason.PLAN_TOO_LARGE), record
    return _marked(decision, ActionResult.WAITING, Reason.WAITING_FOR_APPROVAL), replace(record, plan=plan)


def _switched_off(decision: Decision, record: CaseRecord) -> dict[str, Reason]:
    """The policies of the case's plan, and that of the step asked for, which the kill switch lowers to a rehearsal."""
    plan = record.plan if record.plan and (record.plan.is_pending or record.is_approved) else None
    names = {step.policy for step in plan.steps} if plan else {record.asked.policy} if record.asked else set()
    off = (each for each in decision.policies if each.mode is Mode.DRY_RUN and each.is_by_switch)
    return {each.name: why for each in off if each.name in names and (why := Reason.read(each.mode_reason))}


def _unlowered(decision: Decision, switched: Container[str]) -> Decision:
    """The decision in which these policies ask a person: nobody takes their rehearsal for what was approved."""
    policies = (replace(each, mode=Mode.APPROVE) if each.name in switched else each for each in decision.policies)
    return Decision(policies=tuple(policies))


def _as_approved(decision: Decision, plan: Plan) -> Decision:
    """The decision with the approved changes of Cloud Run in place of those that would be planned by now.

    What was carried out of the plan changes what the rest would be: each change says itself what it is made upon.
    """
    approved = {(step.policy, step.action, msgspec.json.encode(step.parameters)): step for step in plan.steps}

    def meant(policy: PolicyDecision, planned: PlannedAction) -> PlannedAction:
        if not _needs_approval(policy, planned):
            return planned
        asked = _step(policy, planned)
        step = approved.get((asked.policy, asked.action, msgspec.json.encode(asked.parameters)))
        kinds = [kind_of_stored(change) for change in step.changes] if step else []
        if step is None or not all(kind and kind.disrupts is Disruption.SERVICES for kind in kinds):
            return planned
        changes = tuple(restored(change) for change in step.changes)
        # What is stored is no order: it is of the same objects as what is planned now, and of the action's own kinds.
        same = {change.target for change in changes} <= {change.target for change in planned.changes}
        own = {change.declared for change in changes} <= {*actions()[planned.action].makes}
        return replace(planned, changes=changes) if same and own else planned

    return decision.with_each(meant)


def unapproved(decision: Decision) -> Decision:
    """The decision with every step that needs approval waiting."""
    return _marked(_spared(decision), ActionResult.WAITING, Reason.WAITING_FOR_APPROVAL)


def unspent(record: CaseRecord) -> CaseRecord:
    """The record with its plan approved still, where none of its steps began: a limit, or what they need, held them.

    So a sweep, a person or a newer event may have it carried out until it expires.
    """
    plan = record.plan
    if plan is None or plan.state is not PlanState.USED or _has_begun(plan, record):
        return record
    return replace(record, plan=replace(plan, state=PlanState.APPROVED))


def is_left_over(record: CaseRecord, now: datetime) -> bool:
    """Whether a part of an approved plan was held, and may still be carried out by the same approval."""
    plan = record.plan
    if plan is None or plan.state not in {PlanState.APPROVED, PlanState.USED} or now >= plan.expires_at:
        return False
    return record.state is not CaseState.OPEN and any(step.status is StepStatus.HELD for step in _of(plan, record))


def _has_begun(plan: Plan, record: CaseRecord) -> bool:
    return any(step.status not in _NOT_BEGUN for step in _of(plan, record))


def _of(plan: Plan, record: CaseRecord) -> Iterator[Step]:
    names = {(step.policy, step.action) for step in plan.steps}
    return (step for step in record.current_steps if (step.policy, step.action) in names)


def _in_use(record: CaseRecord, now: datetime) -> CaseRecord:
    """The record with its approved plan in use. Steps are `approved_not_begun` until they run."""
    plan = replace(record.plan, state=PlanState.USED) if record.plan else None
    return replace(record, plan=plan).with_steps(no_longer_waiting(record, Reason.APPROVED_NOT_BEGUN, "", now))


def _plan(steps: tuple[PlanStep, ...], record: CaseRecord, policies: PolicySet, now: datetime) -> Plan:
    rules: ApprovalRules = policies.guardrails.approval
    return Plan(
        digest=plan_digest(steps, policies.digest, record.finding_key, record.asked),
        policy_digest=policies.digest,
        steps=steps,
        created_at=now,
        expires_at=now + parse_duration(rules.expires),
        needed=max(1, rules.needed),
        after=record.plan.reason if record.plan else "",
        asked=record.asked,
    )


def _needs_approval(policy: PolicyDecision, planned: PlannedAction) -> bool:
    return (
        policy.mode == Mode.APPROVE
        and planned.result == ActionResult.PLANNED
        and not actions()[planned.action].observes
    )


def _steps(decision: Decision, names: frozenset[str] = frozenset()) -> Iterator[PlanStep]:
    """The steps that wait, as planned; for the policies in `names` also if they enforce by now."""
    for policy in _spared(decision, names).policies:
        raised = policy.name in names and policy.mode == Mode.ENFORCE
        asking = replace(policy, mode=Mode.APPROVE) if raised else policy
        yield from (_step(policy, planned) for planned in policy.actions if _needs_approval(asking, planned))


def _step(policy: PolicyDecision, planned: PlannedAction) -> PlanStep:
    parameters = read_json(planned.variant, dict[str, Any]) if planned.variant else {}
    changes = tuple(stored(change) for change in planned.changes)
    return PlanStep(policy=policy.name, action=planned.action, parameters=parameters, changes=changes)


def _spared(decision: Decision, names: frozenset[str] = frozenset()) -> Decision:
    """The decision without approvals for what an enforcing policy does anyway (policies in `names` still ask)."""
    anyway = {
        (planned.action, planned.variant)
        for policy in decision.policies
        if policy.mode == Mode.ENFORCE and policy.name not in names
        for planned in policy.actions
        if planned.result == ActionResult.PLANNED
    }

    def spare(policy: PolicyDecision, planned: PlannedAction) -> PlannedAction:
        if not _needs_approval(policy, planned) or (planned.action, planned.variant) not in anyway:
            return planned
        return replace(planned, result=ActionResult.SKIPPED, reason=Reason.ENFORCED_BY_OTHER_POLICY)

    return decision.with_each(spare)


def _marked(decision: Decision, result: ActionResult, reason: Reason, approved: Plan | None = None) -> Decision:
    """The decision with `result` and `reason` on every step that needs approval and is not in the approved plan."""
    known = () if approved is None else tuple(map(_essence, approved.steps))
    left_out = () if approved is None else tuple(map(_essence, approved.left_out))

    def mark(policy: PolicyDecision, planned: PlannedAction) -> PlannedAction:
        essence = _essence(_step(policy, planned)) if _needs_approval(policy, planned) else None
        if essence is None or essence in known:
            return planned
        return replace(planned, result=result, reason=Reason.LESSER_APPROVED if essence in left_out else reason)

    return decision.with_each(mark)
