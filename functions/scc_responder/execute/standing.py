"""Whether what a case did before still stands, once it is opened again. What others took away is decided anew.

Each step that is planned again is probed as after a crash, and nothing is sent: a request that would have to be sent
says that its effect is gone.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.changes import ChangeKind, Disruption, StepRun, kind_of_stored, restored
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from scc_responder.execute.execution import Execution
from scc_responder.execute.means import StepMeans
from scc_responder.execute.world import World
from scc_responder.journal.again.reopening import stood, to_look_at, undone
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision

_GONE = frozenset({StepStatus.OVERRIDDEN, StepStatus.FAILED})
_KNOWN = frozenset({StepStatus.DONE, StepStatus.NOT_EFFECTIVE})


class _WouldSend(Exception):  # noqa: N818 - an answer, not a fault
    """The change is not in place: its request would have to be sent."""


def look_again(context: Context, decision: Decision, case: ClaimedCase, world: World) -> None:
    """Look at what the case did before it was opened again, as far as this decision plans it again.

    The next write of the case takes along what was seen. Raises RetryableError, ApiError where it could not be seen.
    """
    steps = to_look_at(case.record)
    if not steps:
        return
    execution = Execution(context=context, decision=decision, case=case, world=world)
    planned = {execution.action_id(item) for item in _planned(decision)}
    here = context.run_uids | {part.uid for part in (context.pod, context.node) if part}
    ours = [step for step in steps if _is_of(step, here)]
    seen = [_seen(execution, step, is_planned=step.action_id in planned) for step in ours]
    case.noted(*filter(None, seen))
    gone = tuple(step for step, answer in zip(ours, seen, strict=True) if answer is None)
    case.keep(undone(case.record, gone, world.clock()))


def without_standing(context: Context, decision: Decision, case: ClaimedCase, world: World) -> Decision:
    """The decision without what was done before the case was opened again and stands, or is fought over with others.

    Where a sweep opened it by itself, what cannot be undone waits for a person.
    """
    record = case.record
    execution = Execution(context=context, decision=decision, case=case, world=world)

    def judged(policy: PolicyDecision, planned: PlannedAction) -> PlannedAction:
        name = execution.action_id(planned)
        steps = [record.step(name, index) for index in range(len(planned.changes))]
        if planned.result != ActionResult.PLANNED or not steps:
            return planned
        action = actions()[planned.action]
        if record.unasked and policy.mode == Mode.ENFORCE and not (action.reversible or action.observes):
            return replace(planned, result=ActionResult.HELD, reason=Reason.WAITS_FOR_PERSON)
        if any(step and step.reason == Reason.FOUGHT_OVER for step in steps):
            return replace(planned, result=ActionResult.HELD, reason=Reason.FOUGHT_OVER)
        if all(step and stood(record, step) for step in steps):
            return replace(planned, result=ActionResult.SKIPPED, reason=Reason.DONE_BEFORE)
        return planned

    return decision.with_each(judged)


def _planned(decision: Decision) -> Iterator[PlannedAction]:
    for policy in decision.policies:
        yield from (item for item in policy.actions if policy.matched and item.result == ActionResult.PLANNED)


def _is_of(step: Step, here: frozenset[str]) -> bool:
    """Whether the step changed an object that was read: what it did to another is that one's."""
    return step.expected_uid in here and step.action in actions() and kind_of_stored(step.change) is not None


def _seen(execution: Execution, step: Step, *, is_planned: bool) -> Step | None:
    """The step as it stands by now; None where its effect is gone."""
    epoch, kind = execution.case.record.epoch, kind_of_stored(step.change)
    if not is_planned or kind is None or _cannot_be_undone(step, kind):
        return replace(step, epoch=epoch)
    if kind.disrupts is Disruption.SERVICES or kind.detaches_pod:
        # That it is planned again says so: the plan was made from what was just read.
        return None
    result = _probed(execution, step)
    if result is None or result.status in _GONE:
        return None
    if result.status is step.status or result.status not in _KNOWN:
        return replace(step, epoch=epoch)
    now = execution.world.clock()
    return replace(
        step,
        status=result.status,
        reason=result.reason,
        detail=result.detail,
        containment=result.containment or "",
        epoch=epoch,
        settled_at=now,
    )


def _cannot_be_undone(step: Step, kind: ChangeKind) -> bool:
    return not actions()[step.action].reversible or kind.puts_container_in or kind.observes


def _probed(execution: Execution, step: Step) -> Result | None:
    """What the change's own probe says; None where a request would have to be sent."""

    def would_send() -> None:
        raise _WouldSend

    run = StepRun(
        action_id=step.action_id,
        dry_run=False,
        intended=True,
        intend=would_send,
        renew=execution.case.renew,
        clock=execution.world.clock,
        waits_until=execution.world.waits_until,
        intended_at=step.intended_at,
    )
    try:
        return restored(step.change).carry_out(run, StepMeans(execution))
    except _WouldSend:
        return None
