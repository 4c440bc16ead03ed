"""What policies do to targets, and what a change of them adds or takes away."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.changes.capture_evidence import CaptureEvidence
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import PlannedAction, PolicyDecision, decide
from scc_responder.policy.match import Match
from scc_responder.policy.policy_set import Policy, PolicyStep
from scc_responder.workbench.explanation import context_of
from scc_responder.workbench.sample_findings import facts_as_told
from scc_responder.workbench.simulation.impact import (
    AffectedObject,
    BoundedSet,
    Impact,
    behind_limits,
    differences,
    effects,
)
from tests.kits.decision_contexts import POD_TARGET, REF, context
from tests.kits.run_values import BAD, CHECKOUT, run_finding

POD = AffectedObject(cluster=REF.path, kind="Pod", namespace="shop", name="web-1", uid=POD_TARGET["uid"])
OTHER = replace(POD, name="web-2", uid="u2")


def decision(mode: Mode = Mode.ENFORCE, name: str = "contain", **fields: Any) -> PolicyDecision:
    return PolicyDecision(name=name, mode=mode, matched=True, reason=Reason.MATCHED, **fields)


def test_only_planned_changes_have_effects() -> None:
    """What is held, and what only observes, changes nothing; a target counts once for an action."""
    patch = PatchObject(kind="Pod", **POD_TARGET, labels={"a": "b"})
    evidence = CaptureEvidence(namespace="shop", pod_name="web-1", pod_uid=POD_TARGET["uid"])
    actions = (
        PlannedAction(action="label_pod", result="planned", reason=Reason.PLANNED, changes=(patch, patch)),
        PlannedAction(action="annotate_pod", result="held", reason="protected", changes=(patch,)),
        PlannedAction(action="capture_evidence", result="planned", reason=Reason.PLANNED, changes=(evidence,)),
    )
    assert effects(context(), decision(actions=actions)) == (("label_pod", POD),)


def test_a_target_is_shown_as_people_call_it() -> None:
    """With its namespace and cluster, where it has them."""
    assert POD.shown == "Pod shop/web-1 in prod-1"
    assert AffectedObject(cluster="", kind="Node", namespace="", name="n").shown == "Node n"


def test_a_service_of_cloud_run_is_its_path() -> None:
    """It is in no cluster, and not in itself."""
    finding = run_finding(BAD)
    on_run = context_of(finding, facts_as_told(finding))
    (policy,) = decide(on_run, (rollback(),)).policies
    ((action, target),) = effects(on_run, policy)
    assert (action, target.shown) == ("roll_back_service", f"Service {CHECKOUT.path}")


def rollback() -> Policy:
    """A policy that rolls back."""
    then = (PolicyStep(action="roll_back_service"),)
    return Policy(name="p", description="d", owner="o", mode=Mode.APPROVE, when=Match(surface="cloud_run"), then=then)


def test_targets_are_told_apart_up_to_a_bound() -> None:
    """A member is found again by its number; what comes once the set is full is not taken in."""
    known = BoundedSet(most=2)
    assert [known.add(member) for member in (("c", "shop"), POD, ("c", "shop"))] == [0, 1, 0]
    assert not known.full
    assert (known.add(OTHER), known.full, known.add(POD)) == (None, True, 1)
    assert list(known.targets()) == [(1, POD)]


def reached(known: BoundedSet, *found: tuple[Mode, AffectedObject]) -> Impact:
    impact = Impact(known)
    for mode, target in found:
        impact.add(decision(mode), (("label_pod", target),))
    return impact


CASES: list[Any] = [
    pytest.param([], [(Mode.ENFORCE, POD)], ("added", "", "enforce"), id="added"),
    pytest.param([(Mode.ENFORCE, POD)], [], ("removed", "enforce", ""), id="removed"),
    pytest.param([(Mode.DRY_RUN, POD)], [(Mode.ENFORCE, POD)], ("raised", "dry_run", "enforce"), id="raised"),
    pytest.param([(Mode.ENFORCE, POD)], [(Mode.APPROVE, POD)], ("lowered", "enforce", "approve"), id="lowered"),
]


@pytest.mark.parametrize(("before", "after", "expected"), CASES)
def test_a_difference_says_what_changed(before: Any, after: Any, expected: tuple[str, str, str]) -> None:
    """By target and action, with the mode before and after."""
    known = BoundedSet()
    former, later = reached(known, *before), reached(known, *after)
    (found,) = differences(later, former)
    assert (found.kind, found.before, found.after) == expected
    assert (found.target, found.action, found.policy, found.counted_as) == (POD, "label_pod", "contain", found.kind)


def test_the_furthest_mode_counts() -> None:
    """Several policies on one target: the one that goes furthest is named."""
    known = BoundedSet()
    impact = Impact(known)
    for mode, name in ((Mode.DRY_RUN, "a"), (Mode.ENFORCE, "b"), (Mode.APPROVE, "c")):
        impact.add(decision(mode, name), (("label_pod", POD),))
    assert [(target, mode, policy) for target, _, mode, policy in impact.entries() if mode] == [(POD, "enforce", "b")]
    assert list(differences(impact, impact)) == []


def test_what_limits_hide_is_found() -> None:
    """A difference that shows in the whole, and not in what the limits let through."""
    known = BoundedSet()
    known.add(("no", "target"))
    seen = reached(known, (Mode.ENFORCE, POD))
    whole = reached(known, (Mode.ENFORCE, POD), (Mode.ENFORCE, OTHER))
    (found,) = behind_limits((seen, seen), (whole, seen))
    assert (found.target, found.behind_limits, found.counted_as) == (OTHER, True, "added_behind_limits")
