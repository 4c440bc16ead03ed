"""What would wait for the warm-up, and what people would be told of a hold, before anything is done. Pure.

The rules are the responder's own: `guard/trust/first_shot.py` decides on a first shot, `execute/news.py` on what is
told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from scc_responder.actions import Action, actions
from scc_responder.domain.context import Context
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.finding import case_id
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import StepStatus
from scc_responder.domain.value import Value
from scc_responder.execute.news import untold
from scc_responder.guard.disruption import disruption_request
from scc_responder.guard.limits.ledger_document import DisruptionRequest
from scc_responder.guard.trust.first_shot import FirstShot, FirstShotState, decided, policy_content, with_act
from scc_responder.journal.notices import first_shot_notice
from scc_responder.journal.step import Step
from scc_responder.journal.to_do import to_do
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.policy_set import PolicySet

ANY_CASE = "CASE"
"""Stands for the id of a case in a command that is the same for many."""

_STATUSES = {
    ActionResult.PLANNED: StepStatus.DONE,
    ActionResult.WAITING: StepStatus.WAITING,
    ActionResult.HELD: StepStatus.HELD,
    ActionResult.SKIPPED: StepStatus.SKIPPED,
}


class ForetoldShot(Value, frozen=True, kw_only=True):
    """What a policy would do first in a place that cannot be undone, if it has not acted there yet.

    `actions` wait for `warm_up`. `then` says what came of them if nothing else waited by then: where they do not fit
    the limits (`detail`), people get one `notice`.
    """

    policy: str
    mode: Mode
    place: str
    warm_up: str
    actions: tuple[str, ...]
    then: FirstShotState
    detail: str = ""
    notice: dict[str, Any] | None = None


class ToldHold(Value, frozen=True, kw_only=True):
    """A step that is held, of which a person is told, and the command for what to do now."""

    action: str
    reason: str
    to_do: str


class Foretold(Value, frozen=True, kw_only=True):
    """The message about a finding of HIGH or above: why it goes out, and which steps hold its answer."""

    reason: Reason
    holds: tuple[ToldHold, ...] = ()


def waits_first(policy: PolicyDecision, action: Action) -> bool:
    """Whether the first such acts of the policy wait: they cannot be undone, and no person approves them before."""
    return not action.reversible and policy.mode != Mode.APPROVE


def first_shots(context: Context, decision: Decision, policies: PolicySet, now: datetime) -> Iterator[ForetoldShot]:
    """What of the decision would wait; nothing where the guardrails have no warm-up."""
    if not parse_duration(policies.guardrails.warm_up):
        return
    known = {policy.name: policy for policy in policies.policies}
    for each in decision.policies:
        waiting = tuple(dict.fromkeys(item.action for item in each.actions if _waits(each, item)))
        if not waiting:
            continue
        own = known[each.name]
        shot = FirstShot(place=context.finding.place, policy=each.name, content=policy_content(own))
        for name in waiting:
            if asked := shot_request(context, actions()[name]):
                shot = with_act(shot, asked, now)
        shot = decided(shot, own.limits, policies.guardrails, now)
        yield ForetoldShot(
            policy=each.name,
            mode=each.mode,
            place=shot.place,
            warm_up=policies.guardrails.warm_up,
            actions=waiting,
            then=shot.state,
            detail=shot.detail,
            notice=refused_notice(shot),
        )


def _waits(policy: PolicyDecision, planned: PlannedAction) -> bool:
    return planned.result == ActionResult.PLANNED and waits_first(policy, actions()[planned.action])


def shot_request(context: Context, action: Action) -> DisruptionRequest | None:
    """What the act asks of the limits, under a name that no other finding's has; None where nothing was read."""
    asked = disruption_request(context, action, action.name)
    return replace(asked, action_id=f"{context.finding.key} {action.name}") if asked else None


def refused_notice(shot: FirstShot) -> dict[str, Any] | None:
    """The facts of the one notice that none of it is done; None where it is not refused."""
    if shot.state is not FirstShotState.REFUSED:
        return None
    return first_shot_notice(shot.place, shot.policy, shot.detail).facts


def foretold(
    context: Context, policies: Iterable[PolicyDecision], case: str = "", *, waited: bool = False
) -> Foretold | None:
    """What a person is told of a finding of HIGH or above that anything holds, or that nothing answers.

    `case` is what stands in the commands; the finding's own where it is empty. `waited`: a part of it waited for a
    first shot, of which one notice tells for all.
    """
    if not context.threat.is_severe:
        return None
    matched = [policy for policy in policies if policy.matched]
    if not matched:
        return Foretold(reason=Reason.NO_POLICY_MATCHED)
    name, place = case or case_id(context.finding.key), context.finding.place
    holds = tuple(
        ToldHold(action=step.action, reason=step.reason, to_do=_first_said(step, name, place))
        for step in told_holds(context, matched, waited=waited)
    )
    return Foretold(reason=Reason.HELD_OR_FAILED, holds=holds) if holds else None


def _first_said(step: Step, case: str, place: str) -> str:
    """The first command about the step, as the case says it."""
    return next(iter(to_do([step], case, place)), "")


def told_holds(context: Context, policies: Iterable[PolicyDecision], *, waited: bool = False) -> list[Step]:
    """The held steps of which people are told, by the responder's message or by a policy's own, each once."""
    told = untold(foretold_steps(context, policies, ActionResult.HELD), severe=True)
    return [step for step in told if not (waited and step.reason == Reason.FIRST_SHOT_TOO_WIDE)]


def foretold_steps(context: Context, policies: Iterable[PolicyDecision], result: ActionResult) -> list[Step]:
    """The steps with this result, as the case would have them where everything that may be done succeeds.

    What several policies ask for stands there once.
    """
    found = {(item.action, item.reason): None for each in policies for item in each.actions if item.result == result}
    return [
        Step(
            action_id=action,
            action=action,
            status=_STATUSES[result],
            reason=reason,
            settled_at=context.finding.event_time,
        )
        for action, reason in found
    ]
