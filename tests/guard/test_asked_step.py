"""A step that a person asked for is planned, and nothing else with it."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec.structs import replace

from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.asked_step import asked_alone
from scc_responder.journal.plan import AskedStep, plan_digest
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
ASKED = AskedStep(policy="contain", action="delete_pod", reason="limit_owner", by="me", said="real", at=NOW)


def policy(name: str, mode: Mode = Mode.ENFORCE) -> PolicyDecision:
    results = {"capture_evidence": ActionResult.PLANNED, "delete_pod": ActionResult.PLANNED}
    results |= {"isolate_pod": ActionResult.PLANNED, "cordon_node": ActionResult.SKIPPED}
    actions = (PlannedAction(action=action, result=it, reason=Reason.PLANNED) for action, it in results.items())
    return PolicyDecision(name=name, mode=mode, matched=True, reason=Reason.MATCHED, actions=tuple(actions))


def test_nothing_else_is_planned_with_it() -> None:
    """Other changes, and other policies' too, are left out; what observes, and what needs nothing, stays."""
    found = asked_alone(Decision(policies=(policy("contain"), policy("other"))), ASKED)
    planned = {item.name: [action.action for action in item.actions] for item in found.policies}
    assert planned == {
        "contain": ["capture_evidence", "delete_pod", "cordon_node"],
        "other": ["capture_evidence", "cordon_node"],
    }
    assert [(item.mode, item.mode_reason) for item in found.policies] == [
        (Mode.APPROVE, "mode_lowered_by:case_do"),
        (Mode.ENFORCE, ""),
    ]


def test_a_rehearsal_stays_one() -> None:
    """To ask raises no mode."""
    (found,) = asked_alone(Decision(policies=(policy("contain", Mode.DRY_RUN),)), ASKED).policies
    assert found.mode is Mode.DRY_RUN


def test_the_digest_covers_what_was_asked_for() -> None:
    """Who approves the plan approves that this rule does not hold; plans without it have the digest they had."""
    plain = plan_digest((), "p", "k")
    asked = plan_digest((), "p", "k", ASKED)
    other = plan_digest((), "p", "k", replace(ASKED, action="isolate_pod"))
    assert len({plain, asked, other}) == 3
