"""What would wait, and what people would be told, is said before anything is done."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.trust.first_shot import FirstShotState
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction
from scc_responder.policy.guardrails import Guardrails, Protected
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy, PolicySet
from scc_responder.workbench.foretold import ANY_CASE, first_shots, foretold, foretold_steps, shot_request, waits_first
from tests.kits.decision_contexts import EVENT, REF, THREAT, context
from tests.kits.decisions import decided, step

DELETES = step("delete_pod")
SEVERE = context(threat=replace(THREAT, severity="HIGH"))


def rails(warm_up: str = "60s", limits: tuple[Limit, ...] = ()) -> PolicySet:
    """One policy under guardrails with this warm-up."""
    policy = Policy(
        name="a",
        description="For a test.",
        owner="secops@example.com",
        mode=Mode.ENFORCE,
        when=Match(),
        then=(),
        limits=limits,
    )
    return PolicySet(policies=(policy,), guardrails=Guardrails(protected=Protected(), warm_up=warm_up), digest="")


def lowered(decision: Decision, mode: Mode) -> Decision:
    """The decision with every policy in this mode."""
    return Decision(policies=tuple(replace(policy, mode=mode) for policy in decision.policies))


@pytest.mark.parametrize(
    ("planned", "mode", "expected"),
    [
        (DELETES, Mode.ENFORCE, ["delete_pod"]),
        (DELETES, Mode.DRY_RUN, ["delete_pod"]),
        (DELETES, Mode.APPROVE, []),
        (step("isolate_pod"), Mode.ENFORCE, []),
        (step("delete_pod", "held", Reason.POD_NOT_NAMED), Mode.ENFORCE, []),
    ],
    ids=["enforce", "dry-run-as-if-it-acted", "asks-a-person", "can-be-undone", "held"],
)
def test_what_cannot_be_undone_waits_first(planned: PlannedAction, mode: Mode, expected: list[str]) -> None:
    """Only that, and only where no person approves it before."""
    decision = lowered(decided(a=[planned]), mode)
    found = [name for shot in first_shots(context(), decision, rails(), EVENT) for name in shot.actions]
    assert found == expected
    assert waits_first(decision.policies[0], actions()[planned.action]) is (bool(expected) or planned.result == "held")


def test_without_a_warm_up_nothing_waits() -> None:
    """The guardrails say 0s, or nothing."""
    assert list(first_shots(context(), decided(a=[DELETES]), rails("0s"), EVENT)) == []


def test_one_act_that_fits_is_done_after_its_wait() -> None:
    """Where it waits, how long, and that no notice goes out."""
    (shot,) = first_shots(context(), decided(a=[DELETES]), rails(), EVENT)
    assert (shot.policy, shot.place, shot.warm_up) == ("a", REF.path, "60s")
    assert (shot.then, shot.notice) == (FirstShotState.PASSED, None)


def test_one_act_that_fits_no_limit_is_told() -> None:
    """None is done, and the notice is the one that people would get, with its command."""
    policies = rails(limits=(Limit(most=0, within="1h"),))
    (shot,) = first_shots(context(), decided(a=[DELETES]), policies, EVENT)
    assert shot.then is FirstShotState.REFUSED
    assert shot.notice is not None
    assert shot.notice["reason"] == "first_shot_too_wide"
    assert f"control clear --policy a --cluster {REF.path}" in shot.notice["remedy"]
    assert shot.detail in shot.notice["detail"]


def test_two_findings_ask_under_two_names() -> None:
    """Of one pod, so that both wait."""
    asked = [shot_request(context(finding={"key": key * 64}), actions()["delete_pod"]) for key in "ab"]
    assert len({item.action_id for item in asked if item}) == 2
    assert len({item.target for item in asked if item}) == 1


def test_a_severe_finding_that_is_held_is_told_with_its_command() -> None:
    """Each hold once, with the command of its reason for the finding's own case."""
    held = step("delete_pod", "held", Reason.LIMIT.of("owner"))
    told = foretold(SEVERE, decided(a=[held, step("isolate_pod")], b=[held]).policies)
    assert told is not None
    assert [(hold.action, hold.reason, hold.to_do) for hold in told.holds] == [
        ("delete_pod", "limit_owner", "scc-responder case do 0a0a0a0a0a0a delete_pod --reason 'WHY'")
    ]
    any_case = foretold(SEVERE, decided(a=[held]).policies, ANY_CASE)
    assert any_case is not None
    assert "case do CASE delete_pod" in any_case.holds[0].to_do


@pytest.mark.parametrize("reason", [Reason.WARMING_UP, Reason.FIRST_SHOT_TOO_WIDE, Reason.CLUSTER_PAUSED], ids=str)
def test_what_another_notice_tells_is_not_told_twice(reason: Reason) -> None:
    """A first shot has its own notice for all that waited, and so has a paused cluster."""
    assert foretold(SEVERE, decided(a=[step("delete_pod", "held", reason)]).policies, waited=True) is None


def test_what_an_earlier_refusal_holds_is_told() -> None:
    """It did not wait, so that no notice was about it."""
    told = foretold(SEVERE, decided(a=[step("delete_pod", "held", Reason.FIRST_SHOT_TOO_WIDE)]).policies)
    assert told is not None
    assert "control clear --policy" in told.holds[0].to_do


@pytest.mark.parametrize(("severity", "told"), [("CRITICAL", True), ("HIGH", True), ("MEDIUM", False), ("", False)])
def test_only_severe_findings_are_told(severity: str, *, told: bool) -> None:
    """Of others no more is promised than what policies say."""
    held = decided(a=[step("delete_pod", "held", Reason.POD_NOT_NAMED)]).policies
    found = context(threat=replace(THREAT, severity=severity))
    assert (foretold(found, held) is not None) is told
    assert (foretold(found, ()) is not None) is told


def test_a_severe_finding_that_nothing_answers_is_told() -> None:
    """There is no hold to name."""
    told = foretold(SEVERE, ())
    assert told is not None
    assert (told.reason, told.holds) == (Reason.NO_POLICY_MATCHED, ())


def test_what_is_planned_counts_as_done() -> None:
    """The steps say what the case would say, if all that may be done succeeds; each once."""
    policies = decided(
        a=[step("isolate_pod"), step("delete_pod", "held", Reason.NEEDS)], b=[step("isolate_pod")]
    ).policies
    (done,) = foretold_steps(SEVERE, policies, ActionResult.PLANNED)
    assert (done.action, done.status, done.settled_at) == ("isolate_pod", "done", EVENT)
    (held,) = foretold_steps(SEVERE, policies, ActionResult.HELD)
    assert (held.action, held.status) == ("delete_pod", "held")
