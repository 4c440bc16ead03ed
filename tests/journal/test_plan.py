"""A plan that waits: what it would change, and by which digest it is meant."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes import stored
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.cloud_run.run_objects import RunIamBinding
from scc_responder.journal.plan import (
    MIN_DIGEST,
    Approval,
    Plan,
    PlanState,
    PlanStep,
    is_another_plan,
    lesser_plan,
    plan_digest,
    plan_summary,
)

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
STEP = PlanStep(
    policy="contain", action="isolate_pod", changes=({"uid": "u1"}, {"pod_uid": "u2"}, {"change": "notify"})
)
PLAN = Plan(digest="0123456789abcdef", policy_digest="p", steps=(STEP,), created_at=NOON, expires_at=NOON)


@pytest.mark.parametrize(
    ("plan", "digest", "another"),
    [
        (PLAN, "0123456789abcdef", False),
        (PLAN, "01234567", False),
        (PLAN, "0123456", True),
        (PLAN, "f" * 16, True),
        (None, "01234567", True),
        (None, "", False),
        (PLAN, "", False),
    ],
)
def test_another_plan_than_the_one_shown(plan: Plan | None, digest: str, another: bool) -> None:
    """Also where the case has none any more; who was shown none means none."""
    assert is_another_plan(plan, digest) is another


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


@pytest.mark.parametrize("state", PlanState)
def test_only_a_waiting_plan_says_how_it_is_answered(state: PlanState) -> None:
    """With the function's address, as far as it is known."""
    plan = Plan(digest="ab12cd34", policy_digest="p", steps=(), created_at=NOON, expires_at=NOON, state=state)
    commands = [plan_summary("0a" * 32, plan, url).get("to_approve") for url in ("", "https://responder.example.com")]
    case = "scc-responder case approve " + "0a" * 6 + " --plan ab12cd34"
    assert commands == (
        [case, f"{case} --url https://responder.example.com"] if state is PlanState.WAITING else [None, None]
    )


def test_a_plan_with_a_lesser_form_names_both_digests() -> None:
    """So that a person approves either by a command; a plan of which nothing less is left has one."""
    mark = PlanStep(policy="contain", action="label_pod", changes=(stored(PatchObject(kind="Pod", name="a", uid="u")),))
    plan = replace(PLAN, steps=(mark, STEP), digest="ab12cd34")
    lesser = lesser_plan(plan, "0a" * 32)
    assert lesser is not None
    said = plan_summary("0a" * 32, plan, "https://responder.example.com")
    assert said["to_approve_lesser"] == said["to_approve"].replace("ab12cd34", lesser.digest) != said["to_approve"]
    assert "to_approve_lesser" not in plan_summary("0a" * 32, replace(plan, steps=(STEP,)))
    assert "to_approve_lesser" not in plan_summary("0a" * 32, replace(plan, state=PlanState.USED))


def test_a_plan_says_what_people_will_feel() -> None:
    """As far as it is more than a change's name says, and this version can read it; the digest is of the plan alone."""
    shift = ShiftTraffic(path="p", uid="u", to="good", prior=(), retired=("bad",))
    invokers = SetInvokers(path="p", uid="u", members=(RunIamBinding(role="r", members=("allUsers",)),))
    label = PatchObject(kind="Pod", namespace="shop", name="web-1", uid="u", labels={"a": "b"})
    changes: list[list[dict[str, Any]]] = [
        [stored(shift)],
        [stored(invokers)],
        [stored(label)],
        [{"change": "of_a_later_version"}, stored(shift)],
    ]
    steps = tuple(PlanStep(policy="contain", action=f"a{n}", changes=tuple(each)) for n, each in enumerate(changes))
    digest = plan_digest(steps, "p", "key")
    plan = Plan(digest=digest, policy_digest="p", steps=steps, created_at=NOON, expires_at=NOON)
    summary = plan_summary("key", plan)
    traffic = "requests go to good 100 %; what is deployed later gets none until this is undone"
    assert [step.get("felt") for step in summary["steps"]] == [
        [traffic],
        ["callers who are let in as allUsers are refused; not rehearsed"],
        None,
        [traffic],
    ]
    assert summary["digest"] == plan_digest(plan.steps, "p", "key")


def test_the_lesser_plan_has_nothing_that_cannot_be_undone() -> None:
    """It is another plan by its digest, without approvals; there is none where nothing or all would be left out."""
    mark = PlanStep(policy="contain", action="label_pod", changes=(stored(PatchObject(kind="Pod", name="a", uid="u")),))
    unknown = PlanStep(policy="contain", action="label_pod", changes=({"change": "of_a_later_version"},))
    for grave in (STEP, unknown, PlanStep(policy="contain", action="delete_pod")):
        whole = replace(PLAN, steps=(mark, grave), approvals=(Approval(by="ann@example.com", at=NOON),))
        lesser = lesser_plan(whole, "k")
        assert lesser is not None
        assert (lesser.steps, lesser.left_out, lesser.approvals) == ((mark,), (grave,), ())
        assert lesser.digest == plan_digest((mark,), "p", "k") != whole.digest
        assert lesser_plan(lesser, "k") is None
        assert lesser_plan(replace(PLAN, steps=(grave,)), "k") is None
