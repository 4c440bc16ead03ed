"""Carry out a decision step by step: every intent is written before its request, every outcome after its check.

Steps that can be undone come first, whichever policy asked for them: no policy's deletion goes before another's
evidence. A failed step stops the rest of its policy. A step with an outcome is never carried out again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from scc_responder.action import actions
from scc_responder.case import Step, StepStatus, action_id
from scc_responder.changes import (
    CaptureEvidence,
    Change,
    CreateNetworkPolicy,
    DeletePod,
    PatchObject,
    PublishDecision,
)
from scc_responder.context import Context
from scc_responder.decide import Decision, PlannedAction, PolicyDecision
from scc_responder.errors import ResponderError, RetryableError
from scc_responder.observations import capture, publish
from scc_responder.open_case import OpenCase
from scc_responder.policy import Mode
from scc_responder.record import outcome_attributes, outcome_message
from scc_responder.step import Result, StepRun
from scc_responder.world import World

STOPS = frozenset({StepStatus.FAILED, StepStatus.TARGET_GONE, StepStatus.TARGET_REPLACED})
"""Outcomes after which the later steps of the policy make no sense."""

REPEATABLE = frozenset({StepStatus.DRY_RUN, StepStatus.HELD, StepStatus.SKIPPED})
"""Recorded answers of steps that changed nothing: decided anew by a later delivery."""


TROUBLE = frozenset({StepStatus.HELD, StepStatus.FAILED})
"""Outcomes that a person must learn of."""

RESPONDER = PolicyDecision(name="", mode=Mode.ENFORCE, matched=True, reason="held_or_failed")
"""Stands where a step has no policy: the responder's own message about what was held or failed."""


@dataclass(kw_only=True, slots=True)
class Execution:
    """One decision being carried out. `pending` are outcomes that the next write to the journal takes along."""

    context: Context
    decision: Decision
    case: OpenCase
    world: World
    pending: list[Step] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps of the case as they stand now, written or not."""
        return self.case.record.with_steps(tuple(self.pending)).steps

    def recorded(self, task: Task) -> Step | None:
        """What is known of the task's step."""
        return next((step for step in self.steps if (step.action_id, step.index) == (task.action_id, task.index)), None)

    @property
    def current_steps(self) -> tuple[Step, ...]:
        """The steps since the case was last opened."""
        return self.case.record.with_steps(tuple(self.pending)).current_steps

    def is_carried_out(self, policy: str, action: str) -> bool:
        """Whether this delivery, or an earlier one since the case was opened, carried it out, on whatever pod."""
        steps = (step for step in self.current_steps if step.is_settled and step.status not in REPEATABLE)
        return any((step.policy, step.action) == (policy, action) for step in steps)

    @property
    def pod_uid(self) -> str:
        """The pod that the case is about: the one acted upon before, else the one that was read."""
        return next(iter(sorted(self.case.record.pod_uids)), self.context.pod.uid if self.context.pod else "")

    def settle(self, task: Task, result: Result) -> None:
        """Keep the outcome for the next write."""
        self.pending.append(
            msgspec.structs.replace(
                task.step(self.world.clock(), self.case.record.epoch),
                status=result.status,
                reason=result.reason,
                detail=result.detail,
                settled_at=self.world.clock(),
            )
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One change of one action of one policy; without a change, an action that is not carried out."""

    policy: PolicyDecision
    action: str
    action_id: str
    index: int = 0
    change: Change | None = None

    def step(self, now: datetime, epoch: int) -> Step:
        """The step as it stands in the journal when it is only meant."""
        return Step(
            action_id=self.action_id,
            index=self.index,
            policy=self.policy.name,
            action=self.action,
            expected_uid=getattr(self.change, "uid", "") or getattr(self.change, "pod_uid", ""),
            change={} if self.change is None else msgspec.to_builtins(self.change),
            epoch=epoch,
            intended_at=now,
        )


def execute(context: Context, decision: Decision, case: OpenCase, world: World) -> tuple[Step, ...]:
    """Carry out what is planned and return the outcomes that are not written yet: the caller closes the case with them.

    Raises RetryableError where a later delivery must go on, LostLease where another one has taken over.
    """
    execution = Execution(context=context, decision=decision, case=case, world=world)
    try:
        _resume(execution)
        for policy, planned in _in_order(decision):
            _run_action(execution, policy, planned)
        _publish_trouble(execution)
    except RetryableError:
        _keep(execution)
        raise
    return tuple(execution.pending)


def _keep(execution: Execution) -> None:
    """Write what came of the steps so far: a later delivery must not do again what this one did."""
    with suppress(ResponderError):
        if execution.pending:
            execution.case.save(*execution.pending)


def _resume(execution: Execution) -> None:
    """Bring to an end what an earlier delivery only meant to do: by its own recorded change, and probing first.

    The target may look different by now, so that nobody would plan the change again; it may have been made, though.
    """
    allowed = {(policy.name, item.action) for policy in execution.decision.policies for item in _not_held(policy)}
    for step in [step for step in execution.case.record.steps if not step.is_settled]:
        policy = next((item for item in execution.decision.policies if item.name == step.policy), RESPONDER)
        change = msgspec.convert(step.change, Change)
        task = Task(policy=policy, action=step.action, action_id=step.action_id, index=step.index, change=change)
        may_act = policy is RESPONDER or (step.policy, step.action) in allowed
        if _run_change(execution, task, may_act=may_act).status in STOPS:
            execution.stopped.add(policy.name)


def _not_held(policy: PolicyDecision) -> Iterator[PlannedAction]:
    return (item for item in policy.actions if policy.matched and item.result != "held")


def _in_order(decision: Decision) -> Iterator[tuple[PolicyDecision, PlannedAction]]:
    """Every action: first those of each policy up to its first irreversible one, then the rest."""
    matched = [policy for policy in decision.policies if policy.matched]
    for late in (False, True):
        for policy in matched:
            first = _first_irreversible(policy)
            for planned in policy.actions[first:] if late else policy.actions[:first]:
                yield policy, planned


def _first_irreversible(policy: PolicyDecision) -> int:
    known = actions()
    return next((n for n, item in enumerate(policy.actions) if not known[item.action].reversible), len(policy.actions))


def _run_action(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> None:
    name = _action_id(execution, planned)
    if planned.result != "planned":
        if execution.is_carried_out(policy.name, planned.action):
            return
        status = StepStatus.HELD if planned.result == "held" else StepStatus.SKIPPED
        _note(execution, Task(policy=policy, action=planned.action, action_id=name), status, planned.reason)
        return
    for index, change in enumerate(planned.changes):
        task = Task(policy=policy, action=planned.action, action_id=name, index=index, change=change)
        if policy.name in execution.stopped:
            _note(execution, task, StepStatus.SKIPPED, "earlier_step_stopped")
        elif _run_change(execution, task).status in STOPS:
            execution.stopped.add(policy.name)


def _action_id(execution: Execution, planned: PlannedAction) -> str:
    """The action on this target for this finding: nothing that one delivery could read otherwise than the next.

    An action that can be undone is named by its parameters too, one that observes by what the finding says as well.
    """
    finding = execution.context.finding
    cluster = finding.cluster.path if finding.cluster else finding.resource_name
    known = actions()[planned.action]
    detail = planned.variant if known.reversible else ""
    detail += execution.case.record.digest if known.observes else ""
    return action_id(planned.action + detail, cluster, execution.pod_uid, finding.key)


class _Withheld(Exception):  # noqa: N818 - not a fault: the probe has told all that may be known
    """A step was found not to have been carried out before, and may not be carried out now."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _reserve(execution: Execution, task: Task) -> None:
    """Take the one right to do to this object what cannot be undone. Raises _Withheld where another finding has it."""
    if actions()[task.action].reversible:
        return
    finding = execution.context.finding
    cluster = finding.cluster.path if finding.cluster else ""
    target = action_id(task.action, cluster, execution.pod_uid, "")
    if not execution.case.reserve(target, task.action_id):
        raise _Withheld("reserved_by_other_finding")


def _run_change(execution: Execution, task: Task, *, may_act: bool = True) -> Result:
    """Carry the change out, unless it was. Where that may not be any more, only the probe tells what was done."""
    recorded = execution.recorded(task)
    if recorded and recorded.is_settled and recorded.status not in REPEATABLE:
        return Result(status=recorded.status, reason=recorded.reason, detail=recorded.detail)

    def intend() -> None:
        if not may_act:
            raise _Withheld("held_before_resumed")
        if task.policy.mode == Mode.ENFORCE:
            _reserve(execution, task)
            execution.case.save(*execution.pending, task.step(execution.world.clock(), execution.case.record.epoch))
            execution.pending.clear()

    run = StepRun(
        action_id=task.action_id,
        dry_run=task.policy.mode != Mode.ENFORCE,
        intended=recorded is not None and not recorded.is_settled,
        intend=intend,
    )
    try:
        result = _carry_out(execution, task.change, run)
    except _Withheld as withheld:
        result = Result(status=StepStatus.HELD, reason=withheld.reason)
    execution.settle(task, result)
    return result


def _carry_out(execution: Execution, change: Change | None, run: StepRun) -> Result:
    context, world = execution.context, execution.world
    match change:
        case CaptureEvidence():
            return capture(change, run, context, world)
        case PublishDecision():
            message = outcome_message(context, execution.decision, execution.steps)
            return publish(message, run, outcome_attributes(context), world.outcomes)
    if world.cluster is None or change is None:
        return Result(status=StepStatus.SKIPPED, reason=context.pod_missing)
    match change:
        case PatchObject():
            return world.cluster.patch_object(change, run)
        case CreateNetworkPolicy():
            return world.cluster.create_network_policy(change, run)
        case DeletePod():
            return world.cluster.delete_pod(change, run)


def _note(execution: Execution, task: Task, status: StepStatus, reason: str) -> None:
    """Record why a step is not carried out, unless an earlier delivery did carry it out, or recorded the same."""
    recorded = execution.recorded(task)
    if recorded is None or (recorded.status in REPEATABLE and (recorded.status, recorded.reason) != (status, reason)):
        execution.settle(task, Result(status=status, reason=reason))


def _publish_trouble(execution: Execution) -> None:
    """Publish what was held or failed even where no policy asks for `notify`: a person must learn of it."""
    if execution.world.outcomes is None or not _untold(execution.current_steps):
        return
    change = PublishDecision()
    planned = PlannedAction(action="notify", result="planned", reason="held_or_failed", variant="held_or_failed")
    name = _action_id(execution, planned)
    _run_change(execution, Task(policy=RESPONDER, action="notify", action_id=name, change=change))


def _untold(steps: Iterable[Step]) -> bool:
    """Whether a step was held or failed after the last message that was published, if any was."""
    settled = [(step, step.settled_at) for step in steps if step.settled_at]
    told = max((at for step, at in settled if (step.action, step.status) == ("notify", StepStatus.DONE)), default=None)
    return any(step.status in TROUBLE and (told is None or at > told) for step, at in settled)
