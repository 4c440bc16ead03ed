"""The case: what of it is unfinished, what is kept, and how its steps and states are told apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.finding import FindingContainer
from scc_responder.domain.status import CaseState, StepStatus
from scc_responder.journal.again.unfinished import is_unfinished
from scc_responder.journal.case import (
    KEEP_CLOSED,
    MAX_DETAIL,
    CaseRecord,
    Closing,
    action_id,
    case_digest,
    is_held_for_now,
    kept,
)
from scc_responder.journal.plan import Plan, PlanState
from scc_responder.journal.step import Step
from tests.kits.journal_worlds import finding, step

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
S, P = CaseState, PlanState
RULE = {
    "being worked on, or its process ended": (S.OPEN, "", None, True),
    "given back": (S.OPEN, "kubernetes_unavailable", None, True),
    "a person lets it go on": (S.OPEN, "resumed_by_person", None, True),
    "approved, and taken": (S.OPEN, "", P.APPROVED, True),
    "its plan may expire": (S.WAITING, "waiting_for_approval", P.WAITING, True),
    "waiting for nothing": (S.WAITING, "waiting_for_approval", None, False),
    "waiting, its plan void": (S.WAITING, "waiting_for_approval", P.VOID, False),
    "waiting, its plan rejected": (S.WAITING, "waiting_for_approval", P.REJECTED, False),
    "waiting, its plan expired": (S.WAITING, "approval_expired", P.EXPIRED, False),
    "held by the kill switch": (S.HELD, "control_disabled", None, True),
    "held by it, its plan void": (S.HELD, "control_disabled", P.VOID, True),
    "held by a guardrail": (S.HELD, "namespace_protected", None, False),
    "held, its plan expired": (S.HELD, "approval_expired", P.EXPIRED, False),
    "done": (S.DONE, "done", None, False),
    "done, as approved": (S.DONE, "done", P.USED, False),
    "done, by a word that means something else elsewhere": (S.DONE, "control_disabled", P.WAITING, False),
    "partial": (S.PARTIAL, "", None, False),
    "partial, by such a word": (S.PARTIAL, "control_disabled", None, False),
    "rehearsed": (S.REHEARSED, "planned", None, False),
    "nothing matched": (S.NOTHING_MATCHED, "no_policy_matched", None, False),
    "target absent": (S.TARGET_ABSENT, "planned", None, False),
    "superseded": (S.SUPERSEDED, "finding_muted", None, False),
    "rejected": (S.REJECTED, "finding_not_found", None, False),
}


def record(state: CaseState, reason: str, plan: PlanState | None) -> CaseRecord:
    """A case in this state, with a plan in that."""
    later = NOW + timedelta(hours=1)
    made = plan and Plan(digest="d", policy_digest="p", steps=(), created_at=NOW, expires_at=later, state=plan)
    return CaseRecord(
        finding_key="k",
        finding_name="n",
        event_time=NOW,
        digest="d",
        state=state,
        reason=reason,
        plan=made or None,
    )


@pytest.mark.parametrize(("state", "reason", "plan", "expected"), RULE.values(), ids=RULE)
def test_the_state_says_what_is_unfinished(
    state: CaseState, reason: str, plan: PlanState | None, expected: bool
) -> None:
    """What a sweep may resume is unfinished, and what has come to its end is not."""
    assert is_unfinished(record(state, reason, plan)) is expected


def test_every_state_is_judged() -> None:
    """A state that is added needs a line here."""
    assert {state for state, *_ in RULE.values()} == set(CaseState)
    assert {plan for _, _, plan, _ in RULE.values()} == {None, *PlanState}


def test_an_open_case_is_kept_for_ever() -> None:
    """All others are kept for as long as an incident may be asked about."""
    assert {state: kept(record(state, "", None)) for state in S} == {
        state: None if state is S.OPEN else KEEP_CLOSED for state in S
    }


def test_a_long_detail_is_cut() -> None:
    """An API server's answer can be as long as an attacker's names."""
    (cut,) = record(S.OPEN, "", None).with_steps((step(detail="x" * 10_000),)).steps
    assert len(cut.detail) == MAX_DETAIL


def test_what_was_intended_first_and_settled_last_comes_last() -> None:
    """Under one claim; what an earlier claim intended keeps its place, and so does what nothing overtook."""
    first, second = (replace(step(number), intended_at=NOW + timedelta(seconds=number)) for number in (1, 2))
    before = record(S.OPEN, "", None).with_steps((first, second))
    for number, epoch, order in ((1, 0, [2, 1]), (2, 0, [1, 2]), (1, 1, [1, 2])):
        after = before.with_steps((replace(step(number, StepStatus.DONE), epoch=epoch),))
        assert [each.action_id for each in after.steps] == [step(each).action_id for each in order]


def test_a_step_takes_its_own_place() -> None:
    """The same action and index is replaced where it stands, another index comes after it."""
    before = record(S.OPEN, "", None).with_steps((step(1), step(2)))
    after = before.with_steps((step(1, StepStatus.DONE), step(1, index=1)))
    assert after.steps == (step(1, StepStatus.DONE), step(2), step(1, index=1))
    assert (after.step(step(1).action_id, 1), after.step("other")) == (step(1, index=1), None)


def test_only_steps_since_the_last_opening_are_current() -> None:
    """The pods acted upon before do not bind the case that was opened again; a node is no pod."""
    pod, node = {"change": "delete_pod"}, {"change": "patch", "kind": "Node"}
    steps = step(1, change=pod, epoch=1), step(2, change=pod, epoch=2), step(3, change=node, epoch=2)
    closing = Closing(state=S.DONE, epoch=1)
    reopened = replace(record(S.OPEN, "", None), steps=steps, history=(closing,), epoch=2)
    assert reopened.current_steps == steps[1:]
    assert reopened.target_uids == {"uid-2"}


@pytest.mark.parametrize(
    ("plan", "approved", "counts"),
    [(None, False, False), *((state, state is P.USED, state is not P.VOID) for state in P)],
)
def test_only_a_plan_in_use_is_approved(plan: PlanState | None, *, approved: bool, counts: bool) -> None:
    """The finding's age counts up to when the plan was made, unless the plan is void."""
    case = record(S.OPEN, "", plan)
    assert (case.is_approved, case.planned_at) == (approved, NOW if counts else None)


CONTAINER = FindingContainer(name="app", image="registry.example.com/app:1")
NEWS: dict[str, tuple[dict[str, Any], bool]] = {
    "a later event alone": ({"minutes": 1}, False),
    "a mark": ({"marks": {"scc-responder": "contained"}}, False),
    "other content": ({"content": "other"}, True),
    "another state": ({"state": "INACTIVE"}, True),
    "a mute": ({"mute": "MUTED"}, True),
    "a container that began then": ({"containers": (replace(CONTAINER, create_time=NOW),)}, True),
}


@pytest.mark.parametrize(("fields", "differs"), NEWS.values(), ids=NEWS)
def test_the_digest_follows_what_is_news(fields: dict[str, Any], *, differs: bool) -> None:
    """Only what the responder could act on anew makes another digest."""
    before = finding(containers=(CONTAINER,))
    assert (case_digest(finding(**{"containers": (CONTAINER,), **fields})) != case_digest(before)) is differs


def test_an_action_is_named_by_all_its_parts() -> None:
    """The same parts give the same name at every delivery; any other part gives another."""
    parts = ["label_pod", "cluster", "uid", "finding"]
    others = [[*parts[:place], "other", *parts[place + 1 :]] for place in range(4)]
    assert action_id(*parts) == action_id(*parts)
    assert len({action_id(*each) for each in [parts, *others]}) == 5


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [(S.HELD, "control_disabled", True), (S.HELD, "pod_static", False), (S.DONE, "control_disabled", False)],
)
def test_the_kill_switch_holds_a_case(state: CaseState, reason: str, *, expected: bool) -> None:
    """The state and the reason say it together."""
    assert is_held_for_now(record(state, reason, None)) is expected


def test_acted_upon_pods_and_nodes() -> None:
    """A case knows the pods and the nodes that it has acted upon, since it was last opened."""
    changes = [("old", 1, "Node"), ("node", 2, "Node"), ("pod", 2, "Pod"), ("", 2, "Pod")]
    steps = tuple(
        Step(action_id=str(number), expected_uid=uid, epoch=epoch, change={"kind": kind})
        for number, (uid, epoch, kind) in enumerate(changes)
    )
    closed = (Closing(state=S.DONE, epoch=1),)
    found = CaseRecord(finding_key="k", finding_name="n", event_time=NOW, digest="d", steps=steps, history=closed)
    assert (found.target_uids, found.node_uids) == (frozenset({"pod"}), frozenset({"node"}))
