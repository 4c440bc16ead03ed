"""What waits for a later delivery because a fact could not be read now. Whatever does not need the fact is done. Pure.

A delivery that is left undone asks to come again: its error is raised once the rest is done. After `LOOKS` deliveries
the steps that need the fact are held, and the case ends; a policy of which nobody can say whether it applies waits on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.collect.confirm import Settled, unread
from scc_responder.collect.target import Collected
from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.context import LiveLook
from scc_responder.domain.errors import ApiError, DeliveryError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState
from scc_responder.journal.case import CaseRecord
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision

LOOKS = 3
"""Deliveries that wait for a fact that cannot be read, before the steps that need it are held."""


def unread_target(collected: Collected) -> DeliveryError | None:
    """What to raise where the API server or the pod could not be read; None where it was, or is not there.

    That is Settled where no delivery will read it, else RetryableError.
    """
    error = collected.errors.get("api") or collected.errors.get("pod")
    if error is None or collected.context.missing.get("pod") == Reason.TARGET_ABSENT:
        return None
    if isinstance(error, ApiError) and error.reason.is_beyond_reach:
        return Settled(error.reason, CaseState.HELD, "ERROR", message=str(error))
    return unread(error)


def unread_fact(collected: Collected, decision: Decision, record: CaseRecord, now: datetime) -> DeliveryError | None:
    """What to raise where the decision depends on a fact that a later delivery may read; None where it does not.

    A plan that a person may answer, or has, waits until it expires for any fact by which it was made, also where the
    read is refused: somebody may give the right back.
    """
    met = [*collected.errors.values()]
    if met and _is_plan_unread(decision, record, now):
        return unread(met[0])
    passing = next((error for error in met if isinstance(error, ApiError) and error.may_pass), None)
    unseen = (_is_early(record) or _has_open_plan(record)) and any(item.unread for _, item in _actions(decision))
    return unread(passing) if passing and (unseen or _is_unsure(decision)) else None


def evidence_alone(decision: Decision, collected: Collected) -> Decision:
    """The decision with everything postponed but evidence: nothing of the target is known."""
    return _postponed(decision, collected, lambda _policy, _item: True)


def without_unread(decision: Decision, collected: Collected, record: CaseRecord) -> Decision:
    """The decision with what an unread fact keeps from being done postponed, and the message about all that is done.

    A plan is asked for, and carried out, as a whole. For some deliveries, what cannot be undone waits for what is to go
    before it: a step that is postponed, and those of a policy that may apply.
    """
    before = any(item.unread and actions()[item.action].reversible for _, item in _actions(decision))
    waited_for = _is_early(record) and (before or _is_unsure(decision))

    def waits(policy: PolicyDecision, item: PlannedAction) -> bool:
        is_last = not actions()[item.action].reversible
        may_go_further = policy.mode_reason == Reason.MODE_NOT_RAISED
        return item.unread or policy.mode == Mode.APPROVE or may_go_further or (waited_for and is_last)

    return _postponed(decision, collected, waits)


def _postponed(
    decision: Decision, collected: Collected, waits: Callable[[PolicyDecision, PlannedAction], bool]
) -> Decision:
    """The decision with the message, and each change that `waits`, postponed.

    Evidence without a fact is a step of its own: it is captured again with the fact.
    """
    others = {*LiveLook.__struct_fields__, *(fact.key for fact in AskedFact)}
    lacking = ",".join(sorted(collected.errors.keys() - others))

    def postpone(policy: PolicyDecision, item: PlannedAction) -> PlannedAction:
        known = actions()[item.action]
        if known.observes and not known.tells:
            return replace(item, variant=item.variant + lacking)
        return replace(item, postponed=known.tells or waits(policy, item))

    return decision.with_each(postpone)


def _actions(decision: Decision) -> Iterator[tuple[PolicyDecision, PlannedAction]]:
    return ((policy, item) for policy in decision.policies for item in policy.actions)


def _is_unsure(decision: Decision) -> bool:
    """Whether a policy may apply, or go further, by a fact that was not read."""
    known = decision.policies
    return any(policy.reason.is_missing or policy.mode_reason == Reason.MODE_NOT_RAISED for policy in known)


def _is_early(record: CaseRecord) -> bool:
    return record.attempts <= LOOKS


def _is_plan_unread(decision: Decision, record: CaseRecord, now: datetime) -> bool:
    """Whether a step of the open plan would be held by now, for a fact that was read when the plan was made."""
    if record.plan is None or not _has_open_plan(record) or now >= record.plan.expires_at:
        return False
    planned = {(step.policy, step.action) for step in record.plan.steps}
    return any(item.unread and (policy.name, item.action) in planned for policy, item in _actions(decision))


def _has_open_plan(record: CaseRecord) -> bool:
    """Whether a person may answer a plan, or has: what could not be read is no reason to withdraw it."""
    return record.is_approved or (record.plan is not None and record.plan.is_pending)
