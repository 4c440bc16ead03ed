"""An eviction that a disruption budget holds: the case stays open, and sweeps ask again while the finding is young."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.clock import utc_now
from scc_responder.pipeline.sweep import sweep
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.answers import HERE
from tests.kits.responder import Deployment, api_of, deployed, finding_about, policy

BUDGET = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets/keeps-all"


@pytest.fixture
def made(tmp_path: Path, cluster: SimulatedCluster) -> Deployment:
    """A responder that evicts, where a budget allows none."""
    budget = objects.disruption_budget("keeps-all", "shop", "web", minAvailable="100%")
    cluster.create(budget)
    return deployed(tmp_path, cluster, policy("capture_evidence", "evict_pod"))


@pytest.fixture
def document(made: Deployment, pod: dict[str, Any]) -> dict[str, Any]:
    """The notification of the finding, after its first delivery."""
    notified = finding_about(pod)
    assert made.respond_to(notified).reason == "budget_awaited"
    return notified


def swept(made: Deployment, wait: timedelta) -> dict[str, int]:
    at = utc_now() + wait
    made.set_clock(lambda: at)
    assert sweep(HERE, "127.0.0.1", made.services).status == 204
    return next(dict(line["swept"]) for line in reversed(made.lines) if "swept" in line)


def eviction(made: Deployment, document: dict[str, Any]) -> tuple[str, str, str]:
    """The state of the case, and status and reason of the eviction."""
    record = made.case(document)
    (step,) = (step for step in record.steps if step.change.get("change") == "evict_pod")
    return str(record.state), str(step.status), step.reason


def evictions(cluster: SimulatedCluster) -> int:
    return sum(event.subresource == "eviction" for event in cluster.audit)


def test_a_budget_that_frees_lets_it_be_evicted(
    made: Deployment, document: dict[str, Any], cluster: SimulatedCluster
) -> None:
    """Each sweep asks once, and not before two minutes are over; people are told once that it is held."""
    assert eviction(made, document) == ("open", "held", "budget_awaited")
    assert (evictions(cluster), len(made.published.messages)) == (1, 1)
    assert swept(made, timedelta(minutes=1)) == {"at_rest": 1}
    assert swept(made, timedelta(minutes=3)) == {"resumed": 1}
    assert eviction(made, document) == ("open", "held", "budget_awaited")
    assert (evictions(cluster), len(made.published.messages)) == (2, 1)
    api_of(cluster, "admin").patch(BUDGET, {"spec": {"minAvailable": 0}})
    assert swept(made, timedelta(minutes=6)) == {"resumed": 1}
    assert eviction(made, document) == ("done", "done", "processes_ended")
    assert evictions(cluster) == 3


def test_an_old_finding_is_not_asked_for(made: Deployment, document: dict[str, Any], cluster: SimulatedCluster) -> None:
    """Nobody evicts a pod for what happened days ago: the case ends, and says that it was held."""
    api_of(cluster, "admin").patch(BUDGET, {"spec": {"minAvailable": 0}})
    assert swept(made, timedelta(days=3)) == {"resumed": 1}
    state, status, reason = eviction(made, document)
    assert (state, status) == ("partial", "held")
    assert reason in {"finding_too_old", "held_before_resumed"}
    assert evictions(cluster) == 1
    assert "resumed" not in swept(made, timedelta(days=4))


def test_a_closed_finding_ends_it(made: Deployment, document: dict[str, Any], cluster: SimulatedCluster) -> None:
    """A person closed the finding meanwhile: nothing is evicted any more."""
    made.list_finding({**document, "finding": {**document["finding"], "state": "INACTIVE"}})
    assert swept(made, timedelta(minutes=3)) == {"resumed": 1}
    assert str(made.case(document).state) == "superseded"
    assert evictions(cluster) == 1


def test_a_rehearsal_awaits_nothing(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A policy in dry run asks the budget in a rehearsal, and its case ends."""
    cluster.create(objects.disruption_budget("keeps-all", "shop", "web", minAvailable="100%"))
    made = deployed(tmp_path, cluster, policy("capture_evidence", "evict_pod", mode="dry_run"))
    document = finding_about(pod)
    assert made.respond_to(document).reason == "disruption_budget"
    assert eviction(made, document) == ("rehearsed", "held", "disruption_budget")
