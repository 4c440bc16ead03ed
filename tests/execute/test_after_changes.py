"""Evidence of Cloud Run is taken before the first change and once more after the last: added, never replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.domain.changes.capture_again import CaptureAgain
from scc_responder.domain.clock import utc_now
from scc_responder.domain.ports import Evidence
from scc_responder.domain.status import StepStatus
from scc_responder.execute.after_changes import evidence_after
from scc_responder.journal.account.manifest_names import manifests_of
from scc_responder.journal.step import Step
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import BAD, GOOD, RunDeployment, escape, job_escape, run_deployed, run_policy
from tests.kits.google.cloud_run.samples import CHECKOUT
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


def test_a_case_that_captured_nothing_has_no_evidence_after(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """It is done where a policy asked for evidence, and nowhere else."""
    with run_deployed(tmp_path, cluster, run_policy("roll_back_service", mode="enforce")) as running:
        document = running.escaped()
        assert captures(running, document) == []
        assert len([1 for method, _ in running.server.requests if method == READS[0]]) == 1


def test_a_service_that_is_so_already_is_read_once(running: RunDeployment) -> None:
    """A second finding on a service that was rolled back changes nothing."""
    running.escaped()
    second = escape("b" * 32)
    running.respond_to(second)
    assert running.case(second).steps[1].reason == "already_retired"
    assert captures(running, second) == [("contain", "done", "captured")]


class Crashing:
    """Evidence of a process that is killed when it stores its second manifest, once its parts are there."""

    def __init__(self, store: Evidence) -> None:
        self.store = store
        self.manifests = 0

    def put(self, name: str, content: bytes) -> bool:
        """Store it, or end."""
        self.manifests += "manifest-" in name
        if self.manifests == 2:
            raise SystemExit("killed")
        return self.store.put(name, content)


def test_a_process_that_is_killed_loses_no_evidence(running: RunDeployment) -> None:
    """The next delivery reads the service once more and stores it; the change is not sent again."""
    store = running.services.evidence
    assert store is not None
    running.services.evidence = Crashing(store)
    document = escape()
    with pytest.raises(SystemExit):
        running.respond_to(document)
    assert [step.status for step in running.case(document).steps][-1] == "intent"

    running.services.evidence = store
    running.set_clock(lambda: utc_now() + timedelta(minutes=10))
    running.deliver(document)
    assert captures(running, document) == [("contain", "done", "captured"), ("", "done", "captured")]
    assert served(running, manifests(running, document)[1]) == [GOOD]
    assert len(running.server.writes_of("UpdateService")) == 1
    assert [method for method, _ in running.server.requests].count(READS[0]) == 4


def test_a_change_of_a_later_delivery_is_captured_too(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Each set of changes has its evidence: what a person approved comes after what was done at once."""
    waits = run_policy("capture_evidence", "roll_back_service", name="ask")
    cuts = run_policy("capture_evidence", "cut_ingress", mode="enforce", name="cut")
    with run_deployed(tmp_path, cluster, waits, cuts) as running:
        document = running.escaped()
        assert len(captures(running, document)) == 2
        running.answer(document)
        assert captures(running, document)[1:] == [("", "done", "captured")] * 2
        assert [served(running, each) for each in manifests(running, document)] == [[BAD], [BAD], [GOOD]]


SHIFT = {"change": "shift_traffic", "path": CHECKOUT, "uid": "u1", "to": "s-1", "prior": []}


@pytest.mark.parametrize(
    ("change", "status", "reason", "follows"),
    [
        (SHIFT, "done", "rolled_back", True),
        (SHIFT, "done", "done_before", True),
        (SHIFT, "not_effective", "still_served", True),
        (SHIFT, "overridden", "overridden", True),
        (SHIFT, "failed", "reconciliation_failed", True),
        (SHIFT, "failed", "cloud_run_permission_denied", False),
        (SHIFT, "done", "already", False),
        (SHIFT, "dry_run", "would_update_service", False),
        (SHIFT, "held", "service_deleting", False),
        ({"change": "delete_pod"}, "done", "processes_ended", False),
        ({"change": "of_a_later_version"}, "done", "done", False),
    ],
)
def test_evidence_follows_what_may_have_changed_a_service(
    change: dict[str, Any], status: str, reason: str, follows: bool
) -> None:
    """A request that was sent, whatever came of it; nothing else."""
    captured = Step(action_id="a", status=StepStatus.DONE, change={"change": "capture_evidence"})
    changed = Step(action_id="b", status=StepStatus(status), reason=reason, change=change, settled_at=utc_now())
    execution: Any = SimpleNamespace(
        current_steps=(captured, changed), world=SimpleNamespace(run=object), action_id=lambda planned: planned.variant
    )
    task = evidence_after(execution)
    assert (task is not None) == follows
    if task:
        assert (task.action_id, task.change) == ("after:b.0", CaptureAgain(changed_at=changed.settled_at))


def test_a_cancelled_execution_is_read_again(tmp_path: Path, cluster: SimulatedCluster) -> None:
    """The second manifest shows that its tasks have ended."""
    cancels = run_policy("capture_evidence", "cancel_execution")
    with run_deployed(tmp_path, cluster, cancels) as running:
        document = job_escape()
        running.respond_to(document)
        running.answer(document)
        assert captures(running, document) == [("contain", "done", "captured"), ("", "done", "captured")]
        ran = [execution_of(running, each) for each in manifests(running, document)]
    assert ["completionTime" in each for each in ran] == [False, True]
    assert ran[1]["cancelledCount"] == 1


def execution_of(running: RunDeployment, manifest: dict[str, Any]) -> dict[str, Any]:
    """The one execution that a manifest has."""
    (name,) = [item["name"] for item in manifest["objects"] if item["kind"] == "executions"]
    (found,) = json.loads((running.folder / "evidence" / name).read_text())["items"]
    return dict(found)
