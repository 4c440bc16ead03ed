"""What an approval or rejection does to a waiting plan: noted, enough, or refused, each with its reason. Pure."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.domain.value import Value
from scc_responder.guard.approval import is_left_over
from scc_responder.journal.again.withdrawn_plan import withdrawn
from scc_responder.journal.case import UNTOLD, CaseRecord, WordKind, left_to_sweep
from scc_responder.journal.journal import Transition
from scc_responder.journal.messages import conclusion, modes_of
from scc_responder.journal.persons_word import short_words, with_word
from scc_responder.journal.plan import Approval, Plan, PlanState, lesser_plan
from scc_responder.policy.guardrails import ApprovalRules

LOCAL = "local"
"""The approver on a machine whose deployment asks for no token. No e-mail address equals it."""


class ApprovalAnswer(Value, frozen=True, kw_only=True):
    """One person's answer.

    `by` is a verified e-mail address or `local`, `plan` the plan's digest, `said` the reason given.
    """

    by: str
    plan: str = ""
    said: str = ""


def is_listed(by: str, rules: ApprovalRules) -> bool:
    """Whether the guardrails let this person answer. Upper and lower case of ASCII do not matter."""
    # Of other characters some are ASCII in lower case: the sign of Kelvin is `k`.
    return by == LOCAL or (by.isascii() and by.lower() in {approver.lower() for approver in rules.approvers})


def approve(
    record: CaseRecord, answer: ApprovalAnswer, rules: ApprovalRules, now: datetime, *, is_held: bool
) -> Transition:
    """Take an approval. The last one needed starts the plan.

    It may be of the lesser plan, in which nothing is that cannot be undone: then that is the plan from now on, and who
    approved the whole one approves anew. One for a plan that was approved before resumes a crashed case, and what a
    limit held of it.
    """
    plan = record.plan
    if plan is None:
        return _refused(Reason.NOT_WAITING)
    lesser = lesser_plan(plan, record.finding_key) if plan.state is PlanState.WAITING else None
    if lesser and lesser.is_meant_by(answer.plan):
        plan = lesser
    if not plan.is_meant_by(answer.plan):
        return _refused(Reason.PLAN_DIGEST_DIFFERS)
    if plan.state in {PlanState.APPROVED, PlanState.USED}:
        goes_on = is_left_over(record, now) or (record.state is CaseState.OPEN and not is_held)
        return _accepted(Reason.APPROVAL_RESUMED, record, starts=True) if goes_on else _refused(Reason.APPROVAL_USED)
    refused = _not_answerable(record, plan, now, is_held=is_held)
    return refused or _count(record, plan, answer, rules, now)


def reject(record: CaseRecord, answer: ApprovalAnswer, now: datetime, *, is_held: bool) -> Transition:
    """Take a rejection: the plan will not be carried out, nor what is approved and held. Without a digest, any plan."""
    plan = record.plan
    not_begun = plan is not None and plan.state is PlanState.APPROVED and record.state is not CaseState.OPEN
    if plan is None or (plan.state in {PlanState.APPROVED, PlanState.USED} and not not_begun):
        return _refused(Reason.APPROVAL_USED if plan else Reason.NOT_WAITING)
    if answer.plan and not plan.is_meant_by(answer.plan):
        return _refused(Reason.PLAN_DIGEST_DIFFERS)
    refused = None if not_begun else _not_answerable(record, plan, now, is_held=is_held)
    ended = _ended(record, PlanState.REJECTED, Reason.APPROVAL_REJECTED, now, answer)
    return refused or _accepted(
        Reason.APPROVAL_REJECTED, with_word(ended, WordKind.REJECTED, answer.by, now, answer.said)
    )


def expire(record: CaseRecord, now: datetime, *, is_held: bool) -> Transition:
    """End a plan that nobody answered in time."""
    plan = record.plan
    if plan is None or now < plan.expires_at:
        return _refused(Reason.NOT_EXPIRED)
    return _not_answerable(record, plan, now, is_held=is_held) or _refused(Reason.NOT_EXPIRED)


def _not_answerable(record: CaseRecord, plan: Plan, now: datetime, *, is_held: bool) -> Transition | None:
    if plan.state is not PlanState.WAITING:
        return _refused(Reason.read(plan.reason) or Reason.NOT_WAITING)
    if record.state is CaseState.OPEN and is_held:
        return Transition(reason=Reason.CASE_IN_PROGRESS, status=503)
    if record.state not in {CaseState.OPEN, CaseState.WAITING}:
        return _refused(Reason.NOT_WAITING)
    if now >= plan.expires_at:
        return Transition(
            reason=Reason.APPROVAL_EXPIRED,
            status=409,
            record=_ended(record, PlanState.EXPIRED, Reason.APPROVAL_EXPIRED, now, ApprovalAnswer(by="")),
        )
    return None


def _count(record: CaseRecord, plan: Plan, answer: ApprovalAnswer, rules: ApprovalRules, now: datetime) -> Transition:
    """Count this approval with those given before by people who may still approve: each person once."""
    if any(given.by == answer.by for given in plan.approvals):
        given = plan.approvals
    else:
        given = (*plan.approvals, Approval(by=answer.by, at=now))
    enough = sum(is_listed(approval.by, rules) for approval in given) >= max(plan.needed, rules.needed)
    if given == plan.approvals and not enough:
        return Transition(reason=Reason.ALREADY_APPROVED, status=204)
    state = PlanState.APPROVED if enough else PlanState.WAITING
    noted = replace(record, plan=replace(plan, approvals=given, state=state))
    return _accepted(Reason.APPROVED if enough else Reason.APPROVAL_NOTED, noted, starts=enough)


def _ended(record: CaseRecord, state: PlanState, reason: Reason, now: datetime, answer: ApprovalAnswer) -> CaseRecord:
    """The case closed with its plan not carried out.

    A case that was open stays open, to be finished; so does one whose deletion a sweep has to look after.
    """
    ended = withdrawn(record, state, reason, now, by=answer.by, said=short_words(answer.said))
    if record.state is CaseState.OPEN:
        return ended
    left = conclusion(ended.current_steps, modes_of(ended.decision))
    if left is CaseState.OPEN:
        return replace(ended, state=left, reason=left_to_sweep(ended), owner=UNTOLD, closed_at=None)
    return replace(ended, state=left, reason=reason, owner=UNTOLD, closed_at=now)


def _accepted(reason: Reason, record: CaseRecord, *, starts: bool = False) -> Transition:
    return Transition(reason=reason, status=204, record=record, starts=starts)


def _refused(reason: Reason) -> Transition:
    return Transition(reason=reason, status=409)
