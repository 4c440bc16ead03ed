"""What happens to each threat at each mode, alone and where related findings raise its confidence. Pure.

The policies decide about a plain finding of the threat, all in the same mode but those that are disabled, and the
guardrails hold what they hold. Limits count nothing: it is the first finding of its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Any

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.finding import Confidence
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.guard.approval import unapproved
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.intake.threats import CONFIDENCES, Row
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision, decide, match
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.sample_findings import facts_as_told, sample_finding

TRIED_MODES = (Mode.DRY_RUN, Mode.APPROVE, Mode.ENFORCE)
"""The modes that are told apart."""


class StepAnswer(StrEnum):
    """What becomes of a step, the furthest first."""

    DONE = "done"
    ASKED = "asked"
    """It waits for a person's approval."""
    REHEARSED = "rehearsed"
    HELD = "held"
    SKIPPED = "skipped"


class AnsweredStep(Value, frozen=True, kw_only=True):
    """The furthest that any policy takes an action. `reason` says why it is not done, empty where it is."""

    action: str
    answer: StepAnswer
    reason: str = ""


class ModeAnswer(Value, frozen=True, kw_only=True):
    """What happens at one mode. `raised`: related findings raised the threat's confidence to this one."""

    mode: Mode
    confidence: Confidence
    raised: bool
    steps: tuple[AnsweredStep, ...]


def answers_by_mode(rows: Iterable[Row], policies: PolicySet) -> dict[str, tuple[ModeAnswer, ...]]:
    """What happens to each threat, by its name."""
    return {row.name: tuple(_answers(row, policies)) for row in rows}


def raised_contexts(context: Context) -> Iterator[Context]:
    """The same finding where related findings raise its confidence."""
    for confidence in CONFIDENCES[CONFIDENCES.index(context.threat.confidence) + 1 :]:
        yield replace(context, threat=replace(context.threat, confidence=confidence))


def _answers(row: Row, policies: PolicySet) -> Iterator[ModeAnswer]:
    finding = sample_finding(row)
    plain = context_of(finding, facts_as_told(finding))
    for context in (plain, *raised_contexts(plain)):
        enabled = [policy for policy in policies.policies if policy.furthest is not Mode.DISABLED]
        matching = [policy for policy in enabled if match(context, policy) == Reason.MATCHED]
        for mode in TRIED_MODES:
            yield ModeAnswer(
                mode=mode,
                confidence=context.threat.confidence,
                raised=context is not plain,
                steps=_steps(context, matching, mode, policies),
            )


def _steps(context: Context, matching: Sequence[Policy], mode: Mode, policies: PolicySet) -> tuple[AnsweredStep, ...]:
    """Each action once, in the order in which the policies name them."""
    alike: dict[str, Any] = {"mode": mode, "modes": (), "quiet_hours": (), "office_hours": ()}
    decided = decide(context, tuple(replace(policy, **alike) for policy in matching))
    now = context.finding.event_time
    guarded = unapproved(guard(context, decided, policies.guardrails, now, reach=EVERYWHERE_IN_RUN))
    furthest: dict[str, AnsweredStep] = {}
    for policy in guarded.policies:
        for planned in policy.actions:
            step = _answered(policy, planned)
            other = furthest.get(planned.action, step)
            furthest[planned.action] = min(other, step, key=lambda one: tuple(StepAnswer).index(one.answer))
    return tuple(furthest.values())


def _answered(policy: PolicyDecision, planned: PlannedAction) -> AnsweredStep:
    if planned.result is not ActionResult.PLANNED:
        answer = {ActionResult.WAITING: StepAnswer.ASKED, ActionResult.HELD: StepAnswer.HELD}
        told = answer.get(planned.result, StepAnswer.SKIPPED)
        return AnsweredStep(action=planned.action, answer=told, reason=planned.reason)
    if policy.mode is Mode.DRY_RUN and not actions()[planned.action].observes:
        return AnsweredStep(action=planned.action, answer=StepAnswer.REHEARSED, reason=policy.mode_reason)
    return AnsweredStep(action=planned.action, answer=StepAnswer.DONE)
