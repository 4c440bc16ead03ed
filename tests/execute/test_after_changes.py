"""Evidence of Cloud Run is taken before the first change and once more after the last: added, never replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.domain.clock import utc_now
from scc_responder.execute.evidence.dsse import manifest_content
from scc_responder.execute.execution import manifests_of
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import BAD, GOOD, RunDeployment, run_deployed, run_policy
from tests.kits.google.monitoring_server import INSTANCES, REQUESTS, MonitoringServer

ROLLS_BACK = run_policy("capture_evidence", "roll_back_service", "notify", mode="enforce")
READS = ["Revisions/ListRevisions", "Services/GetIamPolicy", "Services/GetService"]


@pytest.fixture
def running(tmp_path: Path, cluster: SimulatedCluster) -> Iterator[RunDeployment]:
    """A service with a safe and a compromised revision, which the responder may roll back."""
    with run_deployed(tmp_path, cluster, ROLLS_BACK) as made:
        yield made


def captures(running: RunDeployment, document: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Policy, status and reason of each capture of the case."""
    steps = running.case(document).steps
    return [(step.policy, step.status, step.reason) for step in steps if step.action == "capture_evidence"]


def manifests(running: RunDeployment, document: dict[str, Any]) -> list[dict[str, Any]]:
    """The case's manifests, the earliest first."""
    named = manifests_of(running.case(document))
    return [manifest_content((running.folder / "evidence" / each.name).read_bytes()) for each in named]


def served(running: RunDeployment, manifest: dict[str, Any]) -> list[str]:
    """The revisions that got requests, by the service's document that a manifest names."""
    (name,) = [item["name"] for item in manifest["objects"] if item["kind"] == "Service"]
    document = json.loads((running.folder / "evidence" / name).read_text())
    return [item["revision"] for item in document["trafficStatuses"]]


def test_a_rollback_is_followed_by_evidence(running: RunDeployment) -> None:
    """The first manifest shows the service before it, the second one after it, and both stay."""
    document = running.escaped()

    assert captures(running, document) == [("contain", "done", "captured"), ("", "done", "captured")]
    before, after = manifests(running, document)
    assert (served(running, before), served(running, after)) == ([BAD], [GOOD])
    assert {item["source"] for item in after["objects"]} == {"run_settings"}
    assert [item["name"] for item in after["earlier"]] == [manifests_of(running.case(document))[0].name]
    assert "100 % to checkout-00001-abc" in running.case(document).steps[-1].detail
    assert running.case(document).state == "done"


def test_it_is_read_with_three_requests_after_the_change(running: RunDeployment) -> None:
    """No more than before it."""
    running.escaped()
    called = [method for method, _ in running.server.requests]
    assert sorted(called[-3:]) == READS
    assert [called.count(name) for name in READS[:2]] == [2, 2]


def test_without_a_change_it_is_read_once(running: RunDeployment) -> None:
    """Neither a rehearsal nor a service that is as it should be is followed by evidence."""
    running.turn("dry_run")
    rehearsed = running.escaped()
    assert [status for _, status, _ in captures(running, rehearsed)] == ["done"]
    assert len([1 for method, _ in running.server.requests if method == READS[0]]) == 1


def test_a_second_delivery_does_not_take_it_again(running: RunDeployment) -> None:
    """One for each set of changes."""
    document = running.escaped()
    asked = len(running.server.requests)
    running.deliver(document)
    assert len(running.server.requests) == asked
    assert len(manifests(running, document)) == 2


def test_a_service_that_cannot_be_read_comes_again(running: RunDeployment) -> None:
    """The change is not sent twice; what a later delivery reads is kept."""
    api = running.services.run
    assert api is not None

    class Failing:
        """Cloud Run that does not answer the read after the change."""

        def __getattr__(self, name: str) -> Any:
            if name == "get_iam_policy" and running.server.writes_of("UpdateService") and not failed:
                failed.append(name)
                running.server.fail_next(grpc.StatusCode.UNAVAILABLE)
            return getattr(api, name)

    failed: list[str] = []
    stand_in: Any = Failing()
    running.services.run = stand_in
    document = running.escaped()
    assert "cloud_run_unavailable" in running.line["message"]
    assert len(manifests(running, document)) == 1
    running.deliver(document)
    assert len(running.server.writes_of("UpdateService")) == 1
    assert served(running, manifests(running, document)[1]) == [GOOD]


def test_a_service_deleted_meanwhile_is_told(running: RunDeployment) -> None:
    """There is nothing to read any more, and the case says so."""
    api = running.services.run
    assert api is not None

    class Deleting:
        """Cloud Run whose service somebody deletes after the change."""

        def __getattr__(self, name: str) -> Any:
            if name == "get_service" and running.server.writes_of("UpdateService"):
                reads.append(name)
            if len(reads) == 2:
                running.server.world.services.clear()
                running.server.world.revisions.clear()
            return getattr(api, name)

    reads: list[str] = []
    stand_in: Any = Deleting()
    running.services.run = stand_in
    document = running.escaped()
    assert captures(running, document)[-1] == ("", "done", "captured")
    assert "target_absent" in running.case(document).steps[-1].detail
    assert manifests(running, document)[-1]["missing"]["service"] == "target_absent"


def test_instances_are_counted_before_and_after(running: RunDeployment) -> None:
    """What was counted before the change says nothing of what came of it."""
    with MonitoringServer() as monitoring:
        now = utc_now()
        monitoring.count(INSTANCES, 3, now - timedelta(minutes=2), revision=BAD)
        monitoring.count(REQUESTS, 40, now - timedelta(minutes=2), revision=BAD)
        metrics = CloudMonitoring(endpoint=monitoring.endpoint)
        running.services.metrics = metrics
        document = running.escaped()
        metrics.close()
    first, second = [step.detail for step in running.case(document).steps if step.action == "capture_evidence"]
    assert "3 instances" in first
    assert "40 requests in the last hour" in first
    assert "instances unknown: metrics_before_change" in second
    assert len(monitoring.requests) == 4
