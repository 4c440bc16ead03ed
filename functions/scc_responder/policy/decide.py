"""Match every policy against the context, and plan what each would do: pure, and every answer has a named reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import StrEnum

from msgspec.structs import replace

from scc_responder.actions import Action, Hold, Skip, actions
from scc_responder.domain.changes import Change
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value
from scc_responder.policy.cel import CelFacts, evaluate
from scc_responder.policy.effective_mode import effective_mode
from scc_responder.policy.limits import Limit
from scc_responder.policy.policy_set import AskedOfStep, OnFailure, Policy, PolicyStep


class ActionResult(StrEnum):
    """What one step of a policy comes to; the one that says most of a whole decision first."""

    PLANNED = "planned"
    WAITING = "waiting"
    """For a person's approval."""
    HELD = "held"
    """It may not be done."""
    SKIPPED = "skipped"
    """There is nothing to do."""


_RESULTS: dict[type, ActionResult] = {Skip: ActionResult.SKIPPED, Hold: ActionResult.HELD}


class PlannedAction(Value, frozen=True, kw_only=True):
    """The plan for one step of a policy, and the reason for it.

    `variant` is what the policy asked for (`with`), the same whatever was read. `needs`, `on_failure` are the step's.
    `postponed`: it is left to a later delivery, which may read what could not be read now.
    """

    action: str
    result: ActionResult
    reason: Reason
    changes: tuple[Change, ...] = ()
    variant: str = ""
    needs: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.CONTINUE
    postponed: bool = False

    @property
    def unread(self) -> bool:
        """Whether it is held for a fact that could not be read: a later delivery may read it."""
        return self.result == ActionResult.HELD and self.reason.is_unread


class PolicyDecision(Value, frozen=True, kw_only=True):
    """The decision of one policy, and why. `limits` are the policy's own.

    `mode_reason` says what lowered the policy's mode (`mode_lowered_by:night`); empty if nothing did. `is_by_switch`:
    that was the kill switch, or one of its settings that end by themselves.
    """

    name: str
    mode: Mode
    mode_reason: str = ""
    is_by_switch: bool = False
    matched: bool
    reason: Reason
    actions: tuple[PlannedAction, ...] = ()
    limits: tuple[Limit, ...] = ()


class Decision(Value, frozen=True, kw_only=True):
    """The decisions of all policies about one finding."""

    policies: tuple[PolicyDecision, ...]

    @property
    def reason(self) -> Reason:
        """One reason word for all policies together: what will happen, or why nothing will."""
        if not any(policy.matched for policy in self.policies):
            return Reason.NO_POLICY_MATCHED
        results = {action.result for policy in self.policies for action in policy.actions}
        return next((Reason[result.name] for result in ActionResult if result in results), Reason.MODE_DISABLED)

    def with_each(self, changed: Callable[[PolicyDecision, PlannedAction], PlannedAction]) -> Decision:
        """The same with every action as `changed` has it."""
        actions_of = (tuple(changed(policy, planned) for planned in policy.actions) for policy in self.policies)
        pairs = zip(self.policies, actions_of, strict=True)
        return Decision(policies=tuple(replace(policy, actions=own) for policy, own in pairs))

    @property
    def modes(self) -> dict[str, Mode]:
        """The modes of the policies that matched, by their names."""
        return {policy.name: policy.mode for policy in self.policies if policy.matched}


class _Plans:
    """What is planned about one finding: equal steps have one plan, so that who looks at one has seen them all."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._of_actions: dict[tuple[str, str], PlannedAction] = {}
        self._of_steps: dict[AskedOfStep, PlannedAction] = {}
        self._of_policies: dict[tuple[AskedOfStep, ...], tuple[PlannedAction, ...]] = {}

    def of(self, then: Sequence[PolicyStep]) -> tuple[PlannedAction, ...]:
        """The plan of all steps of a policy."""
        asked = tuple([step.asked for step in then])
        if asked not in self._of_policies:
            self._of_policies[asked] = tuple([self._step(step) for step in then])
        return self._of_policies[asked]

    def _step(self, step: PolicyStep) -> PlannedAction:
        if step.asked not in self._of_steps:
            action = step.action, step.variant
            if action not in self._of_actions:
                self._of_actions[action] = _plan(self._context, step)
            planned = self._of_actions[action]
            if planned.needs != step.needs or planned.on_failure != step.on_failure:
                planned = replace(planned, needs=step.needs, on_failure=step.on_failure)
            self._of_steps[step.asked] = planned
        return self._of_steps[step.asked]


def decide(context: Context, policies: Iterable[Policy]) -> Decision:
    """Every policy's answer, in the order given."""
    facts = CelFacts(context)
    plans = _Plans(context)
    every = [(policy, _decide(context, policy, facts, plans)) for policy in policies]
    answered = any(decided.matched and not policy.otherwise for policy, decided in every)
    return Decision(
        policies=tuple([_answered(decided) if policy.otherwise and answered else decided for policy, decided in every])
    )


def _answered(decided: PolicyDecision) -> PolicyDecision:
    """The decision of a policy that takes what no other answers, where another does."""
    if not decided.matched:
        return decided
    return replace(decided, matched=False, reason=Reason.ANSWERED_BY_OTHERS, actions=(), limits=())


def _decide(context: Context, policy: Policy, facts: CelFacts, plans: _Plans) -> PolicyDecision:
    mode, why = effective_mode(policy, context)
    reason = Reason.MODE_DISABLED if mode == Mode.DISABLED else match(context, policy, facts)
    if reason != Reason.MATCHED:
        return PolicyDecision(name=policy.name, mode=mode, mode_reason=why, matched=False, reason=reason)
    return PolicyDecision(
        name=policy.name,
        mode=mode,
        mode_reason=why,
        matched=True,
        reason=Reason.MATCHED,
        actions=plans.of(policy.then),
        limits=policy.limits,
    )


def _plan(context: Context, step: PolicyStep) -> PlannedAction:
    planned = actions()[step.action].plan(context, step.params)
    return PlannedAction(
        action=step.action,
        result=_RESULTS.get(type(planned), ActionResult.PLANNED),
        reason=planned.reason if isinstance(planned, Skip | Hold) else Reason.PLANNED,
        changes=() if isinstance(planned, Skip | Hold) else tuple(planned),
        variant=step.variant,
        needs=step.needs,
        on_failure=step.on_failure,
    )


def match(context: Context, policy: Policy, facts: CelFacts | None = None) -> Reason:
    """`matched`, or why not: `when_severity_differs`, `unless_namespace`, `condition_pod_missing`.

    Missing data satisfies nothing: neither a `when`, nor the "not" of an `unless`, nor a `condition`. `facts` are those
    of the context, if the caller has made them already.
    """
    reason = why_not(context, policy)
    if reason or not policy.condition:
        return reason or Reason.MATCHED
    return evaluate(policy.condition, facts or CelFacts(context))


def why_not(context: Context, policy: Policy) -> Reason | None:
    """Why `when` or `unless` keeps a policy from a target, or None where neither does."""
    for name, condition in policy.when.conditions:
        answer = condition(context)
        if not answer:
            return (Reason.WHEN_MISSING if answer is None else Reason.WHEN_DIFFERS).of(name)
    for name, condition in policy.unless.conditions:
        answer = condition(context)
        if answer is not False:
            return (Reason.UNLESS_MISSING if answer is None else Reason.UNLESS).of(name)
    return None


def disruptions(decision: Decision) -> Iterator[Action]:
    """The planned disruptive actions of policies that are not disabled."""
    for policy in decision.policies:
        if policy.matched and policy.mode != Mode.DISABLED:
            known = (actions()[item.action] for item in policy.actions if item.result == ActionResult.PLANNED)
            yield from (action for action in known if action.disrupts)
