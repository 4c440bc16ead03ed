"""One decision being carried out: its means, and what is known of its steps, written to the journal or not."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from scc_responder.actions import actions
from scc_responder.domain.changes import Change, ChangedObject, kind_of_stored, stored
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, DeliveryError, RetryableError
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, Result, StepStatus, failed
from scc_responder.execute.world import World
from scc_responder.journal.case import CaseRecord, action_id
from scc_responder.journal.claimed_case import ClaimedCase
from scc_responder.journal.messages import conclusion
from scc_responder.journal.step import Step
from scc_responder.policy.decide import Decision, PlannedAction, PolicyDecision

RETRIED_WHEN_REOPENED = frozenset({StepStatus.FAILED, StepStatus.NOT_POSSIBLE})
REPEATABLE = frozenset({StepStatus.DRY_RUN, StepStatus.HELD, StepStatus.SKIPPED, StepStatus.WAITING})
"""Recorded answers of steps that changed nothing: decided anew by a later delivery."""

MOST_ANSWERS = 3
"""Equal answers about the object itself, one in each delivery, after which its step is failed."""

MOST_RECONCILING = 12
"""Deliveries in a row, about an hour of them, in which Cloud Run has not carried a change out: then it is failed."""

RESPONDER = PolicyDecision(name="", mode=Mode.ENFORCE, matched=True, reason=Reason.HELD_OR_FAILED)
"""Stands where a step has no policy: the responder's own message about what was held or failed."""


@dataclass(kw_only=True, slots=True)
class Execution:
    """One decision being carried out. `pending` are outcomes that the next write to the journal takes along.

    `postponed_by` is why a part of the decision is postponed: a fact that could not be read.
    `stopped` and `paused` are policies whose chain ended, or has to come again; `lost` the objects that are gone or
    replaced; `unsettled` the ids of actions that have to come again, `error` the first reason for that, and `waiting`
    the policies and ids of those that need them; `ended` the UIDs of pods that another case deleted meanwhile; `urgent`
    the changes that come before all others.
    """

    context: Context
    decision: Decision
    case: ClaimedCase
    world: World
    postponed_by: DeliveryError | None = None
    pending: list[Step] = field(default_factory=list)
    stopped: set[str] = field(default_factory=set)
    paused: set[str] = field(default_factory=set)
    lost: set[ChangedObject | None] = field(default_factory=set)
    unsettled: set[str] = field(default_factory=set)
    waiting: set[tuple[str, str]] = field(default_factory=set)
    error: Exception | None = None
    reserved: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    urgent: tuple[Change, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps of the case as they stand now, written or not."""
        return self.record.steps

    @property
    def record(self) -> CaseRecord:
        """The case with its steps as they stand now, written or not."""
        return self.case.record.with_steps(tuple(self.pending))

    def recorded(self, task: Task) -> Step | None:
        """What is known of the task's step."""
        return self.record.step(task.action_id, task.index)

    @property
    def current_steps(self) -> tuple[Step, ...]:
        """The steps since the case was last opened."""
        return self.record.current_steps

    @property
    def state(self) -> CaseState:
        """The state that the case would end in by now."""
        return conclusion(self.current_steps, self.decision.modes)

    @property
    def is_waiting(self) -> bool:
        """Whether a step waits for a person's approval."""
        return any(step.status is StepStatus.WAITING for step in self.current_steps)

    def is_carried_out(self, policy: str, action: str) -> bool:
        """Whether this delivery, or an earlier one since the case was opened, carried it out, on whatever pod."""
        steps = (step for step in self.current_steps if step.is_settled and step.status not in REPEATABLE)
        return any((step.policy, step.action) == (policy, action) for step in steps)

    def is_unapproved(self, task: Task) -> bool:
        """Whether only a person's approval lets the task be carried out, and there is none."""
        observes = actions()[task.action].observes
        return task.policy.mode == Mode.APPROVE and not observes and not self.case.record.is_approved

    @property
    def target_uid(self) -> str:
        """The pod, service or job that the case is about: the one acted upon before, else the one that was read."""
        acted, context = self.case.record.target_uids, self.context
        read = context.run_owner or context.pod
        if read and (not acted or acted & {read.uid, *context.run_uids}):
            return read.uid
        return next(iter(sorted(acted)), "")

    def action_id(self, planned: PlannedAction) -> str:
        """The action on this target for this finding: nothing that one delivery could read otherwise than the next.

        An action that can be undone is named by its parameters too, one that observes by what the finding says as well.
        """
        finding = self.context.finding
        cluster = finding.cluster.path if finding.cluster else finding.resource_name
        known = actions()[planned.action]
        detail = planned.variant if known.reversible else ""
        detail += self.case.record.digest if known.observes else ""
        return action_id(planned.action + detail, cluster, self.target_uid, finding.key)

    def has_ended(self, uid: str) -> StepStatus | None:
        """How far our deletion of the object is: `done`, `terminating`; None where there is none.

        It is the case's own, or that of another case, where this delivery met it.
        """
        if uid in self.ended:
            return StepStatus.DONE
        ended = (step for step in self.steps if (kind := kind_of_stored(step.change)) and kind.ends_pod)
        reached = {step.status for step in ended if uid and step.expected_uid == uid}
        return next((each for each in (StepStatus.DONE, StepStatus.TERMINATING) if each in reached), None)

    def come_again(self, task: Task, error: Exception, before: Step | None) -> StepStatus | None:
        """Leave the task's action to a later delivery, and do the rest first. `before` is the step before this try.

        The third equal answer in a row that is about the object itself ends the step: it returns `failed`. So does the
        twelfth delivery in which Cloud Run has not carried a change out.
        """
        if isinstance(reason := getattr(error, "reason", ""), Reason) and reason.is_planned_anew:
            # An intent of it would be taken for work of ours: it is not sent.
            self.settle(task, Result(status=StepStatus.HELD, reason=reason, detail=str(error)))
        counted = _counted(error)
        if counted:
            answer, most = counted
            equal = before.answers if before and before.reason == answer.reason else 0
            if equal + 1 >= most:
                self.settle(task, failed(answer.reason, f"{most} equal answers: {answer.explanation}"))
                return StepStatus.FAILED
            self._count(task, answer, equal + 1)
        self.unsettled.add(task.action_id)
        self.error = self.error or error
        return None

    def _count(self, task: Task, answer: DeliveryError, answers: int) -> None:
        """Note the answer in the step. One without an intent is `held`: nothing was sent that has to be probed for."""
        noted = self.recorded(task)
        if noted is None or noted.is_settled:
            self.settle(task, Result(status=StepStatus.HELD, reason=answer.reason))
            noted = self.pending.pop()
        self.pending.append(
            msgspec.structs.replace(noted, reason=answer.reason, detail=answer.explanation, answers=answers)
        )

    def ask_again(self) -> None:
        """Raise what the first step that has to come again met, else why a part was postponed, if there is either."""
        error = self.error or self.postponed_by
        if error is not None:
            raise error

    def is_repeatable(self, step: Step) -> bool:
        """Whether a settled step may be carried out: it changed nothing, or failed before the case was opened anew.

        An earlier delivery's step that comes again is: of a deletion it is read what came of it, nothing is sent again.
        """
        earlier = step not in self.current_steps
        if step.comes_again and not step.is_warming_up:
            return step.epoch < self.case.record.epoch
        return step.status in REPEATABLE or (earlier and step.status in RETRIED_WHEN_REOPENED)

    def settle(self, task: Task, result: Result) -> None:
        """Keep the outcome for the next write."""
        self.pending.append(
            msgspec.structs.replace(
                task.step(self.world.clock(), self.case.record.epoch),
                status=result.status,
                reason=result.reason,
                detail=result.detail,
                containment=result.containment or "",
                contained_at=result.contained_at,
                due_at=result.due_at,
                frozen=result.frozen,
                left=result.left,
                unknown=result.unknown,
                settled_at=self.world.clock(),
            )
        )


def _counted(error: Exception) -> tuple[DeliveryError, int] | None:
    """The answer that is not waited for without end, and how many equal ones are; None for any other."""
    answer = error.__cause__ if isinstance(error.__cause__, ApiError) else error
    if isinstance(answer, ApiError) and answer.is_about_object:
        return answer, MOST_ANSWERS
    if isinstance(error, RetryableError) and error.reason == Reason.RECONCILING:
        return error, MOST_RECONCILING
    return None


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
        target = self.change.target if self.change else None
        return Step(
            action_id=self.action_id,
            index=self.index,
            policy=self.policy.name,
            action=self.action,
            expected_uid=target.uid if target else "",
            change=stored(self.change),
            epoch=epoch,
            intended_at=now,
        )
