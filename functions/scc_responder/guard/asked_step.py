"""A decision on one step that a person asked for: it is planned like any other, and nothing else with it. Pure.

The plan waits for listed people, whose approval the function takes. Identity, protection, exemptions and the kill
switch hold the step as before.
"""

from __future__ import annotations

from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.mode import Mode
from scc_responder.guard.guard import lowered
from scc_responder.journal.plan import AskedStep
from scc_responder.policy.decide import ActionResult, Decision, PolicyDecision

BY_PERSON = "case_do"
"""What a decision says that its mode was lowered by."""


def asked_alone(decision: Decision, asked: AskedStep | None) -> Decision:
    """The decision with nothing new to do but what was asked for, and that in mode `approve` at most."""
    if asked is None:
        return decision
    return Decision(policies=tuple(_alone(policy, asked) for policy in decision.policies))


def _alone(policy: PolicyDecision, asked: AskedStep) -> PolicyDecision:
    kept = tuple(
        planned
        for planned in policy.actions
        if planned.result != ActionResult.PLANNED
        or actions()[planned.action].observes
        or asked.means(policy.name, planned.action)
    )
    policy = replace(policy, actions=kept)
    return lowered(policy, Mode.APPROVE, BY_PERSON) if policy.name == asked.policy else policy
