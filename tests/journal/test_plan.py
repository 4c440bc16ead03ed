"""A plan that waits: what it would change, and by which digest it is meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.journal.plan import MIN_DIGEST, Plan, PlanState, PlanStep, plan_digest

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP = PlanStep(
    policy="contain", action="isolate_pod", changes=({"uid": "u1"}, {"pod_uid": "u2"}, {"change": "notify"})
)
PLAN = Plan(digest="0123456789abcdef", policy_digest="p", steps=(STEP,), created_at=NOON, expires_at=NOON)


def test_a_plan_names_what_it_changes() -> None:
    """The objects of all its steps, each once."""
    other = PlanStep(policy="other", action="label_pod", changes=({"uid": "u1"}, {"uid": "u3"}))
    assert STEP.targets == {"u1", "u2"}
    assert replace(PLAN, steps=(STEP, other)).targets == {"u1", "u2", "u3"}


@pytest.mark.parametrize("state", PlanState)
def test_a_plan_is_pending_until_it_is_used(state: PlanState) -> None:
    """While it waits, and once it is approved."""
    assert replace(PLAN, state=state).is_pending is (state in {"waiting", "approved"})


@pytest.mark.parametrize(
    ("digest", "meant"),
    [
        ("0123456789abcdef", True),
        ("0123456789abcdef"[:MIN_DIGEST], True),
        ("0123456789abcdef"[: MIN_DIGEST - 1], False),
        ("f" * 16, False),
        ("", False),
    ],
)
def test_a_plan_is_meant_by_its_first_digits(digest: str, meant: bool) -> None:
    """Eight of them are enough."""
    assert PLAN.is_meant_by(digest) is meant


CHANGED: list[Any] = [
    ((STEP,), "other", "f"),
    ((STEP,), "p", "other"),
    ((replace(STEP, policy="other"),), "p", "f"),
    ((STEP, STEP), "p", "f"),
    ((replace(STEP, parameters={"a": 1}),), "p", "f"),
]


@pytest.mark.parametrize(("steps", "policies", "finding"), CHANGED)
def test_any_difference_changes_the_digest(steps: Any, policies: str, finding: str) -> None:
    """Steps, policies and finding are all part of it; the order of keys is not."""
    assert plan_digest(steps, policies, finding) != plan_digest((STEP,), "p", "f")
    ordered = [replace(STEP, parameters=parameters) for parameters in ({"a": 1, "b": 2}, {"b": 2, "a": 1})]
    assert len({plan_digest((step,), "p", "f") for step in ordered}) == 1
