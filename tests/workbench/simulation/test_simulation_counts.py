"""What a policy came to, counted altogether and day by day."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.context import Context
from scc_responder.domain.mode import Mode
from scc_responder.domain.reasons import Reason
from scc_responder.policy.decide import PlannedAction, PolicyDecision
from scc_responder.workbench.simulation.counts import Count, FoundOnce, SeenSteps, Tally, came_to, touched
from scc_responder.workbench.simulation.impact import AffectedObject, BoundedSet
from tests.kits.decision_contexts import EVENT, POD_TARGET, context

POD = AffectedObject(cluster="c", kind="Pod", namespace="shop", name="web-1", uid="u")
NODE = AffectedObject(cluster="c", kind="Node", namespace="", name="node-1", uid="n")
POLICY = PolicyDecision(
    name="contain",
    mode=Mode.ENFORCE,
    matched=True,
    reason=Reason.MATCHED,
    actions=(
        PlannedAction(action="label_pod", result="planned", reason=Reason.PLANNED),
        PlannedAction(action="cordon_node", result="held", reason=Reason.NODE_UNREADABLE),
        PlannedAction(action="annotate_pod", result="skipped", reason=Reason.ALREADY_ANNOTATED),
    ),
)


def add(tally: Tally, about: Context, *found: tuple[str, AffectedObject], known: BoundedSet | None = None) -> None:
    """Count what a finding's policy changes."""
    seen = SeenSteps(found, touched(about, found, known or BoundedSet()), came_to(POLICY))
    tally.add(about.finding.event_time, seen)


def test_what_is_beyond_the_bound_is_not_counted() -> None:
    """The bound is of pods, namespaces and workloads together; findings are counted all the same."""
    known = BoundedSet(most=3)
    tally = Tally()
    for target in (POD, POD, replace(POD, name="web-2", uid="u2")):
        add(tally, context(), ("label_pod", target), known=known)
    assert (tally.total().matched, tally.total().touched["pods"], known.full) == (3, 1, True)


def test_a_tally_counts_by_day() -> None:
    """The same pod on two days is one altogether; each day has its own count."""
    tally = Tally()
    for moment in (EVENT, EVENT, EVENT + timedelta(days=2)):
        add(tally, context(finding={"event_time": moment}), ("label_pod", POD), ("cordon_node", NODE))
    numbers = {"pods": 1, "nodes": 1, "workloads": 1, "namespaces": 1, "services": 0}
    assert tally.total() == Count(
        matched=3,
        acts={"label_pod": 3},
        held={"cordon_node: node_unreadable": 3},
        skipped={"annotate_pod: already_annotated": 3},
        touched=numbers,
    )
    assert [(item.day, item.count.matched) for item in tally.days()] == [(date(2026, 3, 2), 2), (date(2026, 3, 4), 1)]
    assert tally.days()[1].count.touched == numbers


def test_a_standalone_pod_has_no_workload() -> None:
    """Nothing is counted for what is not known."""
    tally = Tally()
    add(tally, context(pod={"owners": ()}), ("label_pod", POD))
    assert tally.total().touched == {"pods": 1, "nodes": 0, "workloads": 0, "namespaces": 1, "services": 0}
    assert Tally().days() == ()


def test_services_of_cloud_run_are_counted() -> None:
    """A revision and an execution belong to their service or job, which counts once."""
    tally, known = Tally(), BoundedSet()
    service, job = (f"projects/p/locations/l/{name}" for name in ("services/web", "jobs/nightly"))
    names = {"Service": service, "Revision": f"{service}/revisions/web-1", "Execution": f"{job}/executions/nightly-1"}
    for kind, name in names.items():
        target = AffectedObject(cluster="", kind=kind, namespace="", name=name, uid=kind)
        add(tally, context(), ("roll_back_service", target), known=known)
    assert {kind: number for kind, number in tally.total().touched.items() if number} == {"services": 2}


def test_steps_that_policies_share_are_looked_at_once() -> None:
    """A policy that plans another step is looked at by itself."""
    patch = PatchObject(kind="Pod", **POD_TARGET, labels={"a": "b"})
    first, second = (
        PlannedAction(action=name, result="planned", reason=Reason.PLANNED, changes=(patch,))
        for name in ("label_pod", "annotate_pod")
    )
    once = FoundOnce(context(), BoundedSet())
    shared = (first,)
    found = once.of(replace(POLICY, actions=shared))
    assert once.of(replace(POLICY, name="other", actions=shared)) is found
    assert [name for name, _ in found.effects] == ["label_pod"]
    more = once.of(replace(POLICY, actions=(first, second)))
    assert [name for name, _ in more.effects] == ["label_pod", "annotate_pod"]


def test_the_same_steps_are_news_once_for_each_mode() -> None:
    """A policy that goes further with the same steps is news; another in the same mode is not."""
    once = FoundOnce(context(), BoundedSet())
    others = [replace(POLICY, name="other", mode=mode) for mode in (Mode.ENFORCE, Mode.DRY_RUN, Mode.DRY_RUN)]
    assert [once.is_news(policy) for policy in (POLICY, *others)] == [True, False, True, False]
