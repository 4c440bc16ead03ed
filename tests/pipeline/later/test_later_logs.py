"""Logs are captured where a policy asks, and Cloud Logging is asked once more by a sweep: added, never replaced."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.cloud_logging import CloudLogging
from scc_responder.domain.clock import utc_now
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.later.later_logs import NOTES, ask_later
from scc_responder.pipeline.later.later_notes import ASKED_AFTER, MOST_TRIES
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.google.logging_server import LoggingServer, audit_entry, line_entry
from tests.kits.responder import Deployment, Interposed, deployed, finding_about, policy


@pytest.fixture
def server() -> Iterator[LoggingServer]:
    """Cloud Logging on this machine."""
    with LoggingServer() as made:
        yield made


@pytest.fixture
def deployment(tmp_path: Path, cluster: SimulatedCluster, server: LoggingServer) -> Iterator[Deployment]:
    """A responder whose policy captures both kinds of logs."""
    made = deployed(tmp_path, cluster, policy("isolate_pod", "capture_logs", "capture_cloud_logs"))
    logs = CloudLogging(endpoint=server.endpoint)
    made.services.logs = logs
    yield made
    logs.close()


def at(pod: dict[str, Any], minutes: float = 0) -> str:
    """A time near the finding's event."""
    started = datetime.fromisoformat(pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"])
    return (started + timedelta(minutes=minutes)).isoformat()


def line_of(pod: dict[str, Any], text: str) -> dict[str, Any]:
    """A line that its container wrote, as Cloud Logging has it."""
    where = pod["metadata"]
    return line_entry(text, at(pod), pod=where["name"], namespace=where["namespace"])


def entered(pod: dict[str, Any]) -> dict[str, Any]:
    """An exec into it."""
    name = f"core/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/exec"
    return audit_entry(name, "io.k8s.core.v1.pods.exec.create", "alice@example.com", at(pod))


def kept(deployment: Deployment, pattern: str) -> list[str]:
    """What is stored under such names."""
    return sorted(path.read_text() for path in deployment.folder.glob(f"evidence/**/{pattern}"))


def later(deployment: Deployment, wait: timedelta) -> int:
    """How many notes a sweep answers that much later."""
    now = utc_now() + wait
    deployment.set_clock(lambda: now)
    return ask_later(deployment.services)


def steps(deployment: Deployment, document: dict[str, Any]) -> dict[str, tuple[str, str, str]]:
    """Status, reason and detail of each action's last step."""
    found = deployment.case(document).steps
    return {step.action: (step.status, step.reason, step.detail) for step in found}


def test_logs_are_kept_and_told(
    deployment: Deployment, cluster: SimulatedCluster, server: LoggingServer, pod: dict[str, Any]
) -> None:
    """As text without secrets; the case says in a few words what there is."""
    app = pod["spec"]["containers"][0]["name"]
    cluster.write_log(pod, app, b"GET /cart 200\npassword=hunter2secret\n")
    server.add(entered(pod), line_of(pod, "GET /cart 200"), line_entry("other", at(pod), pod="other-1"))
    document = finding_about(pod)
    deployment.respond_to(document)

    (text,) = kept(deployment, "pod-logs-*.txt")
    assert ("password=redacted" in text, "hunter2" in text) == (True, False)
    assert len(server.requests) == 2
    done = steps(deployment, document)
    assert done["capture_logs"][:2] == done["capture_cloud_logs"][:2] == ("done", "captured")
    assert done["capture_logs"][2].endswith(f"; 2 lines of {app}")
    assert "exec by alice@example.com" in done["capture_cloud_logs"][2]
    assert done["capture_cloud_logs"][2].endswith("; 1 entries of the pod, 0 of its node")
    stored = "".join(kept(deployment, "cloud-logging-*.json"))
    assert ("GET /cart 200" in stored, '"other"' in stored) == (True, False)


def test_a_sweep_asks_again_and_adds(deployment: Deployment, server: LoggingServer, pod: dict[str, Any]) -> None:
    """After five minutes, once; what was stored before stays as it is."""
    server.add(line_of(pod, "first"))
    deployment.respond_to(finding_about(pod))
    before = kept(deployment, "*.json")
    server.add(line_of(pod, "late"))

    assert later(deployment, ASKED_AFTER - timedelta(seconds=30)) == 0
    assert later(deployment, ASKED_AFTER + timedelta(seconds=30)) == 1
    after = kept(deployment, "*.json")
    assert set(before) < set(after)
    assert any('"late"' in text for text in set(after) - set(before))
    assert later(deployment, ASKED_AFTER * 3) == 0
    assert len(server.requests) == 4


def test_a_used_up_quota_is_left_to_the_sweep(
    deployment: Deployment, server: LoggingServer, pod: dict[str, Any]
) -> None:
    """The case goes on and says so; a sweep that meets the same tries again later, and gives up in the end."""
    server.add(line_of(pod, "first"))
    server.fail_next(grpc.StatusCode.RESOURCE_EXHAUSTED, count=3)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert steps(deployment, document)["capture_cloud_logs"][:2] == ("done", "logs_later")
    assert deployment.case(document).state == "done"

    assert later(deployment, ASKED_AFTER * 2) == 0
    assert later(deployment, ASKED_AFTER * 4) == 1
    assert '"first"' in "".join(kept(deployment, "cloud-logging-*.json"))


def test_a_silent_node_is_not_waited_for_without_end(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """After three deliveries the case ends. What takes the logs away is held, all else is done at once."""

    def refuse(_call: int, _verb: str, path: str) -> None:
        if path.endswith("/log"):
            raise ApiError(Reason.SERVER_ERROR, "dial tcp 192.0.2.9:10250: no route to host", status=500)

    made = deployed(tmp_path, cluster, policy("isolate_pod", "capture_logs", "delete_pod", "notify"))
    made.clusters.api = Interposed(made.clusters.api, before=refuse)
    document = finding_about(pod)
    assert [made.respond_to(document).status for _ in range(3)] == [503, 503, 204]
    done = steps(made, document)
    assert done["capture_logs"][:2] == ("failed", "node_not_answering")
    assert "no route to host" in done["capture_logs"][2]
    assert (done["isolate_pod"][0], done["delete_pod"][:2]) == ("done", ("held", "needs_capture_logs"))


def test_an_api_that_fails_is_asked_later(deployment: Deployment, server: LoggingServer, pod: dict[str, Any]) -> None:
    """Nothing was kept: so nobody says that it was."""
    server.fail_next(grpc.StatusCode.UNAVAILABLE, count=2)
    document = finding_about(pod)
    deployment.respond_to(document)
    assert steps(deployment, document)["capture_cloud_logs"][:2] == ("done", "logs_later")
    assert len(deployment.services.store.scan(NOTES).entries) == 1


def test_where_nobody_may_be_asked_nothing_is_captured(deployment: Deployment, pod: dict[str, Any]) -> None:
    """A deployment without Cloud Logging says so, and its cases fall short of nothing."""
    deployment.services.logs = None
    document = finding_about(pod)
    deployment.respond_to(document)
    assert steps(deployment, document)["capture_cloud_logs"][:2] == ("skipped", "no_cloud_logging")
    assert (deployment.case(document).state, deployment.line["severity"]) == ("done", "NOTICE")


def test_a_note_that_is_never_answered_goes(deployment: Deployment, server: LoggingServer, pod: dict[str, Any]) -> None:
    """After so many tries."""
    deployment.respond_to(finding_about(pod))
    server.fail_next(grpc.StatusCode.UNAVAILABLE, count=MOST_TRIES)
    for number in range(MOST_TRIES):
        later(deployment, ASKED_AFTER * 2 * (number + 1))
    assert deployment.services.store.scan(NOTES).entries == ()


def test_nobody_is_asked_who_was_not_asked_for(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """A policy without these actions reads no log, leaves no note, and its sweeps look for none."""
    plain = deployed(tmp_path, cluster, policy("isolate_pod", "capture_evidence"))

    class Untouched:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(name)

    plain.services.logs = Untouched()
    document = finding_about(pod)
    plain.respond_to(document)
    assert not [event for event in cluster.audit if event.subresource == "log"]
    assert plain.services.store.scan(NOTES).entries == ()
    plain.services.store = Untouched()  # type: ignore[assignment]
    assert ask_later(plain.services) == 0


def test_without_the_permission_the_case_goes_on(
    deployment: Deployment, server: LoggingServer, pod: dict[str, Any]
) -> None:
    """The manifest names what was missing."""
    server.granted = ()
    document = finding_about(pod)
    deployment.respond_to(document)
    status, why, detail = steps(deployment, document)["capture_cloud_logs"]
    assert (status, why) == ("skipped", "logging_permission_denied")
    assert detail.startswith("missing permission: logging.logEntries.list; cases/")
    assert deployment.services.store.scan(NOTES).entries == ()
    missing = [manifest_content(text.encode())["missing"] for text in kept(deployment, "manifest-*.json")]
    assert {"cloud_logging": "missing permission: logging.logEntries.list"} in missing


def test_without_the_right_to_read_logs_the_case_goes_on(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """The step says which right is missing, and what takes the logs away is not done."""

    def refuse(_call: int, _verb: str, path: str) -> None:
        if path.endswith("/log"):
            raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="pods/log: get in namespace shop")

    made = deployed(tmp_path, cluster, policy("isolate_pod", "capture_logs", "delete_pod"))
    made.clusters.api = Interposed(made.clusters.api, before=refuse)
    document = finding_about(pod)
    made.respond_to(document)
    done = steps(made, document)
    assert done["capture_logs"][:2] == ("skipped", "captured_without_logs")
    assert done["capture_logs"][2].startswith("missing permission: pods/log: get in namespace shop; cases/")
    assert (done["isolate_pod"][0], done["delete_pod"][:2]) == ("done", ("held", "needs_capture_logs"))
    (manifest,) = (manifest_content(text.encode()) for text in kept(made, "manifest-*.json"))
    assert manifest["missing"]["pod_logs"] == "missing permission: pods/log: get in namespace shop"
