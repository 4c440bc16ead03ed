"""An eviction: only of a pod that was read right before, and held where its budget allows none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from scc_responder.domain.changes.evict_pod import EvictPod
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.labels import ARMED_BY
from scc_responder.domain.status import StepStatus
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.one_change import OneCluster, one_cluster, pod_target, step_run
from tests.kits.responder import Interposed, api_of


def budget(name: str = "web", **spec: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "shop"}
    spec = {"selector": {"matchLabels": {"app": "web"}}, **spec}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}


@contextmanager
def armed(*budgets: dict[str, Any]) -> Iterator[tuple[SimulatedCluster, OneCluster, EvictPod]]:
    """A pod of a Deployment, with these budgets, armed for its eviction."""
    with one_cluster() as (cluster, means):
        for item in budgets:
            cluster.create(item)
        target = pod_target(cluster)
        PatchObject(kind="Pod", **target, marker=ARMED_BY, versioned=True).carry_out(step_run(), means)
        yield cluster, means, EvictPod(**target, grace_period_seconds=1)


def evictions(cluster: SimulatedCluster) -> list[Any]:
    return [event for event in cluster.audit if event.subresource == "eviction"]


def test_an_armed_pod_is_evicted() -> None:
    """Bound to the pod as it was read right before, with the grace period asked for; the end is a deletion's."""
    with armed(budget(minAvailable=0)) as (cluster, means, change):
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        evicted = change.carry_out(step_run(), means)
        again = change.carry_out(step_run(intended=True), means)
        left = {pod["metadata"]["uid"] for pod in cluster.objects("Pod", "shop")}
        trial, sent = evictions(cluster)
        before = list(cluster.audit)[list(cluster.audit).index(sent) - 1]
    assert (rehearsed.status, rehearsed.reason) == (StepStatus.DRY_RUN, "would_delete")
    assert (evicted.status, evicted.reason) == (StepStatus.DONE, "processes_ended")
    assert (evicted.containment, evicted.contained_at is not None) == ("processes_ended", True)
    assert again.reason == "gone_after_intent"
    assert change.uid not in left
    assert (trial.dry_run, sent.dry_run) == (True, False)
    assert sent.request["metadata"]["labels"] == {ARMED_BY: "a1"}
    assert sent.request["deleteOptions"]["gracePeriodSeconds"] == 1
    conditions = sent.request["deleteOptions"]["preconditions"]
    assert conditions == {"uid": change.uid, "resourceVersion": before.response["metadata"]["resourceVersion"]}
    assert (before.verb, before.name) == ("get", change.name)


def test_a_budget_that_allows_none_holds_it() -> None:
    """By name, asked for once, until a sweep comes again; a rehearsal awaits nothing."""
    with armed(budget("keeps-all", minAvailable=1)) as (cluster, means, change):
        rehearsed = change.carry_out(step_run(dry_run=True), means)
        held = change.carry_out(step_run(), means)
        assert len(evictions(cluster)) == 2
        api_of(cluster, "admin").patch(
            "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/keeps-all", {"spec": {"minAvailable": 0}}
        )
        freed = change.carry_out(step_run(), means)
    assert (rehearsed.status, rehearsed.reason, rehearsed.due_at) == (StepStatus.HELD, "disruption_budget", None)
    assert (held.status, held.reason) == (StepStatus.HELD, "budget_awaited")
    assert "The disruption budget keeps-all needs 1 healthy pods and has 1 currently" in held.detail
    assert held.due_at is not None
    assert freed.reason == "processes_ended"


def test_several_budgets_hold_it() -> None:
    """The API server does not say which of them counts: no later try will change that."""
    with armed(budget("one", minAvailable=0), budget("two", minAvailable=0)) as (cluster, means, change):
        held = change.carry_out(step_run(), means)
        assert len(evictions(cluster)) == 1
    assert (held.status, held.reason, held.due_at) == (StepStatus.HELD, "several_disruption_budgets", None)


REPLACED = [
    pytest.param({"uid": "another"}, "target_replaced", id="another-pod"),
    pytest.param({"name": "nobody"}, "gone_by_other", id="no-such-pod"),
]


@pytest.mark.parametrize(("changes", "reason"), REPLACED)
def test_another_pod_is_not_asked_for(changes: dict[str, str], reason: str) -> None:
    """Not even a refused eviction is sent: it would use the budget up."""
    with armed() as (cluster, means, change):
        fields = {"namespace": "shop", "name": change.name, "uid": change.uid, **changes}
        assert EvictPod(**fields).carry_out(step_run(), means).reason == reason
        assert evictions(cluster) == []


AT_THE_LAST_MOMENT = [
    pytest.param(lambda api, path: api.delete(path, {"gracePeriodSeconds": 0}), "gone_by_other", id="gone"),
    pytest.param(lambda api, path: api.patch(path, {"metadata": {"labels": {ARMED_BY: None}}}), "not_armed", id="not"),
]


@pytest.mark.parametrize(("act", "reason"), AT_THE_LAST_MOMENT)
def test_what_changed_meanwhile_is_not_evicted(act: Any, reason: str) -> None:
    """Between the first look and the request the intent is written: the pod is read once more after that."""
    with armed() as (cluster, means, change):
        path, admin, reads = f"/api/v1/namespaces/shop/pods/{change.name}", api_of(cluster, "admin"), []

        def act_before_second(_number: int, verb: str, asked: str) -> None:
            if (verb, asked) == ("get", path):
                reads.append(asked)
                if len(reads) == 2:
                    act(admin, path)

        means.api = Interposed(means.api, before=act_before_second)
        assert change.carry_out(step_run(), means).reason == reason
        assert evictions(cluster) == []


def test_a_status_that_moves_does_no_harm() -> None:
    """Kubelets write the pod's status at any time: the version is that of right before, not that of the arming."""
    with armed() as (cluster, means, change):
        path = f"/api/v1/namespaces/shop/pods/{change.name}"
        api_of(cluster, "admin").patch(path, {"metadata": {"annotations": {"example.com/moved": "1"}}})
        assert change.carry_out(step_run(), means).reason == "processes_ended"
        assert len(evictions(cluster)) == 1
