"""Everybody is taken out of the policy, and the service asks IAM again."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from scc_responder.actions import Hold, Planned, Skip, actions
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunIamPolicy
from scc_responder.domain.context import Context
from tests.kits.decision_contexts import THREAT
from tests.kits.run_values import run_finding, run_service

REMOVE = actions()["remove_invokers"]
INVOKER = "roles/run.invoker"


def planned(*members: str, policy: RunIamPolicy | None = None, unread: bool = False, **service: Any) -> Planned:
    """The plan for a service whose invokers are these."""
    read = None if unread else policy or RunIamPolicy(bindings=(RunIamBinding(role=INVOKER, members=members),))
    known = replace(run_service(), **service)
    return REMOVE.plan(Context(finding=run_finding(), threat=THREAT, service=known, iam_policy=read), REMOVE.params())


def test_everybody_goes_and_whoever_is_named_stays() -> None:
    """Both kinds of everybody, of any role."""
    plan: Any = planned("allUsers", "user:alex@example.com", "allAuthenticatedUsers")
    assert [change.members for change in plan] == [
        (RunIamBinding(role=INVOKER, members=("allAuthenticatedUsers", "allUsers")),)
    ]


def test_a_service_that_asks_nobody_asks_again() -> None:
    """Its own check comes back beside the policy's change, or alone."""
    both: Any = planned("allUsers", invoker_iam_disabled=True)
    alone: Any = planned("user:alex@example.com", invoker_iam_disabled=True)
    assert [type(change).__name__ for change in both] == ["RestrictAccess", "SetInvokers"]
    assert [change.wanted.given for change in alone] == [{"invoker_iam_disabled": False}]


def test_what_could_not_be_read_is_held() -> None:
    """A policy that is closed needs nothing."""
    unread, closed = planned(unread=True), planned("user:alex@example.com")
    assert isinstance(unread, Hold)
    assert unread.reason == "iam_policy_unread"
    assert isinstance(closed, Skip)
    assert closed.reason == "no_public_invokers"
    nothing = REMOVE.plan(
        Context(finding=run_finding(), threat=THREAT, missing={"service": "target_absent"}), REMOVE.params()
    )
    assert isinstance(nothing, Skip)
