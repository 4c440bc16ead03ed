"""What the state of the cluster says to a disruption: by table, and for every cluster there could be."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.domain.changes import Disruption
from scc_responder.domain.changes.delete_pod import DeletePod
from scc_responder.domain.changes.detach_pod import DetachPod
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.context import Context, DisruptionBudget, LiveLook, Node, NodePool, Owner, Workload, Zone
from scc_responder.guard.disruption import disruption_reason, disruption_request, held_request
from scc_responder.guard.guard import hold_reason
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.messages import decision_summary
from scc_responder.journal.step import Step
from scc_responder.policy.decide import Decision
from scc_responder.policy.guardrails import Guardrails, Protected
from tests.kits.decision_contexts import EVENT, LIVE, NODE, POD, POD_TARGET, THREAT, context
from tests.kits.run_values import (
    CHECKOUT,
    NIGHTLY,
    run_execution,
    run_finding,
    run_job,
    run_revision,
    run_service,
)

DETACH = DetachPod(**POD_TARGET, labels={"app": "web"}, owner_uid="u")
LAST_TOO = replace(DETACH, allow_last_replica=True)
FREE = Guardrails(protected=Protected(namespaces=()))


def live(**fields: Any) -> dict[str, Any]:
    """A context in which this was seen, and all else is well."""
    return {"live": replace(LIVE, **fields)}


def web(ready: int, replicas: int = 4) -> Workload:
    return Workload(kind="Deployment", name="web", replicas=replicas, ready=ready)


def budget(allowed: int, name: str = "web") -> DisruptionBudget:
    return DisruptionBudget(name=name, disruptions_allowed=allowed)


def detachment(**live_fields: Any) -> Any:
    """Why a detachment is held where this was seen."""
    return disruption_reason(context(**live(**live_fields)), actions()["detach_pod"], [DETACH])


UNSHARED = [
    pytest.param({}, None, id="nothing-in-the-way"),
    pytest.param({"unshared": ("host_ports",)}, "host_ports", id="host-ports"),
    pytest.param({"unshared": ("volume_in_use",)}, "volume_in_use", id="volume"),
    pytest.param({"unshared": ("host_ports", "volume_in_use")}, "host_ports", id="both"),
    pytest.param({"unshared": None}, "volumes_unread", id="not-read"),
    pytest.param({"workload": None}, "workload_unread", id="workload-not-read"),
    pytest.param({"budgets": None}, "budgets_unread", id="budgets-not-read"),
]


@pytest.mark.parametrize(("seen", "reason"), UNSHARED)
def test_a_detachment_needs_room_for_the_replacement(seen: dict[str, Any], reason: str | None) -> None:
    """What the pod keeps, no replacement has; it is held like the last replica, and as a deletion for its budgets."""
    assert detachment(**seen) == reason
    allowed = disruption_reason(context(**live(**seen)), actions()["detach_pod"], [LAST_TOO])
    assert allowed == ("budgets_unread" if reason == "budgets_unread" else None)


def test_a_detachment_takes_a_replica() -> None:
    """The last ready pod stays, and so does one whose budget allows none; a pod that is not ready may go."""
    assert detachment(workload=web(1)) == "last_ready_replica"
    assert detachment(budgets=(budget(0),)) == "disruption_budget"
    unready = context(pod={"ready": False}, **live(workload=web(1), budgets=(budget(0),)))
    assert disruption_reason(unready, actions()["detach_pod"], [DETACH]) is None


def test_an_eviction_asks_the_budget_itself() -> None:
    """Only the API server knows it at that moment; the last replica is held like that of a deletion."""
    evict = actions()["evict_pod"]
    for budgets in (None, (budget(0),), (budget(0), budget(0, "other"))):
        assert disruption_reason(context(**live(budgets=budgets)), evict, [DeletePod(**POD_TARGET)]) is None
    assert disruption_reason(context(**live(workload=web(1))), evict, [DeletePod(**POD_TARGET)]) == "last_ready_replica"


def zones(**counts: tuple[int, int]) -> NodePool:
    """A pool with these nodes, and of them schedulable ones, by the last letter of the zone."""
    found = {f"europe-west1-{name}": Zone(nodes=nodes, schedulable=free) for name, (nodes, free) in counts.items()}
    return NodePool(name="pool-1", zones=found)


def reason(found: Context, action: str, *, last: bool = False) -> str:
    """Why the action is held, by all the guards."""
    change = DeletePod(namespace="shop", name="web-1", uid=POD.uid, allow_last_replica=last)
    return hold_reason(found, actions()[action], FREE, EVENT + timedelta(seconds=1), changes=[change]) or ""


LAST_TRY = Workload(kind="Job", name="batch", has_no_retry=True)
DELETIONS = [
    pytest.param({}, "", id="all-well"),
    pytest.param(live(workload=web(2)), "", id="one-other-is-ready"),
    pytest.param(live(workload=web(1)), "last_ready_replica", id="the-last-ready-one"),
    pytest.param(live(workload=web(0)), "last_ready_replica", id="none-counted-as-ready"),
    pytest.param(live(workload=web(1, replicas=1)), "last_ready_replica", id="the-only-one"),
    pytest.param({**live(workload=web(1)), "pod": {"ready": False}}, "", id="not-ready-itself"),
    pytest.param({**live(workload=web(1)), "pod": {"ready": None}}, "last_ready_replica", id="perhaps-ready"),
    pytest.param(live(workload=None), "workload_unread", id="workload-unread"),
    pytest.param(live(workload=Workload(kind="Job", name="batch")), "", id="counts-no-replicas"),
    pytest.param(live(workload=LAST_TRY), "job_would_fail", id="the-job-would-fail"),
    pytest.param({**live(workload=LAST_TRY), "pod": {"ready": False}}, "job_would_fail", id="ready-or-not"),
    pytest.param({**live(workload=LAST_TRY), "pod": {"phase": "Succeeded", "ready": False}}, "", id="it-has-ended"),
    pytest.param({**live(workload=None), "pod": {"owners": ()}}, "", id="standalone"),
    pytest.param({**live(workload=None), "missing": {"owner": "owner_replaced"}}, "", id="owned-by-nothing"),
    pytest.param({**live(workload=None), "missing": {"owner": "deadline"}}, "workload_unread", id="owner-unread"),
    pytest.param(live(budgets=(budget(1),)), "", id="budget-allows"),
    pytest.param(live(budgets=(budget(0),)), "disruption_budget", id="budget-does-not"),
    pytest.param(live(budgets=(budget(5), budget(5, "other"))), "several_disruption_budgets", id="several-budgets"),
    pytest.param(live(budgets=None), "budgets_unread", id="budgets-unread"),
    pytest.param({**live(budgets=None), "pod": {"ready": False}}, "", id="budgets-do-not-matter"),
    pytest.param({"live": None}, "workload_unread", id="never-looked"),
]


@pytest.mark.parametrize(("changes", "expected"), DELETIONS)
def test_a_deletion_needs_another_ready_pod(changes: dict[str, Any], expected: str) -> None:
    """A ready pod is deleted only if another one is ready then, and its one budget allows it; not knowing holds."""
    assert reason(context(**changes), "delete_pod") == expected


LAST = [
    pytest.param(live(workload=web(1)), "", id="last"),
    pytest.param(live(workload=LAST_TRY), "", id="last-try"),
    pytest.param(live(workload=None), "", id="unread"),
    pytest.param(live(workload=web(1), budgets=(budget(0),)), "disruption_budget", id="not-past-its-budget"),
    pytest.param(live(workload=web(1), budgets=None), "budgets_unread", id="not-past-an-unread-budget"),
]


@pytest.mark.parametrize(("changes", "expected"), LAST)
def test_allowed_last_replica(changes: dict[str, Any], expected: str) -> None:
    """A policy may delete the last ready replica; no policy may go past a disruption budget."""
    assert reason(context(**changes), "delete_pod", last=True) == expected


@pytest.mark.parametrize("changes", [case.values[0] for case in DELETIONS])
def test_isolation_is_always_possible(changes: Any) -> None:
    """To cut off an attacker's only replica must be possible, whatever is seen or not."""
    assert reason(context(**changes), "isolate_pod") == ""


CORDONS = [
    pytest.param(zones(b=(4, 4)), "", id="all-well"),
    pytest.param(zones(b=(2, 2)), "", id="one-other"),
    pytest.param(zones(b=(5, 4)), "", id="a-fifth-is-out"),
    pytest.param(zones(b=(4, 3)), "node_pool_unhealthy", id="a-quarter-is-out"),
    pytest.param(zones(b=(4, 4), c=(4, 1)), "node_pool_unhealthy", id="a-quarter-is-out-elsewhere"),
    pytest.param(zones(b=(1, 1)), "last_schedulable_node", id="the-only-node"),
    pytest.param(zones(b=(1, 1), c=(3, 3)), "last_schedulable_node", id="the-only-node-of-its-zone"),
    pytest.param(zones(c=(4, 4)), "node_pool_unread", id="not-among-those-listed"),
    pytest.param(zones(), "node_pool_unread", id="nothing-listed"),
    pytest.param(None, "node_pool_unread", id="unread"),
]


@pytest.mark.parametrize(("pool", "expected"), CORDONS)
def test_a_cordon_needs_a_healthy_pool(pool: NodePool | None, expected: str) -> None:
    """A node is cordoned only in a pool that is well, and where another node of its zone takes pods."""
    assert reason(context(**live(node_pool=pool)), "cordon_node") == expected


def test_a_node_that_takes_no_pods() -> None:
    """To cordon a node that is not ready takes nothing away."""
    lost = replace(NODE, ready=False)
    assert reason(context(node=lost, **live(node_pool=zones(b=(5, 4)))), "cordon_node") == ""
    tainted = replace(zones(b=(5, 1), c=(16, 16)), target_takes_pods=False)
    assert reason(context(**live(node_pool=tainted)), "cordon_node") == ""


COUNTS = st.integers(min_value=0, max_value=12)


@given(ready=st.one_of(st.none(), COUNTS), allowed=st.one_of(st.none(), st.lists(COUNTS, max_size=3)))
def test_no_deletion_leaves_nothing_ready(ready: int | None, allowed: list[int] | None) -> None:
    """Whatever was seen: a deletion that is not held leaves a ready replica, and is within every budget."""
    seen = LiveLook(
        workload=None if ready is None else web(ready),
        budgets=None if allowed is None else tuple(budget(count) for count in allowed),
    )
    if reason(context(live=seen), "delete_pod") == "":
        assert ready is not None
        assert ready >= 2
        assert allowed is not None
        assert len(allowed) <= 1
        assert all(count >= 1 for count in allowed)


@given(counts=st.dictionaries(st.sampled_from("bcd"), st.tuples(COUNTS, COUNTS)))
def test_no_cordon_leaves_a_zone_without(counts: dict[str, tuple[int, int]]) -> None:
    """Whatever was seen: a cordon that is not held leaves a schedulable node in the zone, and most of the pool."""
    pool = zones(**{name: (nodes, min(nodes, free)) for name, (nodes, free) in counts.items()})
    if reason(context(**live(node_pool=pool)), "cordon_node") == "":
        assert pool.zones["europe-west1-b"].schedulable >= 2
        assert pool.schedulable > 0.75 * pool.nodes


REQUESTS = [
    pytest.param("delete_pod", {}, ("pods", POD.uid, 4, POD.owners[-1].uid), id="pod"),
    pytest.param("isolate_pod", {"pod": {"owners": ()}}, ("pods", POD.uid, 4, POD.uid), id="standalone"),
    pytest.param(
        "isolate_pod", {"missing": {"owner": "not_found"}}, ("pods", POD.uid, 4, POD.uid), id="an-invented-owner"
    ),
    pytest.param("delete_pod", {"live": None}, ("pods", POD.uid, None, POD.owners[-1].uid), id="share-not-known"),
    pytest.param("isolate_pod", {"missing": {"owner": "deadline"}}, ("pods", POD.uid, 4, ""), id="owner-unread"),
    pytest.param(
        "isolate_pod",
        {"missing": {"owner": "unknown_kind"}},
        ("pods", POD.uid, 4, POD.owners[-1].uid),
        id="an-operator",
    ),
    pytest.param(
        "isolate_pod",
        {"missing": {"owner": "kubernetes_forbidden"}, "refused": ("owner",)},
        ("pods", POD.uid, 4, POD.owners[-1].uid),
        id="owner-refused",
    ),
    pytest.param("cordon_node", {}, ("nodes", NODE.uid, 4, ""), id="node"),
]


@pytest.mark.parametrize(("action", "changes", "expected"), REQUESTS)
def test_a_request_names_target_and_scopes(action: str, changes: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """What is asked of the ledger names the target by UID, its scopes, and what a share is of."""
    asked = disruption_request(context(**changes), actions()[action], "a1")
    assert asked is not None
    assert (asked.kind, asked.target, asked.share_of, asked.scopes.get("owner", "")) == expected
    assert (asked.scopes["node_pool"], asked.scopes["project"]) == ("pool-1", "example-project")


@pytest.mark.parametrize(
    ("read", "target", "owner"),
    [
        ({"service": run_service()}, "service-uid", CHECKOUT),
        ({"service": run_service(), "revision": run_revision(2)}, "revision-2", CHECKOUT),
        ({"job": run_job()}, "job-uid", NIGHTLY),
        ({"job": run_job(), "execution": run_execution("x")}, "execution-x", NIGHTLY),
    ],
)
def test_a_service_counts_by_what_is_meant_of_it(read: dict[str, Any], target: str, owner: RunName) -> None:
    """Its revision, or its execution, by UID: another one of the same service counts again."""
    run = replace(actions()["delete_pod"], disrupts=Disruption.SERVICES)
    asked = disruption_request(Context(finding=run_finding(), threat=THREAT, **read), run, "a1")
    assert asked is not None
    assert (asked.kind, asked.target, asked.share_of) == ("services", target, None)
    assert asked.scopes == {"service": owner.path, "project": "example-project"}
    assert disruption_request(Context(finding=run_finding(), threat=THREAT), run, "a1") is None


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ({}, "service_unreadable"),
        ({"service": run_service()}, None),
        ({"job": run_job()}, None),
        ({"service": run_service(delete_time=EVENT)}, "service_deleting"),
        ({"job": run_job(delete_time=EVENT)}, "service_deleting"),
    ],
)
def test_a_service_that_goes_is_left_alone(read: dict[str, Any], expected: str | None) -> None:
    """And so is one that could not be read."""
    run = replace(actions()["delete_pod"], disrupts=Disruption.SERVICES)
    assert disruption_reason(Context(finding=run_finding(), threat=THREAT, **read), run, ()) == expected


@pytest.mark.parametrize("action", ["label_pod", "annotate_pod", "capture_evidence", "notify"])
def test_what_disrupts_nothing(action: str) -> None:
    """Marks, evidence and messages are not counted and not held by the state of the cluster."""
    assert disruption_request(context(), actions()[action], "a1") is None
    assert disruption_reason(context(live=None), actions()[action], ()) is None


def test_nothing_to_disrupt() -> None:
    """What was not read is not counted: it is not touched either."""
    assert disruption_request(context(pod=False), actions()["delete_pod"], "a1") is None
    assert disruption_request(context(node=None), actions()["cordon_node"], "a1") is None


def test_an_owner_of_another_kind() -> None:
    """Two owners of the same name are two scopes: they are told apart by UID."""
    other = Owner(kind="StatefulSet", name="web", uid="66666666-6666-4666-8666-666666666666", api_version="apps/v1")
    asked = disruption_request(context(pod={"owners": (other,)}), actions()["delete_pod"], "a1")
    assert asked is not None
    assert asked.scopes["owner"] == other.uid


def test_a_zoneless_node() -> None:
    """Nodes without a zone share one."""
    bare = Node(name="node-1", uid=NODE.uid, resource_version="1", ready=True)
    pool = NodePool(name="", zones={"": Zone(nodes=2, schedulable=2)})
    assert reason(context(node=bare, live=replace(LIVE, node_pool=pool)), "cordon_node") == ""


@pytest.mark.parametrize("name", ["isolate_pod", "delete_pod"])
def test_a_held_step_counts_as_it_did(name: str) -> None:
    """By what its case keeps: in the same budget and scopes, so that the same breakers hold it."""
    there, action = context(), actions()[name]
    asked = disruption_request(there, action, "id")
    assert asked is not None
    decision = decision_summary(there, Decision(policies=()), "", CaseFacts())
    again = held_request(decision, Step(action_id="id", action=name, expected_uid=asked.target))
    assert (again.target, again.kind, again.budget, again.group) == (
        asked.target,
        asked.kind,
        asked.budget,
        asked.group,
    )
    assert {scope: value for scope, value in again.scopes.items() if value}.items() <= asked.scopes.items()
    assert {"owner", "namespace", "node"} <= {scope for scope, value in again.scopes.items() if value}


def test_a_scope_that_a_case_does_not_keep_may_be_any() -> None:
    """The pool of a cordoned node, and the owner of a pod that was not read: any breaker of that scope holds them."""
    cordon = held_request({}, Step(action_id="id", action="cordon_node", expected_uid="n"))
    assert (cordon.kind, cordon.scopes) == ("nodes", {"node_pool": ""})
    cut = held_request({"pod": None}, Step(action_id="id", action="isolate_pod", expected_uid="p"))
    assert cut.scopes == {"owner": "", "namespace": "", "node": "", "node_pool": ""}
    run = {"cloud_run": {"name": CHECKOUT.path}}
    ingress = held_request(run, Step(action_id="id", action="cut_ingress", expected_uid="s"))
    assert (ingress.kind, ingress.group) == ("services", f"service={CHECKOUT.path}")
