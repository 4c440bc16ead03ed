"""What a pack does in one situation, as decide and guard say together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.execute.dependencies import needs
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision, decide
from scc_responder.policy.limits import Limit
from scc_responder.policy.policy_set import OnFailure, Policy, PolicySet
from scc_responder.workbench.proof.made_situation import MadeSituation

_MODES = tuple(Mode)


def judged(pack: PolicySet, policies: Sequence[Policy], situation: MadeSituation, context: Context) -> Decision:
    """The decision of some policies of a pack."""
    decision = decide(context, tuple(policies))
    return guard(context, decision, pack.guardrails, situation.now, reach=EVERYWHERE_IN_RUN)


def supposed(matching: Sequence[Policy]) -> list[Policy]:
    """Policies that match, as if each `condition` held: what they may do.

    One that takes what no other answers may act beside those that a condition may keep from it.
    """
    is_answered = any(not policy.condition and not policy.otherwise for policy in matching)
    return [
        replace(policy, condition="", otherwise=policy.otherwise and is_answered)
        if policy.condition or policy.otherwise
        else policy
        for policy in matching
    ]


class Act(Value, frozen=True, kw_only=True):
    """What is done, with which parameters, and what it waits for; the policy that does it in the furthest mode.

    `needs` must be proven before, `chained` are the steps whose failure keeps it from being done, `limits` are the
    policy's own.
    """

    policy: str
    action: str
    variant: str
    mode: Mode
    needs: frozenset[str]
    chained: frozenset[str]
    limits: frozenset[Limit]

    @property
    def bound(self) -> frozenset[object]:
        """All that it waits for, or that counts it."""
        return self.needs | {f"on_failure of {name}" for name in self.chained} | self.limits

    @property
    def changes(self) -> bool:
        """Whether it changes anything on the target."""
        return not actions()[self.action].observes

    @property
    def rank(self) -> int:
        """How far it goes."""
        return _MODES.index(self.mode)


def acts_of(decision: Decision) -> dict[tuple[str, str], tuple[Act, ...]]:
    """Everything that would be done, by action and parameters; each in the furthest mode that some policy has."""
    found: dict[tuple[str, str], tuple[Act, ...]] = {}
    for policy, planned, before in planned_steps(decision):
        act = _act(policy, planned, before)
        key = act.action, act.variant
        others = found.get(key, ())
        furthest = max((other.rank for other in others), default=-1)
        if act.rank >= furthest:
            found[key] = (*(other for other in others if other.rank == act.rank), act)
    return found


def planned_steps(decision: Decision) -> Iterator[tuple[PolicyDecision, PlannedAction, tuple[PlannedAction, ...]]]:
    """Each planned step of a policy that is not disabled, with the steps before it."""
    for policy in decision.policies:
        if policy.matched and policy.mode != Mode.DISABLED:
            for place, planned in enumerate(policy.actions):
                if planned.result == ActionResult.PLANNED:
                    yield policy, planned, policy.actions[:place]


def _act(policy: PolicyDecision, planned: PlannedAction, before: Sequence[PlannedAction]) -> Act:
    return Act(
        policy=policy.name,
        action=planned.action,
        variant=planned.variant,
        mode=policy.mode,
        needs=frozenset(needs(policy, planned)),
        chained=frozenset(item.action for item in before if item.on_failure == OnFailure.STOP),
        limits=frozenset(policy.limits),
    )
