"""Match every policy against the context, and plan what each would do: pure, and every answer has a named reason."""

from __future__ import annotations

from collections.abc import Iterator

from scc_responder.actions import Action, Hold, Planned, Skip, actions
from scc_responder.domain.changes import Change
from scc_responder.domain.context import (
    Context,
)
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.policy.cel import HOLDS, CelFacts, evaluate
from scc_responder.policy.limits import Limit
from scc_responder.policy.policy_set import OnFailure, Policy, PolicyStep

MATCHED = "matched"

Plans = dict[tuple[str, str], Planned]
"""The planned result of each (action name, parameters): the same for every policy."""


class PlannedAction(Value, frozen=True, kw_only=True):
    """The plan for one step of a policy.

    `result`: planned, waiting (for approval), skipped (nothing to do) or held (may not be).

    `variant` is what the policy asked for (`with`), the same whatever was read. `needs`, `on_failure` are the step's.
    """

    action: str
    result: str
    reason: str
    changes: tuple[Change, ...] = ()
    variant: str = ""
    needs: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.STOP


class PolicyDecision(Value, frozen=True, kw_only=True):
    """The decision of one policy, and why. `limits` are the policy's own.

    `mode_reason` says what lowered the policy's mode (`mode_lowered_by:night`); empty if nothing did.
    """

    name: str
    mode: Mode
    mode_reason: str = ""
    matched: bool
    reason: str
    actions: tuple[PlannedAction, ...] = ()
    limits: tuple[Limit, ...] = ()


class Decision(Value, frozen=True, kw_only=True):
    """The decisions of all policies about one finding."""

    policies: tuple[PolicyDecision, ...]

    @property
    def reason(self) -> str:
        """One reason word for all policies together: what will happen, or why nothing will."""
        if not any(policy.matched for policy in self.policies):
            return "no_policy_matched"
        results = {action.result for policy in self.policies for action in policy.actions}
        return next(
            (result for result in ("planned", "waiting", "held", "skipped") if result in results), "mode_disabled"
        )


def decide(context: Context, policies: tuple[Policy, ...]) -> Decision:
    """Every policy's answer, in the order given."""
    facts = CelFacts(context)
    plans: Plans = {}
    return Decision(policies=tuple(_decide(context, policy, facts, plans) for policy in policies))


def _decide(context: Context, policy: Policy, facts: CelFacts, plans: Plans) -> PolicyDecision:
    reason = "mode_disabled" if policy.mode == Mode.DISABLED else match(context, policy, facts)
    if reason != MATCHED:
        return PolicyDecision(name=policy.name, mode=policy.mode, matched=False, reason=reason)
    planned = tuple(_plan(context, step, plans) for step in policy.then)
    return PolicyDecision(
        name=policy.name, mode=policy.mode, matched=True, reason=MATCHED, actions=planned, limits=policy.limits
    )


def _plan(context: Context, step: PolicyStep, plans: Plans) -> PlannedAction:
    key = step.action, step.variant
    if key not in plans:
        planned = actions()[step.action].plan(context, step.params)
        plans[key] = planned if isinstance(planned, Skip | Hold) else tuple(planned)
    planned = plans[key]
    reason = planned.reason if isinstance(planned, Skip | Hold) else "planned"
    return PlannedAction(
        action=step.action,
        result="skipped" if isinstance(planned, Skip) else "held" if isinstance(planned, Hold) else "planned",
        reason=reason,
        changes=() if isinstance(planned, Skip | Hold) else tuple(planned),
        variant=step.variant,
        needs=step.needs,
        on_failure=step.on_failure,
    )


def match(context: Context, policy: Policy, facts: CelFacts | None = None) -> str:
    """`matched`, or why not: `when_severity_differs`, `unless_namespace`, `condition_pod_missing`.

    Missing data satisfies nothing: neither a `when`, nor the "not" of an `unless`, nor a `condition`. `facts` are those
    of the context, if the caller has made them already.
    """
    for name, condition in policy.when.conditions:
        answer = condition(context)
        if not answer:
            return f"when_{name}_{'missing' if answer is None else 'differs'}"
    for name, condition in policy.unless.conditions:
        answer = condition(context)
        if answer is not False:
            return f"unless_{name}{'_missing' if answer is None else ''}"
    found = evaluate(policy.condition, facts or CelFacts(context)) if policy.condition else HOLDS
    return MATCHED if found == HOLDS else found


def disruptions(decision: Decision) -> Iterator[Action]:
    """The planned disruptive actions of policies that are not disabled."""
    for policy in decision.policies:
        if policy.matched and policy.mode != Mode.DISABLED:
            known = (actions()[item.action] for item in policy.actions if item.result == "planned")
            yield from (action for action in known if action.disrupts)
