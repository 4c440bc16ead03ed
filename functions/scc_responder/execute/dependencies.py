"""What a step depends on: what it needs, the object that it changes, and a chain where its policy asks for one.

`then:` is an order. A step that fails, is held or must come again keeps no other step from being done, but the steps
that need it. What only observes waits for nothing but what its `needs` names.
"""

from __future__ import annotations

from scc_responder.actions import Action, actions
from scc_responder.domain.changes import ChangedObject, Disruption
from scc_responder.domain.kubernetes import api_paths
from scc_responder.domain.kubernetes.pod_processes import processes_ended
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus, not_the_target
from scc_responder.execute.execution import Execution, Task
from scc_responder.journal.case import action_id
from scc_responder.journal.step import Step
from scc_responder.policy.decide import ActionResult, PlannedAction, PolicyDecision
from scc_responder.policy.policy_set import OnFailure

LOST = frozenset({StepStatus.TARGET_GONE, StepStatus.TARGET_REPLACED})
"""Outcomes after which nothing more can be changed on the same object."""

STOPS = LOST | {StepStatus.FAILED}
"""Outcomes that end a chain: `on_failure: stop`."""


def note_outcome(execution: Execution, task: Task, status: StepStatus | None) -> None:
    """Remember what the outcome keeps from being carried out. None: the step has to come again."""
    target = task.change.target if task.change else None
    if status in LOST and target is not None:
        execution.lost.add(target)
    chained = (item.on_failure == OnFailure.STOP for item in task.policy.actions if item.action == task.action)
    if any(chained) and (status is None or status in STOPS):
        (execution.paused if status is None else execution.stopped).add(task.policy.name)


def is_stopped(execution: Execution, task: Task) -> bool:
    """Whether an earlier step keeps the change from being carried out. What observes is never stopped."""
    if actions()[task.action].observes:
        return False
    lost = task.change is not None and task.change.target in execution.lost
    return lost or task.policy.name in execution.stopped


def needs(policy: PolicyDecision, planned: PlannedAction) -> tuple[str, ...]:
    """The actions that must be carried out and proven before: those named, and before an end of the pod its evidence.

    Evidence is whatever observes and tells nobody, where the policy asks for it before.
    """
    known = actions()
    if not ends_for_good(known[planned.action]):
        return planned.needs
    before = [item.action for item in policy.actions[: policy.actions.index(planned)]]
    evidence = (action for action in before if known[action].observes and not known[action].tells)
    return tuple(dict.fromkeys((*planned.needs, *evidence)))


def ends_for_good(action: Action) -> bool:
    """Whether it takes away what evidence would be read from."""
    return action.ends_pod or not action.reversible


def must_wait(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> bool:
    """Whether a later delivery has to do it: it is postponed, or what it needs or its chain has to come again."""
    if planned.postponed:
        return True
    if planned.result not in {ActionResult.PLANNED, ActionResult.WAITING}:
        return False
    if policy.name in execution.paused and not actions()[planned.action].observes:
        return True
    wanted = needs(policy, planned)
    names = {execution.action_id(item) for item in policy.actions if item.action in wanted}
    return any(name in execution.unsettled or (policy.name, name) in execution.waiting for name in names)


def _came_after(step: Step) -> bool:
    """Whether a deletion of ours came before it: what needs it is moot too, and says so itself."""
    return step.status is StepStatus.SKIPPED and step.reason == Reason.DELETED_MEANWHILE


def unmet(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> str:
    """The first action that the step needs and that is not carried out and proven; empty if all are."""
    for needed in needs(policy, planned):
        if actions()[needed].keeps_files and _is_dispensable(execution, policy, needed):
            continue
        if not _is_proven(execution, policy, needed):
            return needed
    return ""


def awaited_before(execution: Execution, policy: PolicyDecision, planned: PlannedAction) -> str:
    """The first action that comes before the step and is not proven: it needs it, or its chain ends there."""
    earlier = policy.actions[: policy.actions.index(planned)]
    chained = (
        [] if actions()[planned.action].observes else [item for item in earlier if item.on_failure == OnFailure.STOP]
    )
    ends = (item.action for item in chained if not _is_proven(execution, policy, item.action))
    return unmet(execution, policy, planned) or next(ends, "")


def _is_proven(execution: Execution, policy: PolicyDecision, action: str) -> bool:
    """Whether all of the policy's steps of this action are carried out, and seen to hold."""
    proven = {StepStatus.DONE, StepStatus.DRY_RUN} if policy.mode == Mode.DRY_RUN else {StepStatus.DONE}
    names = {execution.action_id(item) for item in policy.actions if item.action == action}
    steps = [step for step in execution.current_steps if step.action_id in names]
    return bool(steps) and all(step.status in proven or step.is_so_already or _came_after(step) for step in steps)


def _is_dispensable(execution: Execution, policy: PolicyDecision, needed: str) -> bool:
    """Whether a step may follow though no file is kept: the finding names none, or a person approved of the loss.

    That is where the files cannot be kept at all (`not_possible`), in a policy that asks for an approval.
    """
    if not execution.context.finding.names_files:
        return True
    names = {execution.action_id(item) for item in policy.actions if item.action == needed}
    reached = [step.status for step in execution.current_steps if step.action_id in names]
    approved = policy.mode == Mode.APPROVE and execution.case.record.is_approved
    return approved and bool(reached) and all(status is StepStatus.NOT_POSSIBLE for status in reached)


def is_moot(execution: Execution, target: ChangedObject | None, outcome: Result) -> bool:
    """Whether the outcome stands for a pod, or a part of Cloud Run, that another case has ended, or is about to.

    Where the pod's deletion is reserved for that case, the pod is read once more: its processes may not have ended yet.
    Raises ApiError, StoreError.
    """
    session, of_run = execution.world.cluster, execution.context.finding.cloud_run is not None
    if target is None or not target.uid or (session is None and not of_run):
        return False
    if session is not None and outcome.reason == Reason.RESERVED_BY_OTHER_FINDING:
        read = session.read_anew(api_paths.pod(target.namespace, target.name))
        return not_the_target(read, target.uid) is not None or (read is not None and processes_ended(read))
    return outcome.status in LOST and _is_ended_by_other(execution, target.uid)


def _is_ended_by_other(execution: Execution, uid: str) -> bool:
    finding = execution.context.finding
    cluster, ended = finding.cluster_path, Disruption.PODS if finding.cluster else Disruption.SERVICES
    last = (name for name, each in actions().items() if not each.reversible)
    names = (name for name in last if actions()[name].disrupts is ended)
    return any(execution.case.is_done_by_other(action_id(name, cluster, uid, "")) for name in names)
