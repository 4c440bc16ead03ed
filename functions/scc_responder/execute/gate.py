"""The last check of a step, between its probe and its request: may it still be done, and its intent is written.

The order is approval, kill switch, deadline, warm-up, reservation, limits, intent: checks that only refuse come before
those that count, and nothing is counted unless its intent follows.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.collect.confirm import Settled
from scc_responder.domain.changes import Disruption
from scc_responder.domain.errors import ResponderError, RetryableError
from scc_responder.domain.finding import Finding
from scc_responder.domain.mode import Mode
from scc_responder.domain.notices.notice import NoticeKind
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import CaseState, Result, StepStatus
from scc_responder.execute.execution import Execution, Task
from scc_responder.guard.disruption import budget_of, disruption_request
from scc_responder.guard.kill_switch import KillSwitchCeiling, refused_now
from scc_responder.guard.limits.last_serving import is_last_serving, keeps_serving
from scc_responder.guard.limits.ledger_document import Budget, DisruptionRequest, LimitDecision
from scc_responder.journal.case import action_id
from scc_responder.journal.notices import case_notice
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction


class Withheld(Exception):  # noqa: N818 - not a fault: the probe has told all that may be known
    """A step was found not to have been carried out before, and may not be carried out now.

    It is an exception, not a result: a change that ignored a result would still send its request.
    """

    def __init__(self, reason: Reason, detail: str = "", due_at: datetime | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.result = Result(status=StepStatus.HELD, reason=reason, detail=detail, due_at=due_at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Gate:
    """What one task must pass before its request. `withheld` says why it may not be carried out at all; None: it may.

    A rehearsal takes no right, leaves the limits as they are, and writes no intent: it changes nothing. Some changes
    need no intent.
    """

    execution: Execution
    task: Task
    withheld: Reason | None
    dry_run: bool

    def intend(self) -> None:
        """Write the intent, if the task may be carried out now. Raises what `check` does."""
        self.check()
        if not self.dry_run and (self.task.change is None or self.task.change.needs_intent):
            case, pending = self.execution.case, self.execution.pending
            case.save(*pending, self.task.step(self.execution.world.clock(), case.record.epoch))
            pending.clear()

    def check(self) -> None:
        """Count the task against its limits, if it may be carried out now.

        Raises Withheld where it may not, Settled where the kill switch ends everything, RetryableError where a later
        delivery may do it, LostLease where another process has the case.
        """
        if self.withheld or self.execution.is_unapproved(self.task):
            raise Withheld(self.withheld or Reason.WAITING_FOR_APPROVAL)
        self._stay_under_control()
        world = self.execution.world
        if world.clock() > world.until:
            raise RetryableError(Reason.OUT_OF_TIME, "the rest is done by the next delivery")
        if not self.dry_run:
            self._warm_up()
            self._reserve()
        self._stay_within_limits()

    def _stay_under_control(self) -> None:
        """Ask the switch again. What only observes is done unless nothing at all may be done."""
        limit, context = self.execution.world.ceiling(), self.execution.context
        refuse_disabled(limit, context.finding)
        refused = None if actions()[self.task.action].observes else refused_now(limit, self.task.policy, context)
        if refused:
            raise Withheld(refused)

    def _warm_up(self) -> None:
        """Let what cannot be undone wait, where its policy has not acted here yet. What a person approved does not."""
        action, world = actions()[self.task.action], self.execution.world
        if action.reversible or self.task.policy.mode != Mode.ENFORCE:
            return
        asked = self._asked()
        if not world.limiter.breaker(asked).allowed:
            return
        unread = DisruptionRequest(action_id=self.task.action_id, target=self.execution.target_uid, kind="pods")
        answer = world.warm_up.ask(asked or replace(unread, policy=self.task.policy.name))
        if answer.reason:
            raise Withheld(answer.reason, answer.detail, answer.due_at)

    def _asked(self) -> DisruptionRequest | None:
        """What the task asks of the limits; None where it disrupts nothing that was read."""
        asked = disruption_request(self.execution.context, actions()[self.task.action], self.task.action_id)
        if asked is None:
            return None
        policy, then_ends = self.task.policy, self._then_ends(asked.budget)
        keeps = keeps_serving(self.execution.context, self.execution.world.limiter.guardrails)
        asked = replace(asked, policy=policy.name, policy_limits=policy.limits, then_ends=then_ends)
        return replace(asked, keeps_serving=keeps)

    def _reserve(self) -> None:
        """Reserve an irreversible action on this object. Another finding may hold the reservation."""
        execution, task = self.execution, self.task
        if actions()[task.action].reversible or task.action_id in execution.reserved:
            return
        finding = execution.context.finding
        changed = task.change.target if task.change and finding.cloud_run else None
        uid = changed.uid if changed else execution.target_uid
        target = action_id(task.action, finding.cluster_path, uid, "")
        if not execution.case.reserve(target, task.action_id):
            raise Withheld(Reason.RESERVED_BY_OTHER_FINDING)
        execution.reserved.add(task.action_id)

    def _stay_within_limits(self) -> None:
        """Count the target against every limit. One may have no room for it, or a breaker hold it.

        Marks, evidence and what lets a process go on disrupt nothing: neither holds them. What a person had done is
        counted all the same: it is held where it cannot be.
        """
        action, limiter = actions()[self.task.action], self.execution.world.limiter
        if asked := self._asked():
            answer = limiter.reserve(asked, dry_run=self.dry_run, by_person=self._is_asked_for())
        elif action.disrupts:
            answer = limiter.breaker()
        else:
            return
        if answer.reason:
            raise Withheld(answer.reason, answer.detail)
        if asked and asked.kind == "pods" and is_last_serving(self.execution.context, answer.cut):
            self._take_last(answer, keeps=asked.keeps_serving)

    def _take_last(self, answer: LimitDecision, *, keeps: bool) -> None:
        """Tell people before the last pod that serves is taken. A workload that has to serve waits for a person.

        Another delivery may have cut off the other pods since this one was guarded.
        """
        if keeps and self.task.policy.mode != Mode.APPROVE:
            raise Withheld(Reason.LAST_SERVING_POD)
        notifier, case = self.execution.world.notifier, self.execution.case.record
        if notifier is None or self.dry_run or answer.is_again:
            return
        why = f"{self.task.action} is about to take the last pod of its workload that serves"
        notice = case_notice(NoticeKind.OUTCOME, case, Reason.LAST_SERVING_POD, why)
        with suppress(ResponderError):
            # Before an act nothing is asked of incidents: it goes by its case.
            notifier.tell(replace(notice, subject=replace(notice.subject, about=())))

    def _is_asked_for(self) -> bool:
        """Whether a person asked for the step, and listed people approved that very plan."""
        record = self.execution.case.record
        asked = record.plan.asked if record.plan and record.is_approved else None
        return asked is not None and asked.means(self.task.policy.name, self.task.action)

    def _then_ends(self, budget: Budget) -> bool:
        """Whether the policy is about to do what cannot be undone to the same pod: one write counts both."""
        planned = (
            actions()[item.action]
            for item in _planned(self.execution.decision, self.task.policy.name)
            if item.result == ActionResult.PLANNED and not item.postponed
        )
        ends = (action.disrupts is Disruption.PODS and budget_of(action) is not budget for action in planned)
        return budget is Budget.ISOLATION and any(ends)


def _planned(decision: Decision, policy: str) -> tuple[PlannedAction, ...]:
    return next((each.actions for each in decision.policies if each.name == policy), ())


def refuse_disabled(limit: KillSwitchCeiling, finding: Finding | None = None) -> None:
    """Raises Settled where nothing at all may be done: the case is held, and can be resumed."""
    if limit.mode == Mode.DISABLED:
        raise Settled(Reason.CONTROL_DISABLED, CaseState.HELD, "WARNING", confirmed=finding)
