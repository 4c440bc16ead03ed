"""The look at the cluster right before a disruption: only what the planned actions would disrupt."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.actions import actions
from scc_responder.adapters.local.findings_file import FindingsFolder
from scc_responder.collect.live import look
from scc_responder.collect.target import Collected, collect
from scc_responder.domain.context import Owner
from scc_responder.intake.notification import parse_notification
from scc_responder.workbench.cluster_snapshot import look_around
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.findings import data
from tests.kits.responder import NODE, OneCluster, api_of, finding_about

POOL = ThreadPoolExecutor(8)


@pytest.fixture
def collected(tmp_path: Path) -> Iterator[Collected]:
    """What was read of one pod of two."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.node(NODE))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=2))
        finding = parse_notification(data(finding_about(cluster.objects("Pod", "shop")[0])))
        yield collect(finding, OneCluster(api_of(cluster)), FindingsFolder(tmp_path, ()), POOL, 5.0)


def seen(collected: Collected, *names: str, **changes: Any) -> dict[str, Any]:
    """What was looked at for these actions, where the context differs so."""
    context = replace(collected.context, **changes)
    live = look(context, collected, [actions()[name] for name in names]).live
    return {} if live is None else {name: getattr(live, name) for name in live.__struct_fields__}


def test_only_what_is_disrupted_is_read(collected: Collected) -> None:
    """Isolation needs the workload, a deletion its budgets too, and a cordon the pool."""
    assert set(seen(collected, "label_pod").values()) == {None}
    isolated = seen(collected, "isolate_pod")
    assert (isolated["workload"].replicas, isolated["budgets"], isolated["node_pool"]) == (2, None, None)
    deleted = seen(collected, "delete_pod")
    assert (deleted["workload"].ready, deleted["budgets"]) == (2, ())
    assert seen(collected, "cordon_node")["node_pool"].nodes == 1


def test_the_target_counts_as_it_was_read(collected: Collected) -> None:
    """A node that another finding has cordoned since is no reason to call its pool ill."""
    assert collected.api is not None
    collected.api.patch(f"/api/v1/nodes/{NODE}", {"spec": {"unschedulable": True}})
    assert seen(collected, "cordon_node")["node_pool"].schedulable == 1


def test_nothing_planned_leaves_the_context(collected: Collected) -> None:
    """No request is made."""
    assert look(collected.context, collected, []) is collected.context
    away = Collected(collected.context, None, collected.reads)
    assert look_around(away) is collected.context


def test_a_look_around_reads_everything(collected: Collected) -> None:
    """For a snapshot, whatever may be planned."""
    live = look_around(collected).live
    assert live is not None
    assert None not in (live.workload, live.budgets, live.node_pool)


@pytest.mark.parametrize("kind", ["Job", "DaemonSet"])
def test_some_workloads_count_no_replicas(collected: Collected, kind: str) -> None:
    """None of their pods is the last replica."""
    assert collected.context.pod is not None
    version = "batch/v1" if kind == "Job" else "apps/v1"
    pod = replace(collected.context.pod, owners=(Owner(kind=kind, name="x", uid="u", api_version=version),))
    found = seen(collected, "isolate_pod", pod=pod)["workload"]
    assert (found.kind, found.replicas) == (kind, None)


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        (Owner(kind="Deployment", name="web", uid="other", api_version="apps/v1"), "owner_replaced"),
        (Owner(kind="Deployment", name="gone", uid="u", api_version="apps/v1"), "not_found"),
        (Owner(kind="Deployment", name="web", uid="u", api_version="example.com/v1"), "unknown_kind"),
    ],
)
def test_a_workload_that_is_not_proved_is_missing(collected: Collected, owner: Owner, reason: str) -> None:
    """Anyone can define kinds of the same name."""
    assert collected.context.pod is not None
    pod = replace(collected.context.pod, owners=(owner,))
    context = replace(collected.context, pod=pod, objects={})
    looked = look(context, collected, [actions()["isolate_pod"]])
    assert (looked.live and looked.live.workload, looked.missing["workload"]) == (None, reason)


def test_an_owner_proved_absent_is_not_asked_for(collected: Collected) -> None:
    """No workload loses a replica then."""
    assert seen(collected, "isolate_pod", missing={"owner": "not_found"}).get("workload") is None
