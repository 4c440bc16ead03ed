"""What may not be done, whatever a policy asks for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.context import Context, Identity
from scc_responder.domain.finding import PodRef, Threat
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.guard.guard import guard, hold_reason
from scc_responder.guard.run_reach import EVERYWHERE_IN_RUN, NOWHERE_IN_RUN, RunReach
from scc_responder.intake.threats import classify
from scc_responder.journal.plan import AskedStep
from scc_responder.policy.decide import ActionResult, Decision, PlannedAction, PolicyDecision
from scc_responder.policy.guardrails import Ceiling, Guardrails, MaxFindingAge, Protected
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN
from tests.kits.decision_contexts import EVENT, context
from tests.kits.run_values import run_finding

RAILS = Guardrails(protected=Protected(namespaces=("kube-system", "gke-*")), max_finding_age=MaxFindingAge())
KTD = "service-100000000001@gcp-sa-ktd-hpsa.iam.gserviceaccount.com"


def pod(namespace: str, name: str) -> dict[str, Any]:
    """Finding and pod of this name."""
    names = {"namespace": namespace, "name": name}
    return {"finding": {"pods": (PodRef(**names),)}, "pod": names}


def reason(found: Context, action: str = "label_pod", after: timedelta = timedelta(), rails: Guardrails = RAILS) -> str:
    """Why the action is held."""
    return hold_reason(found, actions()[action], rails, EVENT + after) or ""


HELD = [
    pytest.param(pod("kube-system", "dns"), "namespace_protected", id="protected-namespace"),
    pytest.param(pod("gke-managed", "dns"), "namespace_protected", id="protected-by-pattern"),
    pytest.param(pod("kube-system", "container-watcher-abc12"), "google_agent_pod", id="google-agent"),
    pytest.param(pod("gmp-system", "collector-1"), "google_agent_pod", id="google-namespace"),
    pytest.param(pod("shop", "container-watcher-abc12"), "", id="an-agents-name-elsewhere"),
    pytest.param(pod("kube-systems", "dns"), "", id="a-look-alike-namespace"),
    pytest.param({"finding": {"principal": KTD}}, "google_agent_principal", id="google-principal"),
    pytest.param(
        {"finding": {"principal_subject": f"serviceAccount:{KTD}"}}, "google_agent_principal", id="google-subject"
    ),
    pytest.param({"finding": {"principal": f"x.{KTD}.example.com"}}, "", id="a-look-alike-principal"),
    pytest.param({"finding": {"principal": KTD + "\n"}}, "", id="a-principal-with-more"),
    pytest.param({"finding": {"contradictions": ("node", "pod")}}, "contradiction:node", id="contradiction"),
    pytest.param(
        {"threat": Threat(name="unknown", surface="pod", kind="behavioral", confidence="possible")},
        "threat_unknown",
        id="unknown-threat",
    ),
    pytest.param({"pod": {"node_name": "node-2"}}, "pod_on_other_node", id="refuted"),
    pytest.param({}, "", id="nothing-against-it"),
]


@pytest.mark.parametrize(("changes", "expected"), HELD)
def test_each_hold_is_named(changes: dict[str, Any], expected: str) -> None:
    """Protection, contradictions and refuted identities hold an action, each by its name."""
    assert reason(context(**changes)) == expected


@pytest.mark.parametrize("changes", [case.values[0] for case in HELD])
def test_observing_is_never_held(changes: Any) -> None:
    """Evidence is kept and people are told whatever else is held, however old the finding."""
    found = context(**changes)
    assert [reason(found, action, timedelta(days=99)) for action in ("capture_evidence", "notify")] == ["", ""]


AGES = [
    pytest.param("delete_pod", timedelta(minutes=30), "", id="delete-in-time"),
    pytest.param("delete_pod", timedelta(minutes=30, seconds=1), "finding_too_old", id="delete-too-late"),
    pytest.param("isolate_pod", timedelta(hours=24), "", id="isolate-in-time"),
    pytest.param("isolate_pod", timedelta(hours=24, seconds=1), "finding_too_old", id="isolate-too-late"),
    pytest.param("label_pod", timedelta(seconds=-60), "", id="clocks-differ"),
    pytest.param("label_pod", timedelta(seconds=-61), "finding_from_the_future", id="from-the-future"),
]


@pytest.mark.parametrize(("action", "age", "expected"), AGES)
def test_an_old_finding_is_held(action: str, age: timedelta, expected: str) -> None:
    """An old finding is acted on no more: what cannot be undone has the shorter limit."""
    assert reason(context(), action, age) == expected


@pytest.mark.parametrize("action", ["isolate_pod", "cordon_node", "delete_pod"])
def test_identity_is_needed(action: str) -> None:
    """Without a known pod nothing is done that is bound to it."""
    found = context(pod=False, identity=Identity())
    assert reason(found, action) == "identity_unknown:no_pod"


def test_no_guardrails_protect_every_namespace() -> None:
    """Without a guardrails file every namespace is protected, and nothing is enforced."""
    assert reason(context(), rails=NONE_GIVEN) == "namespace_protected"
    assert NONE_GIVEN.max_mode == "dry_run"


def planned(*items: PlannedAction, mode: Mode = Mode.ENFORCE) -> Decision:
    """A decision of one policy."""
    policy = PolicyDecision(name="p", mode=mode, matched=True, reason=Reason.MATCHED, actions=items)
    return Decision(policies=(policy,))


LABEL = PlannedAction(action="label_pod", result="planned", reason=Reason.PLANNED)
CEILINGS = [
    pytest.param("enforce", Mode.ENFORCE, (True, "enforce", "matched"), id="enforce"),
    pytest.param("dry_run", Mode.ENFORCE, (True, "dry_run", "matched"), id="dry-run"),
    pytest.param("disabled", Mode.ENFORCE, (False, "disabled", "mode_disabled_by_guardrails"), id="disabled"),
    pytest.param("enforce", Mode.DRY_RUN, (True, "dry_run", "matched"), id="never-raised"),
]


@pytest.mark.parametrize(("ceiling", "mode", "expected"), CEILINGS)
def test_the_guardrails_ceiling_limits_every_policy(ceiling: str, mode: Mode, expected: tuple[bool, str, str]) -> None:
    """No policy goes further than the guardrails let any go."""
    rails = Guardrails(protected=Protected(namespaces=()), max_mode=ceiling)
    found = guard(context(), planned(LABEL, mode=mode), rails, EVENT).policies[0]
    assert (found.matched, found.mode, found.reason) == expected
    assert bool(found.actions) == found.matched


def test_policies_that_plan_alike_are_guarded_alike() -> None:
    """Their steps stay one object, held or not; where nothing is held, the very decision comes back."""
    actions = (LABEL, PlannedAction(action="delete_pod", result="planned", reason=Reason.PLANNED))
    one = planned(*actions).policies[0]
    both = Decision(policies=(replace(one, actions=actions), replace(one, name="q", actions=actions)))
    first, second = guard(context(), both, RAILS, EVENT).policies
    assert (first is both.policies[0], second is both.policies[1]) == (True, True)
    old = guard(context(), both, RAILS, EVENT + timedelta(hours=1)).policies
    assert old[0].actions is old[1].actions
    assert [item.reason for item in old[0].actions] == ["planned", "finding_too_old"]


def test_a_ceiling_of_one_action_lowers_whoever_plans_it() -> None:
    """And no policy beside it, whatever else they share."""
    ceiling = Ceiling(name="no-deletions", max_mode=Mode.DRY_RUN, actions=("delete_pod",))
    rails = Guardrails(protected=Protected(namespaces=()), max_mode=Mode.ENFORCE, ceilings=(ceiling,))
    delete = PlannedAction(action="delete_pod", result="planned", reason=Reason.PLANNED)
    policies = [planned(*items).policies[0] for items in ((LABEL,), (LABEL, delete), (LABEL,))]
    found = guard(context(), Decision(policies=tuple(policies)), rails, EVENT).policies
    assert [policy.mode for policy in found] == ["enforce", "dry_run", "enforce"]


def test_a_step_that_was_asked_for_is_one_policys() -> None:
    """The same steps of another policy are as old as they are."""
    delete = (PlannedAction(action="delete_pod", result="planned", reason=Reason.PLANNED),)
    one = planned(*delete).policies[0]
    both = Decision(policies=(replace(one, actions=delete), replace(one, name="q", actions=delete)))
    asked = AskedStep(policy="q", action="delete_pod", reason="finding_too_old", by="a@example.com", said="", at=EVENT)
    found = guard(context(), both, RAILS, EVENT + timedelta(hours=1), asked=asked).policies
    assert [policy.actions[0].reason for policy in found] == ["finding_too_old", "planned"]


def test_a_contradiction_outweighs_a_skip() -> None:
    """An action that found nothing to do may have looked at the wrong pod: a contradiction holds it too."""
    skipped = PlannedAction(action="label_pod", result="skipped", reason=Reason.TARGET_ABSENT)
    watching = PlannedAction(action="notify", result="skipped", reason="any")
    found = guard(context(finding={"contradictions": ("pod",)}), planned(skipped, watching), RAILS, EVENT)
    assert [(item.result, item.reason) for item in found.policies[0].actions] == [
        ("held", "contradiction:pod"),
        ("skipped", "any"),
    ]


AGES = [
    pytest.param(Mode.APPROVE, 29, "planned", id="planned-in-time"),
    pytest.param(Mode.APPROVE, 31, "finding_too_old", id="planned-too-late"),
    pytest.param(Mode.ENFORCE, 29, "finding_too_old", id="not-waiting"),
    pytest.param(Mode.APPROVE, None, "finding_too_old", id="no-plan"),
]


@pytest.mark.parametrize(("mode", "planned_after", "expected"), AGES)
def test_age_of_what_waits(mode: Mode, planned_after: int | None, expected: str) -> None:
    """What waits for a person is as old as its plan; what does not wait is as old as it is now."""
    delete = PlannedAction(action="delete_pod", result="planned", reason=Reason.PLANNED)
    at = None if planned_after is None else EVENT + timedelta(minutes=planned_after)
    found = guard(context(), planned(delete, mode=mode), RAILS, EVENT + timedelta(minutes=50), planned_at=at)
    assert found.policies[0].actions[0].reason == expected


def test_the_age_of_a_plan_is_not_that_of_what_acts_alike() -> None:
    """The same steps in another mode are as old as they are now."""
    delete = (PlannedAction(action="delete_pod", result="planned", reason=Reason.PLANNED),)
    one = planned(*delete, mode=Mode.APPROVE).policies[0]
    both = Decision(policies=(replace(one, actions=delete), replace(one, mode=Mode.ENFORCE, actions=delete)))
    found = guard(context(), both, RAILS, EVENT + timedelta(hours=1), planned_at=EVENT).policies
    assert [policy.actions[0].reason for policy in found] == ["planned", "finding_too_old"]


def test_a_plan_lets_no_future_in() -> None:
    """A finding from the future is one by the present time, whenever the plan was made."""
    delete = PlannedAction(action="delete_pod", result="planned", reason=Reason.PLANNED)
    later = EVENT + timedelta(hours=1)
    found = guard(context(), planned(delete, mode=Mode.APPROVE), RAILS, EVENT - timedelta(hours=1), planned_at=later)
    assert found.policies[0].actions[0].reason == "finding_from_the_future"


@pytest.mark.parametrize(
    ("reach", "expected"),
    [(NOWHERE_IN_RUN, "service_not_listed"), (EVERYWHERE_IN_RUN, "revision_not_known")],
    ids=["not listed", "listed"],
)
def test_a_service_beyond_reach_is_said_to_be_so(reach: RunReach, expected: str) -> None:
    """Also where nothing was read of it, so that the action's plan holds it anyway."""
    finding = run_finding()
    unread = Context(finding=finding, threat=classify(finding))
    planned = PlannedAction(action="roll_back_service", result=ActionResult.HELD, reason=Reason.REVISION_NOT_KNOWN)
    policy = PolicyDecision(
        name="p", mode=Mode.APPROVE, matched=True, reason=Reason.MATCHED, actions=(planned, OBSERVED)
    )
    (guarded,) = guard(unread, Decision(policies=(policy,)), NONE_GIVEN, finding.event_time, reach=reach).policies
    assert [(item.result, item.reason) for item in guarded.actions] == [("held", expected), ("planned", "planned")]


OBSERVED = PlannedAction(action="capture_evidence", result=ActionResult.PLANNED, reason=Reason.PLANNED)
