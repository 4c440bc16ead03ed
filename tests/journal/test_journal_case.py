"""Which cases somebody may have to go on with though no message brings them back: one rule, by a case's state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from scc_responder.domain.status import CaseState
from scc_responder.journal.case import CaseRecord, Closing, Step, is_unfinished
from scc_responder.journal.plan import Plan, PlanState

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
    """What a sweep may go on with is unfinished, and what has come to its end is not."""
    assert is_unfinished(record(state, reason, plan)) is expected


def test_every_state_is_judged() -> None:
    """A state that is added needs a line here."""
    assert {state for state, *_ in RULE.values()} == set(CaseState)
    assert {plan for _, _, plan, _ in RULE.values()} == {None, *PlanState}


def test_acted_upon_pods_and_nodes() -> None:
    """A case knows the pods and the nodes that it has acted upon, since it was last opened."""
    changes = [("old", 1, "Node"), ("node", 2, "Node"), ("pod", 2, "Pod"), ("", 2, "Pod")]
    steps = tuple(
        Step(action_id=str(number), expected_uid=uid, epoch=epoch, change={"kind": kind})
        for number, (uid, epoch, kind) in enumerate(changes)
    )
    closed = (Closing(state=S.DONE, epoch=1),)
    found = CaseRecord(finding_key="k", finding_name="n", event_time=NOW, digest="d", steps=steps, history=closed)
    assert (found.pod_uids, found.node_uids) == (frozenset({"pod"}), frozenset({"node"}))
