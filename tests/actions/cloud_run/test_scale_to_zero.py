"""A whole service goes down only on a person's word, and what it had is kept."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from scc_responder.actions import Planned, Skip, actions
from scc_responder.domain.cloud_run.run_objects import RunScaling, RunTraffic
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.guard import guard
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import Guardrails, Protected
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import EVENT, run_finding, run_service

SCALE = actions()["scale_to_zero"]


def context(**service: Any) -> Context:
    """What was read of such a service."""
    known = replace(run_service(latest_created="checkout-2"), **service)
    return Context(finding=run_finding(), threat=THREAT, service=known)


def planned(**service: Any) -> Planned:
    """The plan for it."""
    return SCALE.plan(context(**service), SCALE.params())


def test_scaling_and_tags_of_before_are_kept() -> None:
    """All targets with a tag, whatever their share is."""
    before = RunScaling(mode="AUTOMATIC", minimum=1, maximum=20)
    tags = (RunTraffic(revision="checkout-2", percent=100, tag="newest"), RunTraffic(revision="checkout-1", tag="old"))
    plan: Any = planned(scaling=before, traffic=tags)
    assert [(each.prior, each.tags, each.deployed) for each in plan] == [(before, tags, "checkout-2")]


def test_a_service_at_zero_is_left_alone() -> None:
    """Only manual scaling of 0 is zero: a minimum of 0 starts instances at the next request."""
    at_zero = planned(scaling=RunScaling(mode="MANUAL", manual=0))
    assert isinstance(at_zero, Skip)
    assert at_zero.reason == "already_at_zero"
    assert not isinstance(planned(scaling=RunScaling(mode="MANUAL", manual=1)), Skip)
    assert not isinstance(planned(scaling=RunScaling(minimum=0)), Skip)


def test_a_person_is_asked_whatever_the_mode_is() -> None:
    """The last serving revision is never scaled away by a policy alone."""
    plan: Any = planned()
    steps = (
        PlannedAction(action="scale_to_zero", result=ActionResult.PLANNED, reason=Reason.PLANNED, changes=tuple(plan)),
    )
    policy = PolicyDecision(name="p", mode=Mode.ENFORCE, matched=True, reason=Reason.MATCHED, actions=steps)
    decision = guard(
        context(), Decision(policies=(policy,)), Guardrails(protected=Protected()), EVENT, reach=EVERYWHERE_IN_RUN
    )
    assert (decision.policies[0].mode, decision.policies[0].mode_reason) == (
        Mode.APPROVE,
        "mode_lowered_by:scale_to_zero",
    )
