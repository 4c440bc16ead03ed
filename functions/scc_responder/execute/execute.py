"""Carry out a decision step by step: every intent is written before its request, every outcome after its check.

They come in the order of `order.py`. What keeps a step from being carried out is in `dependencies.py`. A step that must
come again leaves the others to be done first; then the delivery asks to come again. A step with an outcome is never
carried out again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from scc_responder.actions import actions
from scc_responder.collect.confirm import Settled
from scc_responder.domain.changes import StepRun
from scc_responder.domain.changes.publish_decision import PublishDecision
from scc_responder.domain.context import Context
from scc_responder.domain.errors import DeliveryError, StoreError
from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from scc_responder.execute.after_changes import evidence_after
from scc_responder.execute.dependencies import STOPS, is_moot, is_stopped, must_wait, note_outcome, unmet
from scc_responder.execute.early_containers import begin_early
from scc_responder.execute.evidence.capture import read_early
from scc_responder.execute.execution import REPEATABLE, RESPONDER, Execution, Task
from scc_responder.execute.gate import Gate, Withheld
from scc_responder.execute.means import StepMeans
from scc_responder.execute.news import is_outdated, last_told, untold
from scc_responder.execute.stored_steps import unfinished
from scc_responder.execute.told_as_one import is_told_as_one
from scc_responder.execute.world import World
from scc_responder.journal.claimed_case import ClaimedCase, LostLease
from scc_responder.journal.messages import UNANSWERED
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.order import in_order

Decided = tuple[Context, Decision, DeliveryError | None]
"""A context, the decision in it, and why a part of that is postponed."""


def execute(
    context: Context,
    decision: Decision,
    case: ClaimedCase,
    world: World,
    postponed_by: DeliveryError | None = None,
    *,
    decide_again: Callable[[], Decided] | None = None,
) -> tuple[Step, ...]:
    """Carry out what is planned and return the outcomes that are not written yet: the caller closes the case with them.

    `postponed_by` is why a part of the decision is postponed: it is raised once the rest is done and written.
    `decide_again` is asked once a look into the container has told something new.
    Raises RetryableError where a later delivery must go on, LostLease where another one has taken over, Settled where
    the kill switch ends it.
    """
    world = replace(world, early=read_early(context, decision, world, case.renew))
    execution = Execution(context=context, decision=decision, case=case, world=world, postponed_by=postponed_by)
    told = case.record.inspection
    try:
        _resume(execution)
        execution.urgent = begin_early(execution)
        if _run_all(execution, told):
            if decide_again:
                execution.context, execution.decision, execution.postponed_by = decide_again()
            _run_all(execution, case.record.inspection)
        if after := evidence_after(execution):
            _carry_out(execution, after)
        if execution.postponed_by is None:
            _tell(execution)
        execution.ask_again()
    except Exception:
        # A later delivery must not repeat them: the write that lets go of the case takes them along.
        case.noted(*execution.pending)
        raise
    return tuple(execution.pending)


def _run_all(execution: Execution, told: Inspection | None) -> bool:
    """Run every action, or those up to a look into the container that told something else: then it returns True."""
    for policy, planned in _urgent_first(execution):
        if execution.case.record.inspection != told:
            return True
        _run_action(execution, policy, planned)
    return execution.case.record.inspection != told


def _urgent_first(execution: Execution) -> list[tuple[PolicyDecision, PlannedAction]]:
    """Every action in its order, but that what a container of ours relies on, which begins now, comes first."""
    actions_in_order = [*in_order(execution.decision)]
    return sorted(actions_in_order, key=lambda item: not any(each in execution.urgent for each in item[1].changes))


def _resume(execution: Execution) -> None:
    """Finish what an earlier delivery only intended: by the recorded change, and probing first."""
    for task, withheld in unfinished(execution):
        _carry_out(execution, task, withheld=withheld)


def _carry_out(execution: Execution, task: Task, *, withheld: Reason | None = None) -> StepStatus | None:
    """Carry the change out, and keep what depends on it from being carried out where it ends badly.

    None: it has to come again. Raises what ends the delivery at once.
    """
    if task.action_id in execution.unsettled:
        return None
    before = execution.recorded(task)
    status: StepStatus | None
    try:
        status = _run_change(execution, task, withheld=withheld)
    except (LostLease, Settled, StoreError):
        raise
    except Exception as error:
        if getattr(error, "reason", "") == Reason.OUT_OF_TIME:
            raise
        status = execution.come_again(task, error, before)
    note_outcome(execution, task, status)
    return status


def _run_action(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> None:
    name = execution.action_id(planned)
    if planned.postponed:
        note_outcome(execution, Task(policy=policy, action=planned.action, action_id=name), None)
    if must_wait(execution, policy, planned):
        execution.waiting.add((policy.name, name))
        return
    if planned.result != ActionResult.PLANNED:
        undone = next((step for step in execution.current_steps if step.action_id == name and step.is_undone), None)
        if undone or not execution.is_carried_out(policy.name, planned.action):
            task = Task(policy=policy, action=planned.action, action_id=name, index=undone.index if undone else 0)
            _note(execution, task, *_not_planned(execution, policy, planned))
        return
    needed = unmet(execution, policy, planned)
    for index, change in enumerate(planned.changes):
        task = Task(policy=policy, action=planned.action, action_id=name, index=index, change=change)
        begun = (recorded := execution.recorded(task)) is not None and not recorded.is_settled
        if is_stopped(execution, task) and not begun:
            _note(execution, task, StepStatus.SKIPPED, Reason.EARLIER_STEP_STOPPED)
        elif needed and not begun:
            _note(execution, task, StepStatus.HELD, Reason.NEEDS.of(needed))
        elif not _goes_on(execution, task, _carry_out(execution, task)):
            return


def _not_planned(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> tuple[StepStatus, Reason]:
    """What is noted of an action that is not carried out. Nobody is asked for what could not follow an earlier step."""
    if planned.result == ActionResult.WAITING:
        change = next(iter(planned.changes), None)
        if is_stopped(execution, Task(policy=policy, action=planned.action, action_id="", change=change)):
            return StepStatus.SKIPPED, Reason.EARLIER_STEP_STOPPED
        needed = unmet(execution, policy, planned)
        if needed and actions()[needed].observes:
            return StepStatus.HELD, Reason.NEEDS.of(needed)
    ours = planned.reason == Reason.TARGET_ABSENT and execution.has_ended(execution.target_uid)
    return StepStatus(planned.result), Reason.DELETED_MEANWHILE if ours else planned.reason


def _goes_on(execution: Execution, task: Task, status: StepStatus | None) -> bool:
    """Whether the action's next change makes sense, or is at least to be noted as not carried out."""
    if status in STOPS:
        return task.policy.name in execution.stopped
    return status not in {StepStatus.HELD, None}


def _run_change(execution: Execution, task: Task, *, withheld: Reason | None = None) -> StepStatus:
    """Carry the change out, unless it was, and say how the step ended.

    `withheld` says why it may not be carried out: then only the probe tells.
    """
    recorded = execution.recorded(task)
    if recorded and recorded.is_settled and not execution.is_repeatable(recorded):
        return recorded.status
    result = _result(execution, task, recorded, withheld)
    execution.settle(task, result)
    return result.status


def _result(execution: Execution, task: Task, recorded: Step | None, withheld: Reason | None) -> Result:
    """The change's outcome. What a case of ours has deleted is not changed any more, nor called another's doing."""
    target, observes = task.change.target if task.change else None, actions()[task.action].observes
    ended = None if observes else execution.has_ended(target.uid if target else "")
    moot = Result(status=StepStatus.SKIPPED, reason=Reason.DELETED_MEANWHILE)
    if ended is StepStatus.DONE:
        return moot
    dry_run = task.policy.mode not in {Mode.APPROVE, Mode.ENFORCE} and not observes
    awaited = recorded if recorded and recorded.is_awaited else None
    step = StepRun(
        action_id=task.action_id,
        dry_run=dry_run,
        intended=recorded is not None and not recorded.is_settled,
        intend=Gate(execution=execution, task=task, withheld=withheld, dry_run=dry_run).intend,
        renew=execution.case.renew,
        clock=execution.world.clock,
        due_at=awaited.due_at if awaited else None,
        ran_at=awaited.settled_at if awaited else None,
        waits_until=execution.world.waits_until,
        intended_at=recorded.intended_at if recorded else None,
    )
    try:
        unknown = Result(status=StepStatus.HELD, reason=withheld or Reason.NOT_PLANNED_NOW)
        result = task.change.carry_out(step, StepMeans(execution)) if task.change else unknown
    except Withheld as held:
        result = held.result
    if ended and result.status is StepStatus.TARGET_GONE:
        return moot
    if target is None or not is_moot(execution, target, result):
        return result
    execution.ended.add(target.uid)
    return moot


def _note(execution: Execution, task: Task, status: StepStatus, reason: Reason) -> None:
    """Record why a step is not carried out, unless an earlier delivery did carry it out, or recorded the same."""
    recorded = execution.recorded(task)
    if recorded is None or (recorded.status in REPEATABLE and (recorded.status, recorded.reason) != (status, reason)):
        execution.settle(task, Result(status=status, reason=reason))


def _tell(execution: Execution) -> None:
    """Publish what a person must know even if no policy has `notify`, once each.

    That is what waits for approval, the result of an approval, and what was held or failed.
    """
    if execution.world.notifier is None:
        return
    plan = execution.case.record.plan
    if plan and execution.case.record.is_approved:
        _publish(execution, f"approved:{plan.digest}")
    severe = execution.context.threat.is_severe
    if news := untold(execution.current_steps, severe=severe, opened=execution.case.record.opened_epoch):
        if is_told_as_one(execution, news):
            return
        _publish(execution, f"waiting:{plan.digest}" if plan and execution.is_waiting else Reason.HELD_OR_FAILED)
    elif severe and execution.state in UNANSWERED and not last_told(execution.current_steps):
        _publish(execution, UNANSWERED[execution.state])
    elif execution.error is None and is_outdated(execution.current_steps, execution.case.record.epoch):
        _publish(execution, Reason.RESUMED)


def _publish(execution: Execution, news: str) -> None:
    planned = PlannedAction(action="notify", result=ActionResult.PLANNED, reason=Reason.HELD_OR_FAILED, variant=news)
    name = execution.action_id(planned)
    _carry_out(execution, Task(policy=RESPONDER, action="notify", action_id=name, change=PublishDecision()))
