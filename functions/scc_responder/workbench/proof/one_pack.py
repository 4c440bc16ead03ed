"""What must not be in any situation: protected targets reached, ends without evidence, policies that fight. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from scc_responder.actions import actions
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.execute.dependencies import ends_for_good, needs
from scc_responder.policy.decide import ActionResult, Decision, PolicyDecision
from scc_responder.policy.guardrails import Acceptable
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.policies.policy_fights import asked_things
from scc_responder.workbench.proof.claims import ClaimKind, Shown
from scc_responder.workbench.proof.judged_situation import planned_steps
from scc_responder.workbench.proof.made_situation import MadeSituation
from scc_responder.workbench.proof.situation_facets import in_system

_PROTECTED = frozenset(
    {
        Reason.NAMESPACE_PROTECTED,
        Reason.WORKLOAD_PROTECTED,
        Reason.CLUSTER_PROTECTED,
        Reason.LOCATION_PROTECTED,
        Reason.SERVICE_PROTECTED,
        Reason.NODE_PROTECTED,
        Reason.PRINCIPAL_PROTECTED,
        Reason.GOOGLE_AGENT_POD,
        Reason.GOOGLE_AGENT_PRINCIPAL,
    }
)
_EVIDENCE = "capture_evidence"


def shown_of_one(
    decision: Decision, policies: Sequence[Policy], situation: MadeSituation, context: Context
) -> Iterator[Shown]:
    """Everything that one situation shows of policies and their decision."""
    by_name = {policy.name: policy for policy in policies}
    today = situation.now.date()
    for policy, planned, _ in planned_steps(decision):
        action = actions()[planned.action]
        if not action.observes and in_system(context):
            yield Shown(kind=ClaimKind.REACHES_PROTECTED, policy=policy.name, action=planned.action)
        accepted = any(
            item.warning is Acceptable.NO_EVIDENCE and today <= item.expires for item in by_name[policy.name].accepted
        )
        if ends_for_good(action) and _EVIDENCE not in needs(policy, planned) and not accepted:
            yield Shown(kind=ClaimKind.NO_EVIDENCE_BEFORE, policy=policy.name, action=planned.action)
    yield from _held(decision)
    yield from _fights(decision, by_name)


def _held(decision: Decision) -> Iterator[Shown]:
    for policy in decision.policies:
        for planned in policy.actions:
            if planned.result == ActionResult.HELD and planned.reason in _PROTECTED:
                yield Shown(
                    kind=ClaimKind.HELD_BY_GUARDRAILS,
                    policy=policy.name,
                    action=planned.action,
                    detail=str(planned.reason),
                )


def _fights(decision: Decision, by_name: dict[str, Policy]) -> Iterator[Shown]:
    acting = [policy for policy in decision.policies if policy.matched and policy.mode != Mode.DISABLED]
    for one, other in combinations(acting, 2):
        if one.mode == other.mode:
            asked = _planned_things(one, by_name)
            for what, (action, value) in _planned_things(other, by_name).items():
                if what in asked and asked[what][1] != value:
                    yield Shown(
                        kind=ClaimKind.POLICIES_FIGHT, policy=one.name, action=action, other=other.name, detail=what
                    )


def _planned_things(policy: PolicyDecision, by_name: dict[str, Policy]) -> dict[str, tuple[str, str]]:
    planned = [item.result == ActionResult.PLANNED for item in policy.actions]
    asked = asked_things(by_name[policy.name])
    return {what: (policy.actions[step].action, value) for step, what, value in asked if planned[step]}
